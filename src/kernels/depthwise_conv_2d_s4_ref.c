/* depthwise_conv_2d_s4_ref.c - the definition of DEPTHWISE_CONV_2D with int4 weights: plain loops, unpacked one by one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"
#include "kernels/weight_s4.h"

#define X_TYPE int8_t
#define SUM_TYPE int32_t
#define WEIGHT mn_weight_s4
#include "kernels/depthwise_conv_2d_sum.h"

/* y [O] of one position. */
static void position(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, int8_t *y, int32_t h,
                     int32_t w) {
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3];
  for (int32_t o = 0; o < p->output_c; o++) {
    int32_t acc = window_sum(p, io, o, h, w);
    if (bias != NULL) acc += bias[o];
    int32_t q = o * p->per_channel;
    acc = mn_requantize(acc, multiplier[q], shift[q]) + p->output_zero_point;
    y[o] = (int8_t)mn_clamp(acc, p->output_min, p->output_max);
  }
}

void mn_depthwise_conv_2d_s4_ref(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  int8_t *y = io->y;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, y + ((h - io->y_row) * p->output_w + w) * p->output_c, h, w);
}
