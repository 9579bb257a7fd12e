/* update.c - gradient shards summed in fixed order and the optimizer's step, in one pass.
 *
 * AdamW: Loshchilov and Hutter 2019, decay apart from the gradient. SGD: Nesterov's momentum.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

MN_INLINE vf gradient_at(const mn_update *u, int64_t i) {
  vf g = load(u->gradient + i);
  for (int32_t s = 1; s < u->shards; s++) g += load(u->gradient + s * u->shard_stride + i);
  return g;
}

void MN_LANE(adamw)(const mn_update *u, int64_t first, int64_t count) {
  const vf beta1 = spread(u->beta1), rest1 = spread(1.0f - u->beta1);
  const vf beta2 = spread(u->beta2), rest2 = spread(1.0f - u->beta2);
  const vf correct1 = spread(u->correct1 * u->rate), correct2 = spread(u->correct2);
  const vf keep = spread(1.0f - u->decay), epsilon = spread(u->epsilon);
  for (int64_t i = first; i < first + count; i += MN_LANES) {
    const vf g = gradient_at(u, i);
    const vf m = beta1 * load(u->first + i) + rest1 * g;
    const vf v = beta2 * load(u->second + i) + rest2 * (g * g);
    store(u->first + i, m);
    store(u->second + i, v);
    store(u->value + i, load(u->value + i) * keep - correct1 * m / (root(v * correct2) + epsilon));
  }
}

void MN_LANE(sgd)(const mn_update *u, int64_t first, int64_t count) {
  const vf momentum = spread(u->beta1), rate = spread(u->rate), keep = spread(1.0f - u->decay);
  for (int64_t i = first; i < first + count; i += MN_LANES) {
    const vf g = gradient_at(u, i);
    const vf m = momentum * load(u->first + i) + g;
    store(u->first + i, m);
    store(u->value + i, load(u->value + i) * keep - rate * (g + momentum * m));
  }
}

void MN_LANE(reduce)(float *y, const mn_update *u, int64_t first, int64_t count) {
  for (int64_t i = first; i < first + count; i += MN_LANES) store(y + i, gradient_at(u, i));
}
