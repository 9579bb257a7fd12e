/* copy_grad.c - units that move items without arithmetic: PAD (of pixels and of channels), RESHAPE
 * where the layout changes, QUANTIZE; and dropout before the last layer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

/* Where element (pixel, channel) of an item of the input lies in the output: PAD shifts pixels,
 * RESHAPE keeps the order of elements. */
static int64_t target_of(const mn_unit *u, int64_t pixel, int32_t channel) {
  const mn_value *x = u->input[0], *y = u->output;
  if (x->pixels * x->channels == y->pixels * y->channels) {
    const int64_t element = pixel * x->channels + channel;
    return element / y->channels * y->stride + element % y->channels;
  }
  const int64_t row = pixel / x->width + u->pad_top, column = pixel % x->width + u->pad_left;
  return (row * y->width + column) * y->stride + channel;
}

static void copy_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *x = u->input[0], *y = u->output;
  const int64_t floats = y->pixels * y->stride;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *from = mn_value_read(t, x, mn_scratch_of(t, thread), item * x->pixels, x->pixels);
    float *to = mn_value_row(y, item * y->pixels);
    memset(to, 0, (size_t)floats * sizeof *to);
    for (int64_t p = 0; p < x->pixels; p++)
      for (int32_t c = 0; c < x->channels; c++) to[target_of(u, p, c)] = from[p * x->stride + c];
  }
}

static void copy_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  (void)thread;
  mn_value *x = u->input[0];
  const mn_value *y = u->output;
  if (x->input) return;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *from = mn_gradient_row(y, item * y->pixels);
    float *to = mn_gradient_row(x, item * x->pixels);
    for (int64_t p = 0; p < x->pixels; p++, to += x->stride)
      for (int32_t c = 0; c < x->channels; c++)
        to[c] = (u->accumulate[0] ? to[c] : 0.0f) + from[target_of(u, p, c)];
    if (u->finish[0]) mn_value_finish(t, x, shard, item * x->pixels, x->pixels);
  }
}

/* ---- Dropout ----------------------------------------------------------------------------------*/
/* Factors of one item: a pure function of (seed, step, item), so backward draws them again. */
static void factors_draw(const mn_trainer *t, float *factor, const mn_value *x, int32_t item) {
  mn_rng rng = mn_rng_stream(t->config.seed ^ UINT64_C(0x64726f706f7574), (uint64_t)t->step,
                             (uint64_t)(t->batch->first + item));
  const float kept = (float)(1.0 / (1.0 - t->config.dropout));
  for (int64_t p = 0; p < x->pixels; p++)
    for (int32_t c = 0; c < x->stride; c++)
      factor[p * x->stride + c] =
          c < x->channels && mn_rng_uniform(&rng) >= t->config.dropout ? kept : 0.0f;
}

static void dropout_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *x = u->input[0], *y = u->output;
  const int64_t floats = x->pixels * x->stride;
  float *factor = mn_scratch_of(t, thread), *seen = factor + floats;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *from = mn_value_read(t, x, seen, item * x->pixels, x->pixels);
    float *to = mn_value_row(y, item * y->pixels);
    if (t->training) factors_draw(t, factor, x, item);
    for (int64_t i = 0; i < floats; i++) to[i] = t->training ? from[i] * factor[i] : from[i];
  }
}

static void dropout_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  mn_value *x = u->input[0];
  const int64_t floats = x->pixels * x->stride;
  float *factor = mn_scratch_of(t, thread);
  if (x->input) return;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *from = mn_gradient_row(u->output, item * x->pixels);
    float *to = mn_gradient_row(x, item * x->pixels);
    factors_draw(t, factor, x, item);
    for (int64_t i = 0; i < floats; i++)
      to[i] = (u->accumulate[0] ? to[i] : 0.0f) + from[i] * factor[i];
    if (u->finish[0]) mn_value_finish(t, x, shard, item * x->pixels, x->pixels);
  }
}

const mn_unit_family mn_copy_family = {"copy", copy_forward, copy_backward};
const mn_unit_family mn_dropout_family = {"dropout", dropout_forward, dropout_backward};
