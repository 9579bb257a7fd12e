/* json.c - see json.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool failed;

bool mn_json_ok(void) {
  bool ok = !failed;
  failed = false;
  return ok;
}

json_t *mn_json_object(void) {
  json_t *object = json_object();
  failed = failed || object == NULL;
  return object;
}

json_t *mn_json_array(void) {
  json_t *array = json_array();
  failed = failed || array == NULL;
  return array;
}

/* Names of files may hold bytes that are no UTF-8, which JSON cannot: they become '?'. The caller frees
 * the copy. */
static char *plain_copy(const char *text) {
  size_t size = strlen(text);
  char *plain = mn_malloc(size + 1);
  for (size_t i = 0; plain != NULL && i <= size; i++)
    plain[i] = (signed char)text[i] < 0 ? '?' : text[i];
  return plain;
}

json_t *mn_json_text(const char *text) {
  json_t *value = json_string(text);
  if (value != NULL) return value;
  char *plain = plain_copy(text);
  value = plain != NULL ? json_string(plain) : NULL;
  mn_free(plain);
  return value;
}

void mn_json_put(json_t *object, const char *key, json_t *value) {
  json_incref(value);
  if (json_object_set_new(object, key, value) != 0) {
    char *plain = plain_copy(key);
    if (plain == NULL || json_object_set(object, plain, value) != 0) failed = true;
    mn_free(plain);
  }
  json_decref(value);
}

void mn_json_push(json_t *array, json_t *value) {
  if (json_array_append_new(array, value) != 0) failed = true;
}

void mn_json_put_text(json_t *object, const char *key, const char *text) {
  mn_json_put(object, key, text != NULL ? mn_json_text(text) : json_null());
}

void mn_json_put_int(json_t *object, const char *key, int64_t value) {
  mn_json_put(object, key, json_integer(value));
}

void mn_json_put_real(json_t *object, const char *key, double value) {
  mn_json_put(object, key, isfinite(value) ? json_real(value) : json_null());
}

void mn_json_put_known(json_t *object, const char *key, double value) {
  mn_json_put(object, key, isfinite(value) && value >= 0 ? json_real(value) : json_null());
}

void mn_json_put_known_int(json_t *object, const char *key, int64_t value) {
  mn_json_put(object, key, value >= 0 ? json_integer(value) : json_null());
}

json_t *mn_json_open(const mn_run_context *context) {
  json_t *object = mn_json_object();
  mn_json_put_text(object, "micronets", MICRONETS_VERSION);
  mn_json_put_text(object, "command", context->command);
  return object;
}

mn_status mn_json_finish(json_t **result, json_t *object, const mn_run_context *context,
                         bool random, mn_error *error) {
  if (random) mn_json_put_int(object, "seed", context->common->seed);
  mn_json_put_real(object, "seconds", mn_seconds() - context->began);
  if (!mn_json_ok()) {
    json_decref(object);
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", context->command);
  }
  *result = object;
  return MN_OK;
}

mn_status mn_run_write_json(const char *path, const json_t *object, mn_error *error) {
  char *text = json_dumps(object, MN_RUN_JSON_FLAGS | JSON_INDENT(2));
  if (text == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  size_t size = strlen(text);
  text[size] = '\n'; /* over the terminating zero, which need not be written */
  mn_status status = mn_file_write(path, text, size + 1, error);
  free(text);
  return status;
}

mn_status mn_run_read_json(json_t **object, mn_arena *arena, const char *path, mn_error *error) {
  mn_bytes text;
  json_error_t at;
  MN_TRY(mn_file_read(&text, arena, path, 64 << 20, error));
  json_t *value = json_loadb((const char *)text.data, text.size, 0, &at);
  if (value == NULL)
    return mn_error_set(error, MN_ERR_FORMAT, "%s:%d:%d: %s; expected JSON as micronets writes it",
                        path, at.line, at.column, at.text);
  *object = value;
  return MN_OK;
}
