/* anomaly.c - runs the int8 model over every window of a data set and sums up how little each
 * recording is like each machine. Features are the bytes the board would make.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/anomaly.h"

#include <math.h>
#include <string.h>

#include "micronets/exec.h"

enum { BLOCK = 64 };

typedef struct scoring {
  const mn_model *model;
  mn_pool *pool;
  mn_arena *arena; /* scratch */
  const mn_plan *plan;
  mn_exec **exec; /* [threads] */
  double *value;  /* [threads][outputs] */
  int8_t *input;  /* [BLOCK][input bytes] */
  size_t input_bytes;
  int64_t outputs;
  int32_t threads, machines, held;
  bool reconstructs;
  double *window; /* [BLOCK][machines] costs of the windows in work */
} scoring;

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
}

const char *mn_score_text(mn_score_kind kind) {
  static const char *const texts[MN_SCORE_COUNT] = {"probability", "reconstruction"};
  return texts[kind];
}

static mn_status check_model(scoring *s, mn_error *error) {
  const mn_graph *graph = s->model->graph;
  const mn_frontend *f = &s->model->frontend;
  const mn_tensor *input = &graph->tensors[graph->inputs[0]];
  if (f->kind == MN_FRONTEND_NONE || graph->input_count != 1 || graph->output_count < 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: expected a model with a front end, one input and an output");
  if (input->dtype != MN_DTYPE_INT8 || input->quantization.count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: the model's input is %s; expected int8 with one scale",
                        mn_dtype_text(input->dtype));
  s->input_bytes = mn_tensor_bytes(input);
  if ((int64_t)s->input_bytes != (int64_t)f->height * f->width * f->channels)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "eval: the front end makes %dx%dx%d values, the input tensor has %zu",
                        (int)f->height, (int)f->width, (int)f->channels, s->input_bytes);
  s->outputs = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  int32_t labels = s->model->label_count;
  s->reconstructs = s->outputs == (int64_t)s->input_bytes && s->outputs != labels;
  s->machines = s->reconstructs || labels == 0 ? 1 : labels;
  if (s->reconstructs || (labels > 0 && s->outputs == labels)) return MN_OK;
  return mn_error_set(error, MN_ERR_UNSUPPORTED,
                      "eval: the model has %lld outputs and %d labels; expected one for each, or "
                      "an auto-encoder",
                      (long long)s->outputs, (int)labels);
}

static mn_status prepare(scoring *s, mn_error *error) {
  mn_plan_options options = {.kernels = "host"};
  MN_TRY(check_model(s, error));
  MN_TRY(mn_plan_make(&s->plan, s->arena, s->model->graph, NULL, &options, error));
  s->threads = mn_pool_threads(s->pool);
  s->exec = mn_arena_array(s->arena, (size_t)s->threads, sizeof *s->exec);
  s->value = mn_arena_array(s->arena, (size_t)(s->threads * s->outputs), sizeof *s->value);
  s->input = mn_arena_array(s->arena, BLOCK, s->input_bytes);
  s->window = mn_arena_array(s->arena, (size_t)(BLOCK * s->machines), sizeof *s->window);
  if (s->exec == NULL || s->value == NULL || s->input == NULL || s->window == NULL)
    return out_of_memory(error);
  for (int32_t t = 0; t < s->threads; t++) MN_TRY(mn_exec_create(&s->exec[t], s->plan, error));
  return MN_OK;
}

/* -ln softmax, or -ln of what a SOFTMAX gave, whose smallest step is 1/256. */
static void probability_costs(double *cost, const scoring *s, const double *value) {
  const mn_graph *graph = s->model->graph;
  double peak = value[0], sum = 0;
  for (int64_t k = 1; k < s->outputs; k++) peak = fmax(peak, value[k]);
  for (int64_t k = 0; k < s->outputs; k++) sum += exp(value[k] - peak);
  for (int64_t k = 0; k < s->outputs; k++)
    cost[k] = mn_eval_is_probability(graph) ? -log(fmax(value[k], 1.0 / 512))
                                            : log(sum) - (value[k] - peak);
}

static double reconstruction_cost(const scoring *s, const double *value, const int8_t *input) {
  const mn_graph *graph = s->model->graph;
  const mn_quantization *q = &graph->tensors[graph->inputs[0]].quantization;
  double sum = 0;
  for (int64_t i = 0; i < s->outputs; i++) {
    double x = (double)q->scale[0] * (input[i] - q->zero_point[0]);
    sum += (value[i] - x) * (value[i] - x);
  }
  return sum / (double)s->outputs;
}

static void score_window(void *context, int32_t index, int32_t thread) {
  scoring *s = context;
  double *value = s->value + thread * s->outputs, *cost = s->window + index * s->machines;
  const int8_t *input = s->input + (size_t)index * s->input_bytes;
  mn_exec *exec = s->exec[thread];
  mn_exec_reset(exec);
  memcpy(mn_exec_input(exec, 0), input, s->input_bytes);
  mn_exec_run(exec, NULL);
  mn_eval_scores(value, s->model->graph, mn_exec_output(exec, 0));
  if (s->reconstructs)
    *cost = reconstruction_cost(s, value, input);
  else
    probability_costs(cost, s, value);
}

