/* judge.c - see judge.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/judge.h"

#include <math.h>
#include <string.h>

static const mn_score_kind score_of_source[MN_DETECTOR_COUNT] = {MN_SCORE_EMBEDDING,
                                                                 MN_SCORE_BANDS};

const char *mn_score_text(mn_score_kind kind) {
  static const char *const texts[MN_SCORE_COUNT] = {"probability", "reconstruction", "embedding",
                                                    "bands"};
  return texts[kind];
}

/* ---- What the model gives ----------------------------------------------------------------------*/
static mn_status find_scores(mn_judge *s, mn_arena *arena, mn_error *error) {
  const mn_model *model = s->model;
  const mn_graph *graph = model->graph;
  int32_t labels = model->label_count;
  s->outputs = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  s->machines = labels > 0 ? labels : 1;
  bool *has = s->has;
  has[MN_SCORE_PROBABILITY] = labels > 1 && s->outputs == labels;
  has[MN_SCORE_RECONSTRUCTION] =
      !has[MN_SCORE_PROBABILITY] && s->outputs == (int64_t)s->input_bytes;
  for (int source = 0; source < MN_DETECTOR_COUNT; source++) {
    const mn_detector **d = &s->detector[source];
    MN_TRY(mn_detector_read(d, arena, model, (mn_detector_source)source, error));
    if (*d == NULL) continue;
    if ((*d)->states != labels || mn_detector_bytes(*d, model, (mn_detector_source)source) < 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "eval: the detector on %s has %d states of %d values; the model has %d "
                          "labels and other tensors",
                          mn_score_text(score_of_source[source]), (int)(*d)->states,
                          (int)(*d)->dims, (int)labels);
    if ((*d)->dims > s->most_dims) s->most_dims = (*d)->dims;
    has[score_of_source[source]] = true;
  }
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
    if (has[kind]) return MN_OK;
  return mn_error_set(error, MN_ERR_UNSUPPORTED,
                      "eval: the model has %lld outputs and %d labels; expected a classifier of "
                      "machines, an auto-encoder or a detector",
                      (long long)s->outputs, (int)labels);
}

/* ---- One window --------------------------------------------------------------------------------*/
/* -ln softmax, or -ln of what a SOFTMAX gave, whose smallest step is 1/256. */
static void probability_costs(double *cost, const mn_judge *s, const double *value) {
  const mn_graph *graph = s->model->graph;
  double peak = value[0], sum = 0;
  for (int64_t k = 1; k < s->outputs; k++) peak = fmax(peak, value[k]);
  for (int64_t k = 0; k < s->outputs; k++) sum += exp(value[k] - peak);
  for (int64_t k = 0; k < s->outputs; k++)
    cost[k] = mn_graph_is_probability(graph) ? -log(fmax(value[k], 1.0 / 512))
                                             : log(sum) - (value[k] - peak);
}

static void reconstruction_costs(double *cost, const mn_judge *s, const double *value,
                                 const int8_t *input) {
  const mn_graph *graph = s->model->graph;
  const mn_quantization *q = &graph->tensors[graph->inputs[0]].quantization;
  double sum = 0;
  for (int64_t i = 0; i < s->outputs; i++) {
    double x = (double)q->scale[0] * (input[i] - q->zero_point[0]);
    sum += (value[i] - x) * (value[i] - x);
  }
  for (int32_t k = 0; k < s->machines; k++) cost[k] = sum / (double)s->outputs;
}

static void detector_costs(double *cost, const mn_judge *s, const mn_detector *d,
                           const int8_t *tensor, int16_t *x) {
  mn_detector_take(d, x, tensor);
  for (int32_t k = 0; k < s->machines; k++)
    cost[k] = mn_detector_score(d, x + s->most_dims, x, k, NULL) / 256.0;
}

mn_status mn_judge_open(const mn_judge **judge, mn_arena *arena, const mn_model *model,
                        mn_error *error) {
  mn_judge *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
  *made =
      (mn_judge){.model = model,
                 .input_bytes = mn_tensor_bytes(&model->graph->tensors[model->graph->inputs[0]])};
  MN_TRY(find_scores(made, arena, error));
  *judge = made;
  return MN_OK;
}

int32_t mn_judge_machines(const mn_judge *judge) {
  return judge->machines;
}

size_t mn_judge_doubles(const mn_judge *judge) {
  size_t vectors = 2 * (size_t)judge->most_dims * sizeof(int16_t);
  return (size_t)judge->outputs + (vectors + sizeof(double) - 1) / sizeof(double);
}

bool mn_judge_costs(const mn_judge *judge, double *cost, mn_score_kind kind, double *work,
                    const int8_t *input, const void *output, const int8_t *embedding) {
  const mn_judge *s = judge;
  int16_t *x = (void *)(work + s->outputs);
  if (!s->has[kind]) return false;
  if (kind == MN_SCORE_PROBABILITY || kind == MN_SCORE_RECONSTRUCTION)
    mn_eval_scores(work, s->model->graph, output);
  switch (kind) {
    case MN_SCORE_PROBABILITY: probability_costs(cost, s, work); break;
    case MN_SCORE_RECONSTRUCTION: reconstruction_costs(cost, s, work, input); break;
    case MN_SCORE_EMBEDDING:
      detector_costs(cost, s, s->detector[MN_DETECTOR_EMBEDDING], embedding, x);
      break;
    default: detector_costs(cost, s, s->detector[MN_DETECTOR_BANDS], input, x); break;
  }
  return true;
}

mn_score_kind mn_judge_chosen(const mn_judge *judge) {
  int first = MN_SCORE_COUNT;
  const char *wanted = judge->model->score_kind;
  for (int kind = MN_SCORE_COUNT - 1; kind >= 0; kind--) {
    if (!judge->has[kind]) continue;
    first = kind;
    if (wanted != NULL && strcmp(wanted, mn_score_text((mn_score_kind)kind)) == 0)
      return (mn_score_kind)kind;
  }
  return (mn_score_kind)first;
}
