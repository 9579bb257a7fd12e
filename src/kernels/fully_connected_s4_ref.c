/* fully_connected_s4_ref.c - the definition of FULLY_CONNECTED with int4 weights: plain loops, unpacked
 * one by one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fully_connected.h"
#include "kernels/requantize.h"
#include "kernels/weight_s4.h"

/* x [I]; the weights' row of output o. */
static int32_t dot(const mn_fully_connected *p, const int8_t *x, const void *k, int32_t o) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->inputs; i++)
    acc +=
        (x[i] - p->input_zero_point) * (mn_weight_s4(k, o * p->inputs + i) - p->weight_zero_point);
  return acc;
}

void mn_fully_connected_s4_ref(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  const int8_t *x = io->x[0], *shift = io->constant[3];
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++)
    for (int32_t o = 0; o < p->outputs; o++) {
      int32_t acc = dot(p, x + n * p->inputs, io->constant[0], o);
      if (bias != NULL) acc += bias[o];
      int32_t q = o * p->per_channel;
      acc = mn_requantize(acc, multiplier[q], shift[q]) + p->output_zero_point;
      y[n * p->outputs + o] = (int8_t)mn_clamp(acc, p->output_min, p->output_max);
    }
}
