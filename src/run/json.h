/* json.h - short spellings for building result objects. A failed allocation is remembered and told by
 * mn_json_ok, so that a stage checks once, at its end.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_JSON_H
#define MN_RUN_JSON_H

#include "micronets/run.h"

/* Opens a command's object: "micronets", "command". */
json_t *mn_json_open(const mn_run_context *context);
/* Adds "seed" and "seconds" and hands the object over. */
mn_status mn_json_finish(json_t **result, json_t *object, const mn_run_context *context,
                         bool random, mn_error *error);

/* All take the value over (references are stolen, as jansson's _new functions do). */
void mn_json_put(json_t *object, const char *key, json_t *value);
void mn_json_push(json_t *array, json_t *value);
void mn_json_put_text(json_t *object, const char *key, const char *text); /* NULL: null */
void mn_json_put_int(json_t *object, const char *key, int64_t value);
void mn_json_put_real(json_t *object, const char *key, double value);
/* Unknown is null, never a made-up value: negative means unknown in our structs. */
void mn_json_put_known(json_t *object, const char *key, double value);
void mn_json_put_known_int(json_t *object, const char *key, int64_t value);
/* A string value from any bytes. */
json_t *mn_json_text(const char *text);
json_t *mn_json_object(void);
json_t *mn_json_array(void);
/* False once if anything since the last call ran out of memory. */
bool mn_json_ok(void);

#endif
