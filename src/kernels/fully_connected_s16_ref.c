/* fully_connected_s16_ref.c - the definition of FULLY_CONNECTED int16x8: plain loops, a 64-bit sum,
 * rounded once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fully_connected.h"
#include "kernels/requantize.h"

/* x [I]; k [I] the weights' row of one output. */
static int64_t dot(const mn_fully_connected *p, const int16_t *x, const int8_t *k) {
  int64_t acc = 0;
  for (int32_t i = 0; i < p->inputs; i++) acc += x[i] * (k[i] - p->weight_zero_point);
  return acc;
}

void mn_fully_connected_s16_ref(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  const int16_t *x = io->x[0];
  const int8_t *k = io->constant[0], *shift = io->constant[3];
  const int64_t *bias = io->constant[1];
  const int32_t *multiplier = io->constant[2];
  int16_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++)
    for (int32_t o = 0; o < p->outputs; o++) {
      int64_t acc = dot(p, x + n * p->inputs, k + o * p->inputs);
      if (bias != NULL) acc += bias[o];
      int32_t q = o * p->per_channel;
      int32_t value = mn_requantize_s64(acc, multiplier[q], shift[q]);
      y[n * p->outputs + o] = (int16_t)mn_clamp(value, p->output_min, p->output_max);
    }
}
