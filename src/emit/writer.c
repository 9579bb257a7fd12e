/* writer.c - see writer.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void mn_print(mn_emitter *e, const char *format, ...) {
  char line[1024];
  if (e->status != MN_OK) return;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof line) {
    e->status = mn_error_set(e->error, MN_ERR_FAILED, "a name of the model is too long to print");
    return;
  }
  e->status = mn_buffer_append(&e->text, line, (size_t)length);
  if (e->status != MN_OK) mn_error_set(e->error, e->status, "out of memory");
}

bool mn_emit_has_file(const mn_emitter *e, const char *name) {
  for (int32_t i = 0; i < e->file_count; i++)
    if (strcmp(e->files[i], name) == 0) return true;
  return false;
}

mn_status mn_emit_file(mn_emitter *e, const char *name) {
  MN_TRY(e->status);
  const char *path = mn_arena_text(e->arena, "%s/%s", e->config->folder, name);
  const char *copy = mn_arena_text(e->arena, "%s", name);
  if (path == NULL || copy == NULL) return mn_error_set(e->error, MN_ERR_MEMORY, "out of memory");
  if (e->file_count == e->file_room)
    return mn_error_set(e->error, MN_ERR_FAILED, "%s: too many files", path);
  MN_TRY(mn_file_write(path, e->text.data, e->text.size, e->error));
  e->files[e->file_count++] = copy;
  e->text.size = 0;
  return MN_OK;
}

const char *mn_c_type(mn_dtype dtype) {
  static const char *const names[MN_DTYPE_COUNT] = {
      [MN_DTYPE_INT8] = "int8_t",   [MN_DTYPE_UINT8] = "uint8_t", [MN_DTYPE_INT16] = "int16_t",
      [MN_DTYPE_INT32] = "int32_t", [MN_DTYPE_INT64] = "int64_t", [MN_DTYPE_INT4] = "uint8_t",
  };
  return names[dtype];
}

/* One element in host byte order; int4 is printed as the bytes it is packed in. */
static int64_t element(mn_dtype dtype, const uint8_t *at) {
  int16_t s16;
  int32_t s32;
  int64_t s64;
  switch (dtype) {
    case MN_DTYPE_INT8: return (int8_t)*at;
    case MN_DTYPE_INT16: memcpy(&s16, at, sizeof s16); return s16;
    case MN_DTYPE_INT32: memcpy(&s32, at, sizeof s32); return s32;
    case MN_DTYPE_INT64: memcpy(&s64, at, sizeof s64); return s64;
    default: return *at;
  }
}

void mn_print_elements(mn_emitter *e, mn_dtype dtype, const void *data, size_t bytes) {
  enum { LINE = 96 };
  size_t size = mn_dtype_bits(dtype) < 8 ? 1 : (size_t)mn_dtype_bits(dtype) / 8;
  const uint8_t *at = data;
  char line[LINE + 32];
  int length = 0;
  for (size_t i = 0; i + size <= bytes; i += size) {
    int64_t value = element(dtype, at + i);
    /* The most negative 32-bit number is no C literal. */
    if (value == INT32_MIN && dtype == MN_DTYPE_INT32)
      length += snprintf(line + length, 32, "INT32_MIN,");
    else
      length += snprintf(line + length, 32, "%" PRId64 ",", value);
    if (length < LINE && i + 2 * size <= bytes) continue;
    mn_print(e, "  %s\n", line);
    length = 0;
  }
}
