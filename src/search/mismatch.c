/* mismatch.c - what a network is worth for anomaly detection before an anomaly was ever seen: how well
 * it tells a recording of its own machine from the same recording said to be of another one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "search/run.h"

/* -ln of the probability of every machine, from logits or probabilities. */
static void costs_of(double *cost, const float *score, int32_t count, bool probabilities) {
  double peak = (double)score[0], sum = 0;
  for (int32_t k = 1; k < count; k++) peak = fmax(peak, (double)score[k]);
  for (int32_t k = 0; k < count; k++) sum += exp((double)score[k] - peak);
  for (int32_t k = 0; k < count; k++)
    cost[k] =
        probabilities ? -log(fmax((double)score[k], 1e-12)) : log(sum) - ((double)score[k] - peak);
}

typedef struct pairs {
  double *own, *other;
  int32_t owns, others;
} pairs;

static void take_item(pairs *p, const double *cost, int32_t label, int32_t count) {
  if (label < 0) return;
  for (int32_t k = 0; k < count; k++) {
    if (k == label)
      p->own[p->owns++] = cost[k];
    else
      p->other[p->others++] = cost[k];
  }
}

/* The chance that a false claim costs more than a true one; equal costs count half. */
static double area_of(const pairs *p) {
  double area = 0;
  for (int32_t i = 0; i < p->owns; i++)
    for (int32_t k = 0; k < p->others; k++)
      area += p->other[k] > p->own[i] ? 1 : p->other[k] < p->own[i] ? 0 : 0.5;
  double all = (double)p->owns * p->others;
  return all > 0 ? area / all : 0;
}

static bool ends_in_softmax(const mn_graph *graph) {
  return graph->ops[graph->op_count - 1].kind == MN_OP_SOFTMAX;
}

static mn_status take_feed(pairs *p, mn_trainer *trainer, mn_feed *feed, const mn_graph *graph,
                           float *score, double *cost, mn_error *error) {
  for (int32_t b = 0; b < mn_feed_batches(feed); b++) {
    mn_batch batch;
    MN_TRY(mn_feed_batch(feed, &batch, 0, b, error));
    MN_TRY(mn_trainer_scores(trainer, score, &batch, NULL, error));
    for (int32_t i = 0; i < batch.items; i++) {
      costs_of(cost, score + (ptrdiff_t)i * batch.classes, batch.classes, ends_in_softmax(graph));
      take_item(p, cost, batch.label[i], batch.classes);
    }
  }
  return MN_OK;
}

mn_status mn_search_mismatch(double *area, mn_arena *scratch, mn_trainer *trainer, mn_feed *feed,
                             const mn_graph *graph, int32_t batch, mn_error *error) {
  size_t classes = (size_t)mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  size_t items = (size_t)mn_feed_items(feed);
  float *score = mn_arena_array(scratch, (size_t)batch * classes, sizeof *score);
  double *cost = mn_arena_array(scratch, classes, sizeof *cost);
  pairs p = {.own = mn_arena_array(scratch, items, sizeof(double)),
             .other = mn_arena_array(scratch, items * classes, sizeof(double))};
  if (score == NULL || cost == NULL || p.own == NULL || p.other == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  MN_TRY(take_feed(&p, trainer, feed, graph, score, cost, error));
  *area = area_of(&p);
  return MN_OK;
}
