/* window_s4_body.h - int8 over windows of int4 weights, unpacked one by one. The file that includes it says
 * PARAMS and brought a window_sum for it (conv_2d_sum.h, depthwise_conv_2d_sum.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"

/* y [O] of one position. */
static void position(const PARAMS *p, const mn_kernel_io *io, int8_t *y, int32_t h, int32_t w) {
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

static void run(const PARAMS *p, const mn_kernel_io *io) {
  int8_t *y = io->y;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, y + ((h - io->y_row) * p->output_w + w) * p->output_c, h, w);
}
