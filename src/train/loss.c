/* loss.c - heads: softmax with cross-entropy over soft targets, and mean squared error. Both leave
 * dL/dy of the scores in the value's g and finish it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "train/engine.h"

static void softmax(double *p, const float *x, int32_t count, double beta) {
  double peak = (double)x[0], total = 0;
  for (int32_t i = 1; i < count; i++) peak = fmax(peak, (double)x[i]);
  for (int32_t i = 0; i < count; i++) total += p[i] = exp(beta * ((double)x[i] - peak));
  for (int32_t i = 0; i < count; i++) p[i] /= total;
}

static double beta_of(const mn_trainer *t) {
  const mn_op *last = &t->graph->ops[t->graph->op_count - 1];
  return t->softmax && last->beta > 0.0f ? (double)last->beta : 1;
}

/* loss = -sum target * log p; dloss/dx = beta * (p * sum of targets - target). The targets sum to 1, or
 * to the weight of their class. */
static double cross_entropy(const mn_trainer *t, float *g, const float *x, const float *target,
                            double *p) {
  const int32_t count = t->batch->classes;
  const double beta = beta_of(t), share = beta / t->all_items;
  double loss = 0, total = 0;
  for (int32_t i = 0; i < count; i++) total += (double)target[i];
  softmax(p, x, count, beta);
  for (int32_t i = 0; i < count; i++) {
    if (target[i] > 0.0f) loss -= (double)target[i] * log(fmax(p[i], 1e-300));
    g[i] = (float)((p[i] * total - (double)target[i]) * share);
  }
  return isnan(p[0]) ? p[0] : loss;
}

/* Puts the teacher's share into loss and gradient. p: room for two softmaxes. */
static double distil(const mn_trainer *t, float *g, double loss, const float *x,
                     const float *teacher, double *p) {
  const int32_t count = t->batch->classes;
  const double own = 1 - t->config.distill, heat = t->config.temperature, beta = beta_of(t);
  const double share = t->config.distill * heat * beta / t->all_items;
  double *q = p + count, taught = 0;
  softmax(p, x, count, beta / heat);
  softmax(q, teacher, count, 1 / heat);
  for (int32_t i = 0; i < count; i++) {
    taught -= q[i] * log(fmax(p[i], 1e-300));
    g[i] = (float)(own * (double)g[i] + (p[i] - q[i]) * share);
  }
  return own * loss + t->config.distill * heat * heat * taught;
}

static double mean_squared(const mn_trainer *t, float *g, const float *x, const float *target) {
  const int32_t count = t->batch->classes;
  double loss = 0;
  for (int32_t i = 0; i < count; i++) {
    const double d = (double)x[i] - (double)target[i];
    loss += d * d / count;
    g[i] = (float)(2 * d / ((double)count * t->all_items));
  }
  return loss;
}

/* An item's scores without padding, in order. */
static void gather_scores(const mn_value *v, float *to, const float *from) {
  for (int64_t p = 0; p < v->pixels; p++)
    memcpy(to + p * v->channels, from + p * v->stride, (size_t)v->channels * sizeof *to);
}

static void scatter_gradient(const mn_value *v, float *to, const float *from) {
  for (int64_t p = 0; p < v->pixels; p++, to += v->stride) {
    memset(to, 0, (size_t)v->stride * sizeof *to);
    memcpy(to, from + p * v->channels, (size_t)v->channels * sizeof *to);
  }
}

static int32_t is_right(const mn_trainer *t, const float *x, int32_t item) {
  const int32_t label = t->batch->label != NULL ? t->batch->label[item] : -1;
  if (label < 0) return -1;
  for (int32_t i = 0; i < t->batch->classes; i++)
    if (x[i] > x[label]) return 0;
  return 1;
}

static void item_note(mn_trainer *t, const float *x, int32_t item) {
  float low = x[0], high = x[0];
  for (int32_t i = 1; i < t->batch->classes; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
  t->item_low[item] = low;
  t->item_high[item] = high;
  t->item_right[item] = is_right(t, x, item);
}

static void loss_shard(void *context, int32_t shard, int32_t thread) {
  mn_trainer *t = context;
  mn_value *v = t->scores;
  const int32_t classes = t->batch->classes;
  double *p = (double *)(void *)(mn_scratch_of(t, thread)); /* 64-byte aligned */
  float *x = (float *)(p + 3 * classes), *g = x + classes, *seen = g + classes;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *target = t->batch->target + (ptrdiff_t)item * classes;
    gather_scores(v, x, mn_value_read(t, v, seen, item * v->pixels, v->pixels));
    t->item_loss[item] = t->config.loss == MN_LOSS_MEAN_SQUARED ? mean_squared(t, g, x, target)
                                                                : cross_entropy(t, g, x, target, p);
    if (t->teacher != NULL)
      t->item_loss[item] =
          distil(t, g, t->item_loss[item], x, t->teacher + (ptrdiff_t)item * classes, p + classes);
    item_note(t, x, item);
    scatter_gradient(v, mn_gradient_row(v, item * v->pixels), g);
  }
  mn_value_finish(t, v, shard, mn_shard_first(t, shard) * v->pixels,
                  (mn_shard_first(t, shard + 1) - mn_shard_first(t, shard)) * v->pixels);
}

double mn_loss_run(mn_trainer *t) {
  double total = 0;
  mn_pool_run(t->config.pool, loss_shard, t, MN_SHARDS);
  for (int32_t i = 0; i < t->batch->items; i++) total += t->item_loss[i];
  if (mn_engine_shared(t)) mn_ranks_sum(&total, 1);
  return total / t->all_items;
}

void mn_loss_scores(mn_trainer *t, float *scores) {
  const mn_value *v = t->scores;
  const int32_t classes = t->batch->classes;
  double *p = (double *)(void *)t->scratch; /* no pool at work now */
  float *seen = t->scratch + 2 * classes + 2;
  for (int32_t item = 0; item < t->batch->items; item++, scores += classes) {
    gather_scores(v, scores, mn_value_read(t, v, seen, item * v->pixels, v->pixels));
    if (!t->softmax) continue;
    softmax(p, scores, classes, beta_of(t));
    for (int32_t i = 0; i < classes; i++) scores[i] = (float)p[i];
  }
}
