/* infer.c - see infer.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/infer.h"

#include <string.h>

static mn_status prepare_audio(mn_infer *infer, mn_error *error) {
  mn_arena *arena = infer->context->arena;
  const mn_frontend *frontend = &infer->model->frontend;
  if (!mn_frontend_listens(frontend)) return MN_OK;
  int64_t features = mn_shape_elements(&infer->input->shape);
  void *tables = mn_arena_alloc(arena, mn_frontend_tables_bytes(frontend));
  if (tables == NULL) return mn_out_of_memory(infer->context, error);
  mn_audio_build(&infer->audio, tables, frontend);
  infer->state = mn_arena_alloc(arena, mn_audio_state_bytes(&infer->audio));
  infer->scratch = mn_arena_alloc(arena, mn_audio_scratch_bytes(&infer->audio));
  infer->pcm = mn_arena_array(arena, (size_t)(infer->audio.length * infer->audio.channels),
                              sizeof *infer->pcm);
  infer->feature = mn_arena_array(arena, (size_t)features, sizeof *infer->feature);
  bool ok = infer->state != NULL && infer->scratch != NULL && infer->pcm != NULL &&
            infer->feature != NULL;
  return ok ? MN_OK : mn_out_of_memory(infer->context, error);
}

mn_status mn_infer_open(mn_infer *infer, const mn_run_context *context, const mn_model *model,
                        bool keep_all, mn_error *error) {
  const mn_graph *graph = model->graph;
  const mn_plan *plan;
  mn_plan_options options = {.kernels = "host", .keep_all = keep_all};
  if (graph->input_count < 1 || graph->output_count < 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "found a model without input or output; expected both");
  *infer = (mn_infer){.model = model,
                      .context = context,
                      .input = &graph->tensors[graph->inputs[0]],
                      .output = &graph->tensors[graph->outputs[0]]};
  infer->outputs = mn_shape_elements(&infer->output->shape);
  MN_TRY(mn_plan_make(&plan, context->arena, graph, NULL, &options, error));
  MN_TRY(prepare_audio(infer, error));
  return mn_exec_create(&infer->exec, plan, error);
}

void mn_infer_close(mn_infer *infer) {
  mn_exec_destroy(infer->exec);
}

mn_status mn_infer_raw(mn_infer *infer, const char *path, mn_error *error) {
  mn_arena *arena = infer->context->arena;
  mn_arena_mark mark = mn_arena_mark_get(arena);
  mn_bytes file = {0};
  size_t size = mn_tensor_bytes(infer->input);
  mn_status status = mn_file_read(&file, arena, path, 0, error);
  if (status == MN_OK && file.size != size)
    status = mn_error_set(error, MN_ERR_FORMAT,
                          "%s: found %zu bytes; expected %zu, the model's input tensor (%s)", path,
                          file.size, size, mn_dtype_text(infer->input->dtype));
  if (status == MN_OK) memcpy(mn_exec_input(infer->exec, 0), file.data, size);
  mn_arena_release(arena, mark);
  return status;
}

static mn_status needs_int8(const mn_infer *infer, const char *path, mn_error *error) {
  if (infer->input->dtype == MN_DTYPE_INT8 && infer->input->quantization.count == 1) return MN_OK;
  return mn_error_set(error, MN_ERR_UNSUPPORTED,
                      "%s: the model's input is %s; expected int8; use --raw", path,
                      mn_dtype_text(infer->input->dtype));
}

static mn_status infer_image(mn_infer *infer, const char *path, mn_error *error) {
  const mn_frontend *frontend = &infer->model->frontend;
  const mn_quantization *q = &infer->input->quantization;
  int8_t *input = mn_exec_input(infer->exec, 0);
  MN_TRY(needs_int8(infer, path, error));
  MN_TRY(mn_image_read((uint8_t *)input, path, frontend->size, frontend->channels, error));
  const mn_feature_scale scale = mn_image_scale(q->scale[0], q->zero_point[0]);
  int64_t count = mn_shape_elements(&infer->input->shape);
  for (int64_t i = 0; i < count; i++) input[i] = mn_image_quantize_s8((uint8_t)input[i], &scale);
  return MN_OK;
}

static mn_status can_listen(const mn_infer *infer, const char *path, mn_error *error) {
  if (infer->pcm != NULL) return needs_int8(infer, path, error);
  return mn_error_set(error, MN_ERR_UNSUPPORTED,
                      "%s: the model names no front end; use --raw with input tensors", path);
}

/* What pcm holds, through the front end. */
static void hear(mn_infer *infer) {
  const mn_quantization *q = &infer->input->quantization;
  mn_feature_scale scale = mn_audio_scale(&infer->audio, q->scale[0], q->zero_point[0]);
  mn_audio_clip(&infer->audio, infer->feature, infer->state, infer->scratch, infer->pcm);
  mn_feature_quantize_s8(mn_exec_input(infer->exec, 0), infer->feature,
                         (size_t)mn_shape_elements(&infer->input->shape), &scale);
}

mn_status mn_infer_listen(mn_listening **listening, const mn_infer *infer, const char *path,
                          mn_error *error) {
  const mn_window_size size = mn_window_size_of(&infer->model->frontend);
  MN_TRY(can_listen(infer, path, error));
  return mn_listening_open(listening, path, &size, error);
}

mn_status mn_infer_window(mn_infer *infer, const mn_listening *listening, int32_t index,
                          mn_error *error) {
  MN_TRY(mn_listening_window(listening, infer->pcm, index, error));
  hear(infer);
  return MN_OK;
}

/* One window of a recording of machines or of several channels, its first; else the middle of a clip. */
static mn_status infer_sound(mn_infer *infer, const char *path, mn_error *error) {
  const int32_t rate = infer->model->frontend.rate_hz;
  mn_listening *listening = NULL;
  if (infer->model->score_kind == NULL && infer->audio.channels == 1) {
    MN_TRY(can_listen(infer, path, error));
    MN_TRY(mn_audio_read(infer->pcm, path, rate, infer->audio.length, error));
    hear(infer);
    return MN_OK;
  }
  MN_TRY(mn_infer_listen(&listening, infer, path, error));
  mn_status status = mn_infer_window(infer, listening, 0, error);
  mn_listening_close(listening);
  return status;
}

mn_status mn_infer_file(mn_infer *infer, const char *path, mn_error *error) {
  const bool sees = infer->model->frontend.kind == MN_FRONTEND_IMAGE;
  return (sees ? infer_image : infer_sound)(infer, path, error);
}
