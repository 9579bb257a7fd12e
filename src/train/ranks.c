/* ranks.c - training on several ranks: each takes its part of every batch, and what is summed over
 * items is summed over ranks: statistics and gradients of batch norm as they are needed, gradients of
 * weights while backward goes on. So all ranks hold the same parameters, and the result is that of one
 * process but for the order of sums.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/engine.h"

bool mn_engine_shared(const mn_trainer *t) {
  return t->config.ranks && t->training && mn_ranks_count() > 1;
}

mn_status mn_trainer_batch(const mn_trainer *t, mn_feed *feed, mn_batch *batch, int32_t epoch,
                           int32_t index, mn_error *error) {
  const bool ranks = t->config.ranks;
  return mn_feed_share(feed, batch, epoch, index, ranks ? mn_ranks_me() : 0,
                       ranks ? mn_ranks_count() : 1, error);
}

/* Shards are added in order, then ranks; of each shard's sums only the first. */
static void collapse(double *sums, int32_t shards, int32_t stride, int32_t count) {
  for (int32_t s = 1; s < shards; s++)
    for (int32_t i = 0; i < count; i++) {
      sums[i] += sums[(ptrdiff_t)s * stride + i];
      sums[(ptrdiff_t)s * stride + i] = 0;
    }
  mn_ranks_sum(sums, count);
}

void mn_ranks_sum_value(mn_trainer *t, mn_value *v, int32_t kinds) {
  if (mn_engine_shared(t))
    collapse(v->sums, MN_SHARDS, MN_SUM_KINDS * v->stride, kinds * v->stride);
}

void mn_ranks_sum_mix(const mn_trainer *t, mn_unit *u) {
  if (u->family == &mn_mix_family && mn_engine_shared(t))
    collapse(u->mix_gradient[0], MN_SHARDS, 2, 2);
}

void mn_ranks_sum_weights(mn_trainer *t, const mn_unit *u) {
  if (u->weights == NULL || !t->updates || !mn_engine_shared(t)) return;
  const mn_parameter *w = u->weights;
  const mn_update all = {.gradient = w->gradient, .shard_stride = w->count, .shards = w->shards};
  t->lanes->reduce(w->gradient, &all, 0, w->count);
  mn_ranks_sum_begin(w->gradient, w->count);
}