static mn_status score_batch(scoring *s, mn_anomaly_scores *out, int32_t *count, mn_feed *feed,
                             int32_t b, mn_error *error) {
  const mn_quantization *q = &s->model->graph->tensors[s->model->graph->inputs[0]].quantization;
  mn_batch batch;
  MN_TRY(mn_feed_batch(feed, &batch, 0, b, error));
  for (int32_t i = 0; i < batch.items; i++)
    MN_TRY(mn_feed_input(feed, s->input + (size_t)i * s->input_bytes, b * BLOCK + i, q->scale[0],
                         q->zero_point[0], error));
  mn_pool_run(s->pool, score_window, s, batch.items);
  double *cost = out->cost[s->reconstructs ? MN_SCORE_RECONSTRUCTION : MN_SCORE_PROBABILITY];
  for (int32_t i = 0; i < batch.items; i++) {
    if (out->items == 0 || out->item[out->items - 1] != batch.item[i])
      out->item[out->items++] = batch.item[i];
    count[out->items - 1]++;
    for (int32_t k = 0; k < s->machines; k++)
      cost[(out->items - 1) * s->machines + k] += s->window[i * s->machines + k];
  }
  out->windows += batch.items;
  return MN_OK;
}

static mn_status score_splits(scoring *s, mn_anomaly_scores *out, int32_t *count, unsigned splits,
                              mn_error *error) {
  const mn_feed_config config = {.batch = BLOCK};
  for (int split = 0; split < MN_SPLIT_COUNT; split++) {
    mn_feed *feed = NULL;
    if ((splits & 1u << split) == 0) continue;
    MN_TRY(mn_feed_open(&feed, out->dataset, (mn_split)split, 0, 1, &s->model->frontend, &config,
                        error));
    mn_status status = MN_OK;
    for (int32_t b = 0; b < mn_feed_batches(feed) && status == MN_OK; b++)
      status = score_batch(s, out, count, feed, b, error);
    mn_feed_close(feed);
    MN_TRY(status);
  }
  return MN_OK;
}

static int32_t find_label(const mn_model *model, const char *name) {
  for (int32_t i = 0; i < model->label_count; i++)
    if (strcmp(model->labels[i], name) == 0) return i;
  return -1;
}

static void finish_items(mn_anomaly_scores *out, const mn_model *model, const int32_t *count) {
  for (int32_t i = 0; i < out->items; i++) {
    out->own[i] = find_label(model, mn_dataset_item(out->dataset, out->item[i])->identity);
    for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
      for (int32_t k = 0; out->has[kind] && k < out->machines; k++)
        out->cost[kind][i * out->machines + k] /= count[i];
  }
}

static mn_status make_scores(scoring *s, mn_anomaly_scores *out, unsigned splits, mn_error *error) {
  size_t items = (size_t)mn_dataset_items(out->dataset);
  MN_TRY(prepare(s, error));
  out->machines = s->machines;
  out->item = mn_arena_array(out->arena, items, sizeof *out->item);
  out->own = mn_arena_array(out->arena, items, sizeof *out->own);
  int32_t *count = mn_arena_array(s->arena, items, sizeof *count);
  if (out->item == NULL || out->own == NULL || count == NULL) return out_of_memory(error);
  out->has[s->reconstructs ? MN_SCORE_RECONSTRUCTION : MN_SCORE_PROBABILITY] = true;
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++) {
    if (!out->has[kind]) continue;
    out->cost[kind] =
        mn_arena_array(out->arena, items * (size_t)s->machines, sizeof *out->cost[kind]);
    if (out->cost[kind] == NULL) return out_of_memory(error);
  }
  MN_TRY(score_splits(s, out, count, splits, error));
  finish_items(out, s->model, count);
  return MN_OK;
}

mn_status mn_anomaly_scores_make(mn_anomaly_scores *scores, mn_arena *arena, const mn_model *model,
                                 const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                                 mn_error *error) {
  scoring s = {.model = model, .pool = pool};
  *scores = (mn_anomaly_scores){.dataset = dataset, .arena = arena};
  if (mn_dataset_task(dataset) != MN_TASK_AD)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "eval: the data is no set of normal and anomalous recordings");
  if (mn_arena_create(&s.arena) != MN_OK) return out_of_memory(error);
  mn_status status = make_scores(&s, scores, splits, error);
  for (int32_t t = 0; t < s.threads && s.exec != NULL; t++) mn_exec_destroy(s.exec[t]);
  mn_arena_destroy(s.arena);
  return status;
}

double mn_anomaly_score_of(const mn_anomaly_scores *scores, mn_score_kind kind, int32_t i) {
  const double *cost = scores->cost[kind] + (ptrdiff_t)i * scores->machines;
  if (scores->machines == 1) return cost[0];
  if (scores->own[i] >= 0) return cost[scores->own[i]];
  double best = cost[0];
  for (int32_t k = 1; k < scores->machines; k++) best = fmin(best, cost[k]);
  return best;
}

mn_score_kind mn_anomaly_chosen(const mn_anomaly_scores *scores, const mn_model *model) {
  for (int kind = 0; kind < MN_SCORE_COUNT && model->score_kind != NULL; kind++)
    if (scores->has[kind] && strcmp(model->score_kind, mn_score_text((mn_score_kind)kind)) == 0)
      return (mn_score_kind)kind;
  return scores->has[MN_SCORE_RECONSTRUCTION] ? MN_SCORE_RECONSTRUCTION : MN_SCORE_PROBABILITY;
}
