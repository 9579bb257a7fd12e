/* window_s16_body.h - int16x8 over windows: a 64-bit sum, rounded once. The file that includes it says PARAMS
 * and brought a window_sum for it (conv_2d_sum.h, depthwise_conv_2d_sum.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"

/* y [O] of one position. */
static void position(const PARAMS *p, const mn_kernel_io *io, int16_t *y, int32_t h, int32_t w) {
  const int64_t *bias = io->constant[1];
  const int32_t *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3];
  for (int32_t o = 0; o < p->output_c; o++) {
    int64_t acc = window_sum(p, io, o, h, w);
    if (bias != NULL) acc += bias[o];
    int32_t q = o * p->per_channel;
    int32_t value = mn_requantize_s64(acc, multiplier[q], shift[q]);
    y[o] = (int16_t)mn_clamp(value, p->output_min, p->output_max);
  }
}

static void run(const PARAMS *p, const mn_kernel_io *io) {
  int16_t *y = io->y;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, y + ((h - io->y_row) * p->output_w + w) * p->output_c, h, w);
}
