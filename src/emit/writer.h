/* writer.h - what the printers of a compiled model share: the text of the file at hand, names, and
 * the list of files made so far.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EMIT_WRITER_H
#define MN_EMIT_WRITER_H

#include "micronets/emit.h"
#include "plan/kernel_table.h"

typedef struct mn_emitter {
  const mn_plan *plan;
  const mn_model *model;
  const mn_emit_config *config;
  mn_arena *arena;
  mn_error *error;
  const char *prefix;          /* "kws" */
  const char *upper;           /* "KWS" */
  mn_audio audio;              /* numbers and tables of the audio front end, if there is one */
  const mn_detector *detector; /* of the anomaly score; NULL: none */
  mn_detector_source detector_source;
  mn_buffer text;   /* of the file at hand */
  mn_status status; /* sticky: the first failure of a print */
  const char **files;
  int32_t file_count, file_room;
} mn_emitter;

/* Checks the prefix, makes the folder: with plan or without one, once config is set. */
mn_status mn_emitter_begin(mn_emitter *e) MN_MUST_CHECK;
/* Prints into the file at hand; failures stay in e->status until mn_emit_file reports them. */
void mn_print(mn_emitter *e, const char *format, ...) MN_PRINTF(2, 3);
/* Writes what was printed as `name` in the folder and starts afresh. */
mn_status mn_emit_file(mn_emitter *e, const char *name) MN_MUST_CHECK;
bool mn_emit_has_file(const mn_emitter *e, const char *name);

/* The parts, in the order they are made. */
mn_status mn_emit_header(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_weights(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_frontend(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_find_detector(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_detector(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_model(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_sources(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_golden_test(mn_emitter *e) MN_MUST_CHECK;
mn_status mn_emit_makefile(mn_emitter *e) MN_MUST_CHECK;

/* The detector's share of model.h and model.c; nothing where there is none. */
void mn_print_detector_numbers(mn_emitter *e);
void mn_print_detector_functions(mn_emitter *e);
void mn_print_detector_code(mn_emitter *e);

/* The name that features.h has in a model's folder. */
#define MN_EMIT_FEATURES "front_ends.h"

/* NAME_decide in model.h and model.c; nothing where the outputs are no scores of labels. */
bool mn_emit_decides(const mn_emitter *e);
void mn_print_decide_function(mn_emitter *e);
void mn_print_decide_code(mn_emitter *e);

/* Bytes of elements of `dtype` as C text, `per_line` to a line; name of the C type; NULL: none. */
void mn_print_elements(mn_emitter *e, mn_dtype dtype, const void *data, size_t bytes);
const char *mn_c_type(mn_dtype dtype);

#endif
