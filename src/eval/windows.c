/* windows.c - see windows.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/windows.h"

#include <string.h>

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
}

static mn_status check_model(mn_windows *w, mn_error *error) {
  const mn_graph *graph = w->model->graph;
  const mn_frontend *f = &w->model->frontend;
  if (graph->input_count != 1 || graph->output_count < 1)
    return mn_error_set(
        error, MN_ERR_UNSUPPORTED,
        "eval: the model has %d inputs and %d outputs; expected one input and an output",
        (int)graph->input_count, (int)graph->output_count);
  if (f->kind == MN_FRONTEND_NONE)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: the model names no front end; use --raw with stored input tensors");
  const mn_tensor *input = &graph->tensors[graph->inputs[0]];
  if (input->dtype != MN_DTYPE_INT8 || input->quantization.count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: the model's input is %s; expected int8 with one scale",
                        mn_dtype_text(input->dtype));
  w->input_bytes = mn_tensor_bytes(input);
  if ((int64_t)w->input_bytes == (int64_t)f->height * f->width * f->channels) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "eval: the front end makes %dx%dx%d values, the input tensor has %zu",
                      (int)f->height, (int)f->width, (int)f->channels, w->input_bytes);
}

mn_status mn_windows_open(mn_windows *windows, const mn_model *model, mn_pool *pool,
                          mn_error *error) {
  mn_windows *w = windows;
  const mn_plan *plan;
  mn_plan_options options = {.kernels = "host"};
  *w = (mn_windows){.model = model, .pool = pool, .threads = mn_pool_threads(pool)};
  if (mn_arena_create(&w->arena) != MN_OK) return out_of_memory(error);
  MN_TRY(check_model(w, error));
  MN_TRY(mn_plan_make(&plan, w->arena, model->graph, NULL, &options, error));
  w->exec = mn_arena_array(w->arena, (size_t)w->threads, sizeof *w->exec);
  w->input = mn_arena_array(w->arena, MN_WINDOWS_BLOCK, w->input_bytes);
  if (w->exec == NULL || w->input == NULL) return out_of_memory(error);
  for (int32_t t = 0; t < w->threads; t++) MN_TRY(mn_exec_create(&w->exec[t], plan, error));
  return MN_OK;
}

void mn_windows_close(mn_windows *windows) {
  for (int32_t t = 0; t < windows->threads && windows->exec != NULL; t++)
    mn_exec_destroy(windows->exec[t]);
  mn_arena_destroy(windows->arena);
}

static void run_window(void *context, int32_t index, int32_t thread) {
  mn_windows *w = context;
  const int8_t *input = w->input + (size_t)index * w->input_bytes;
  mn_exec *exec = w->exec[thread];
  mn_exec_reset(exec);
  memcpy(mn_exec_input(exec, 0), input, w->input_bytes);
  mn_exec_run(exec, NULL);
  w->visit(w->context, exec, input, index, thread);
}

static mn_status run_batch(mn_windows *w, const mn_dataset *dataset, mn_feed *feed, int32_t b,
                           mn_error *error) {
  const mn_graph *graph = w->model->graph;
  const mn_quantization *q = &graph->tensors[graph->inputs[0]].quantization;
  mn_batch batch;
  if (mn_monitor_stopped(mn_dataset_monitor(dataset)))
    return mn_error_set(error, MN_ERR_INTERRUPTED, "eval: interrupted");
  MN_TRY(mn_feed_batch(feed, &batch, 0, b, error));
  for (int32_t i = 0; i < batch.items; i++)
    MN_TRY(mn_feed_input(feed, w->input + (size_t)i * w->input_bytes, b * MN_WINDOWS_BLOCK + i,
                         q->scale[0], q->zero_point[0], error));
  mn_pool_run(w->pool, run_window, w, batch.items);
  w->block(w->context, batch.item, batch.items);
  return MN_OK;
}

mn_status mn_windows_run(mn_windows *windows, const mn_dataset *dataset, mn_split split,
                         mn_error *error) {
  const mn_feed_config config = {.batch = MN_WINDOWS_BLOCK};
  mn_feed *feed = NULL;
  MN_TRY(mn_feed_open(&feed, dataset, split, 0, 1, &windows->model->frontend, &config, error));
  mn_status status = MN_OK;
  for (int32_t b = 0; b < mn_feed_batches(feed) && status == MN_OK; b++)
    status = run_batch(windows, dataset, feed, b, error);
  mn_feed_close(feed);
  return status;
}
