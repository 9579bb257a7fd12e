/* add_grad.c - ADD, and MIX of a supernet: y = k0 * on + k1 * off, with gradients for k0 and k1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

/* Rows as the sum sees them: a narrower input of a MIX is padded with zeros. */
static const float *read_wide(mn_trainer *t, const mn_value *x, const mn_value *y, float *spare,
                              int64_t first, int64_t rows) {
  const float *seen = mn_value_read(t, x, spare, first, rows);
  if (x->stride == y->stride) return seen;
  float *wide = spare + (ptrdiff_t)MN_SUM_BLOCK * y->stride;
  memset(wide, 0, (size_t)(rows * y->stride) * sizeof *wide);
  for (int64_t r = 0; r < rows; r++)
    memcpy(wide + r * y->stride, seen + r * x->stride, (size_t)x->stride * sizeof *wide);
  return wide;
}

static void sum_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread, float k0,
                        float k1) {
  const mn_value *y = u->output;
  const int64_t end = mn_shard_first(t, shard + 1) * y->pixels;
  float *a = mn_scratch_of(t, thread), *b = a + (ptrdiff_t)2 * MN_SUM_BLOCK * y->stride;
  for (int64_t r = mn_shard_first(t, shard) * y->pixels; r < end; r += MN_SUM_BLOCK) {
    const int64_t rows = end - r < MN_SUM_BLOCK ? end - r : MN_SUM_BLOCK;
    t->lanes->combine(mn_value_row(y, r), mn_value_form(y),
                      read_wide(t, u->input[0], y, a, r, rows), k0,
                      read_wide(t, u->input[1], y, b, r, rows), k1, rows * y->stride);
  }
}

/* Input k of the sum: its gradient is a multiple of the output's, which is `from`. */
static void give(mn_trainer *t, mn_unit *u, int32_t k, float factor, int32_t shard,
                 const float *from, int64_t first, int64_t rows) {
  mn_value *x = u->input[k];
  const mn_value *y = u->output;
  const bool narrow = x->stride != y->stride; /* then a row at a time */
  const int64_t pieces = narrow ? rows : 1, count = narrow ? x->stride : rows * x->stride;
  const bool there = x->g == y->g && factor == 1.0f; /* in place, see memory.c */
  for (int64_t r = 0; !there && r < pieces; r++)
    t->lanes->scale(mn_gradient_row(x, first + r), mn_gradient_form(x), from + r * y->stride,
                    factor, u->accumulate[k], count);
  if (u->finish[k]) mn_value_finish(t, x, shard, first, rows);
}

static void sum_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread,
                         const float factor[2], bool mixes) {
  const mn_value *y = u->output;
  const int64_t end = mn_shard_first(t, shard + 1) * y->pixels;
  float *spare = mn_scratch_of(t, thread);
  float *wide = spare + (ptrdiff_t)2 * MN_SUM_BLOCK * y->stride;
  double along[2] = {0};
  for (int64_t r = mn_shard_first(t, shard) * y->pixels; r < end; r += MN_SUM_BLOCK) {
    const int64_t rows = end - r < MN_SUM_BLOCK ? end - r : MN_SUM_BLOCK;
    const float *g = mn_gradient_read(t, y, wide, r, rows);
    for (int32_t k = 1; k >= 0; k--) {
      if (mixes)
        along[k] +=
            t->lanes->dot(g, read_wide(t, u->input[k], y, spare, r, rows), rows * y->stride);
      give(t, u, k, factor[k], shard, g, r, rows);
    }
  }
  memcpy(u->mix_gradient[shard], along, sizeof along);
}

static void add_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  sum_forward(t, u, shard, thread, 1.0f, 1.0f);
}
static void add_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const float ones[2] = {1.0f, 1.0f};
  sum_backward(t, u, shard, thread, ones, false);
}

static void mix_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  sum_forward(t, u, shard, thread, u->mix[0], u->mix[1]);
}
static void mix_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  sum_backward(t, u, shard, thread, u->mix, true);
}

const mn_unit_family mn_add_family = {"add", add_forward, add_backward};
const mn_unit_family mn_mix_family = {"mix", mix_forward, mix_backward};
