/* emit.h - prints a plan as a folder of C that compiles alone (CLI.md, "The header of a compiled
 * model"): no heap, no writable globals, direct kernel calls.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_EMIT_H
#define MICRONETS_EMIT_H

#include "micronets/plan.h"
#include "micronets/tflite.h"

typedef struct mn_emit_config {
  const char *folder;  /* made if absent; files are written then renamed */
  const char *prefix;  /* "kws": kws_run, KWS_ARENA_BYTES */
  bool watch;          /* test build: calls MN_WATCH(op, first_row, rows, data, bytes) after each step */
} mn_emit_config;

typedef struct mn_emit_result {
  const char *const *files; /* names inside the folder */
  int32_t file_count;
} mn_emit_result;

mn_status mn_emit_c(mn_emit_result *result, mn_arena *arena, const mn_plan *plan, const mn_model *model,
                    const mn_emit_config *config, mn_error *error) MN_MUST_CHECK;

#endif
