/* emit.h - prints a plan as a folder of C that compiles alone (docs/firmware.md): no heap, no writable globals, direct kernel calls.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_EMIT_H
#define MICRONETS_EMIT_H

#include "micronets/plan.h"
#include "micronets/tflite.h"

/* One inference of known outcome, for golden_test.c: bytes of input tensor 0 and of output tensor 0. */
typedef struct mn_emit_golden {
  const void *input, *output;
} mn_emit_golden;

typedef struct mn_emit_config {
  const char *folder;  /* made if absent; files are written then renamed */
  const char *prefix;  /* "kws": kws_run, KWS_ARENA_BYTES */
  bool watch;          /* test build: MN_MARK(op) before and MN_WATCH(op, first_row, rows, data, bytes)
                          after each step; both are nothing unless they are defined */
  const mn_emit_golden *golden; /* [golden_count]; none: the folder has no golden_test.c */
  int32_t golden_count;
} mn_emit_config;

typedef struct mn_emit_result {
  const char *const *files; /* names inside the folder */
  int32_t file_count;
} mn_emit_result;

/* Writes model.h, model.c, weights.[ch], copies of the kernels used, golden_test.c, Makefile and
 * README.md. The same bytes for the same plan and model. Needs a frozen graph of one input and one
 * output. Errors: MN_ERR_USAGE for a prefix that is no C name; MN_ERR_UNSUPPORTED; MN_ERR_IO. */
mn_status mn_emit_c(mn_emit_result *result, mn_arena *arena, const mn_plan *plan, const mn_model *model,
                    const mn_emit_config *config, mn_error *error) MN_MUST_CHECK;

/* The same model as a project for TFLite Micro: `file` (the whole .tflite) as a C array, the size of its
 * arena, the list of its operators, a main, and notes on building: model.c, model.h, ops.h, main.cc,
 * README.md. config->watch and golden are not looked at. */
mn_status mn_emit_tflm(mn_emit_result *result, mn_arena *arena, const mn_model *model, mn_bytes file,
                       const mn_emit_config *config, mn_error *error) MN_MUST_CHECK;

/* Whether a prefix makes C names: lower case, digits and '_', a letter first. Errors: MN_ERR_USAGE. */
mn_status mn_emit_check_prefix(const char *prefix, mn_error *error) MN_MUST_CHECK;

#endif
