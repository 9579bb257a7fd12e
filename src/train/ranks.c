/* ranks.c - training on several ranks: each takes its part of every batch, and what is summed over
 * items is summed over ranks: statistics and gradients of batch norm as they are needed, gradients of
 * weights while backward goes on. So all ranks hold the same parameters, and the result is that of one
 * process but for the order of sums.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/engine.h"

bool mn_engine_shared(const mn_trainer *t) {
  return t->config.ranks && t->training && mn_ranks_count() > 1;
}

/* Evaluation is not shared: every rank sees the whole batch. */
void mn_ranks_take_part(mn_trainer *t) {
  const mn_batch *all = t->batch;
  const int64_t ranks = mn_ranks_count(), me = mn_ranks_me();
  t->first_item = 0;
  t->all_items = all->items;
  if (!mn_engine_shared(t)) return;
  const int64_t floats = t->values[0].pixels * t->values[0].stride;
  const int32_t first = (int32_t)(all->items * me / ranks);
  t->part = *all;
  t->part.items = (int32_t)(all->items * (me + 1) / ranks) - first;
  t->part.x += first * floats;
  t->part.target += (ptrdiff_t)first * all->classes;
  if (all->label != NULL) t->part.label += first;
  if (all->item != NULL) t->part.item += first;
  t->first_item = first;
  t->batch = &t->part;
}

/* Shards are added in order, then ranks. */
static void collapse(double *sums, int32_t shards, int32_t count) {
  for (int32_t s = 1; s < shards; s++)
    for (int32_t i = 0; i < count; i++) {
      sums[i] += sums[(ptrdiff_t)s * count + i];
      sums[(ptrdiff_t)s * count + i] = 0;
    }
  mn_ranks_sum(sums, count);
}

void mn_ranks_sum_value(mn_trainer *t, mn_value *v) {
  if (mn_engine_shared(t)) collapse(v->sums, MN_SHARDS, MN_SUM_KINDS * v->stride);
}

void mn_ranks_sum_mix(const mn_trainer *t, mn_unit *u) {
  if (u->family == &mn_mix_family && mn_engine_shared(t))
    collapse(u->mix_gradient[0], MN_SHARDS, 2);
}

void mn_ranks_sum_weights(mn_trainer *t, const mn_unit *u) {
  if (u->weights == NULL || !t->updates || !mn_engine_shared(t)) return;
  const mn_parameter *w = u->weights;
  const mn_update all = {.gradient = w->gradient, .shard_stride = w->count, .shards = w->shards};
  t->lanes->reduce(w->gradient, &all, 0, w->count);
  mn_ranks_sum_begin(w->gradient, w->count);
}
