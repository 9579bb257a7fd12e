/* emit.c - the order in which a compiled model's folder is made, and what is checked beforehand.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/emit.h"

#include <ctype.h>
#include <string.h>

#include "emit/layout.h"
#include "emit/writer.h"

enum { MOST_FILES = 64, MOST_PREFIX = 32 };

/* A C identifier in lower case, so that macros can be its upper case. */
mn_status mn_emit_check_prefix(const char *prefix, mn_error *error) {
  size_t length = strlen(prefix);
  bool good = length > 0 && length <= MOST_PREFIX && (islower((unsigned char)prefix[0]) != 0);
  for (size_t i = 0; i < length && good; i++)
    good =
        islower((unsigned char)prefix[i]) || isdigit((unsigned char)prefix[i]) || prefix[i] == '_';
  if (good) return MN_OK;
  return mn_error_set(
      error, MN_ERR_USAGE,
      "name \"%s\": expected a lower-case letter, then letters, digits or _, at most %d "
      "characters",
      prefix, MOST_PREFIX);
}

static mn_status check_graph(const mn_graph *graph, mn_error *error) {
  if (!graph->frozen)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "the network has no weights yet; train it first");
  if (graph->input_count != 1 || graph->output_count < 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "the model has %d inputs and %d outputs; compiled models have one of each",
                        graph->input_count, graph->output_count);
  const mn_tensor *x = &graph->tensors[graph->inputs[0]], *y = &graph->tensors[graph->outputs[0]];
  if (mn_c_type(x->dtype) == NULL || mn_c_type(y->dtype) == NULL)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "input is %s and output %s; compiled models take and give whole numbers",
                        mn_dtype_text(x->dtype), mn_dtype_text(y->dtype));
  return MN_OK;
}

static mn_status check_plan(const mn_plan *plan, mn_error *error) {
  const mn_graph *graph = plan->graph;
  if (plan->tensor_offset[graph->inputs[0]] < 0 || plan->tensor_offset[graph->outputs[0]] < 0)
    return mn_error_set(error, MN_ERR_UNSUPPORTED, "input or output of the model is a constant");
  for (int32_t i = 0; i < plan->constant_count; i++)
    if (plan->constants[i].bytes > 0 && plan->constants[i].data == NULL)
      return mn_error_set(error, MN_ERR_UNSUPPORTED,
                          "constant %s has no data; the plan is of a bare graph",
                          plan->constants[i].name);
  return MN_OK;
}

static const char *upper_case(mn_arena *arena, const char *text) {
  char *upper = mn_arena_copy(arena, text, strlen(text) + 1);
  for (char *at = upper; at != NULL && *at != '\0'; at++) *at = (char)toupper((unsigned char)*at);
  return upper;
}

/* The tables of the audio front end, if the model has one. */
static mn_status build_audio(mn_emitter *e) {
  const mn_frontend *frontend = &e->model->frontend;
  if (!mn_emit_layout_of(e->plan, e->model, e->detector).has_frontend) return MN_OK;
  const char *reason = mn_frontend_check(frontend);
  if (reason != NULL) return mn_error_set(e->error, MN_ERR_UNSUPPORTED, "front end: %s", reason);
  void *tables = mn_arena_alloc(e->arena, mn_frontend_tables_bytes(frontend));
  if (tables == NULL) return mn_error_set(e->error, MN_ERR_MEMORY, "out of memory");
  mn_audio_build(&e->audio, tables, frontend);
  const mn_graph *graph = e->plan->graph;
  const mn_tensor *x = &graph->tensors[graph->inputs[0]];
  int64_t made = (int64_t)e->audio.rows * mn_audio_row_width(&e->audio);
  if (x->dtype != MN_DTYPE_INT8)
    return mn_error_set(e->error, MN_ERR_UNSUPPORTED,
                        "the front end makes int8 values, the input tensor is %s",
                        mn_dtype_text(x->dtype));
  if (x->quantization.count != 1 || mn_shape_elements(&x->shape) != made)
    return mn_error_set(e->error, MN_ERR_FORMAT,
                        "the front end makes %lld values, the input tensor takes %lld",
                        (long long)made, (long long)mn_shape_elements(&x->shape));
  return MN_OK;
}

static mn_status emit_all(mn_emitter *e) {
  MN_TRY(build_audio(e));
  MN_TRY(mn_emit_find_detector(e));
  MN_TRY(mn_emit_header(e));
  MN_TRY(mn_emit_weights(e));
  MN_TRY(mn_emit_frontend(e));
  MN_TRY(mn_emit_detector(e));
  MN_TRY(mn_emit_model(e));
  MN_TRY(mn_emit_sources(e));
  MN_TRY(mn_emit_golden_test(e));
  return mn_emit_makefile(e);
}

mn_status mn_emitter_begin(mn_emitter *e) {
  MN_TRY(mn_emit_check_prefix(e->config->prefix, e->error));
  e->prefix = e->config->prefix;
  e->upper = upper_case(e->arena, e->prefix);
  e->files = mn_arena_array(e->arena, MOST_FILES, sizeof(char *));
  e->file_room = MOST_FILES;
  if (e->upper == NULL || e->files == NULL)
    return mn_error_set(e->error, MN_ERR_MEMORY, "out of memory");
  return mn_folder_make(e->config->folder, e->error);
}

mn_status mn_emit_c(mn_emit_result *result, mn_arena *arena, const mn_plan *plan,
                    const mn_model *model, const mn_emit_config *config, mn_error *error) {
  MN_TRY(check_graph(plan->graph, error));
  MN_TRY(check_plan(plan, error));
  mn_emitter e = {.plan = plan, .model = model, .config = config, .arena = arena, .error = error};
  MN_TRY(mn_emitter_begin(&e));
  mn_status status = emit_all(&e);
  mn_buffer_free(&e.text);
  MN_TRY(status);
  *result = (mn_emit_result){.files = e.files, .file_count = e.file_count};
  return MN_OK;
}
