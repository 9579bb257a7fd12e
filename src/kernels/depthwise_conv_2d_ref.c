/* depthwise_conv_2d_ref.c - the definition of DEPTHWISE_CONV_2D int8: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_conv_2d.h"

#include "kernels/requantize.h"

/* One channel: x [H, W, C] at (0, 0, c) from row x_row on; k [KH, KW, O] at output channel o. */
static int32_t dot_window(const mn_depthwise_conv_2d *p, const int8_t *x, int32_t x_row,
                          const int8_t *k, int32_t first_h, int32_t first_w) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->kernel_h; i++) {
    int32_t h = first_h + i * p->dilation_h;
    if (h < 0 || h >= p->input_h) continue;
    for (int32_t j = 0; j < p->kernel_w; j++) {
      int32_t w = first_w + j * p->dilation_w;
      if (w < 0 || w >= p->input_w) continue;
      acc += (x[((h - x_row) * p->input_w + w) * p->input_c] - p->input_zero_point) *
             k[(i * p->kernel_w + j) * p->output_c];
    }
  }
  return acc;
}

/* y [O] of one position. */
static void position(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, int8_t *y, int32_t h,
                     int32_t w) {
  const int8_t *x = io->x[0], *k = io->constant[0];
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3];
  for (int32_t o = 0; o < p->output_c; o++) {
    int32_t acc = dot_window(p, x + o / p->channel_multiplier, io->x_row[0], k + o,
                             h * p->stride_h - p->pad_top, w * p->stride_w - p->pad_left);
    if (bias != NULL) acc += bias[o];
    int32_t q = o * p->per_channel;
    acc = mn_requantize(acc, multiplier[q], shift[q]) + p->output_zero_point;
    y[o] = (int8_t)mn_clamp(acc, p->output_min, p->output_max);
  }
}

void mn_depthwise_conv_2d_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  int8_t *y = io->y;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, y + ((h - io->y_row) * p->output_w + w) * p->output_c, h, w);
}
