/* conv_2d_ref.c - the definition of CONV_2D int8: plain loops in tensor order, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"

#include "kernels/requantize.h"

/* sum over KW, C of one kernel row; x [W, C] is the input row, k [KW, C] the weights' row. */
static int32_t dot_row(const mn_conv_2d *p, const int8_t *x, const int8_t *k, int32_t first_w) {
  int32_t acc = 0;
  for (int32_t j = 0; j < p->kernel_w; j++) {
    int32_t w = first_w + j * p->dilation_w;
    if (w < 0 || w >= p->input_w) continue;
    for (int32_t c = 0; c < p->input_c; c++)
      acc += (x[w * p->input_c + c] - p->input_zero_point) * k[j * p->input_c + c];
  }
  return acc;
}

/* x [H, W, C] from row x_row on; k [KH, KW, C] of one output channel. */
static int32_t dot_window(const mn_conv_2d *p, const int8_t *x, int32_t x_row, const int8_t *k,
                          int32_t first_h, int32_t first_w) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->kernel_h; i++) {
    int32_t h = first_h + i * p->dilation_h;
    if (h < 0 || h >= p->input_h) continue;
    acc += dot_row(p, x + (h - x_row) * p->input_w * p->input_c, k + i * p->kernel_w * p->input_c,
                   first_w);
  }
  return acc;
}

/* y [O] of one position. */
static void position(const mn_conv_2d *p, const mn_kernel_io *io, int8_t *y, int32_t h, int32_t w) {
  const int8_t *k = io->constant[0];
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3];
  int32_t window = p->kernel_h * p->kernel_w * p->input_c;
  for (int32_t o = 0; o < p->output_c; o++) {
    int32_t acc = dot_window(p, io->x[0], io->x_row[0], k + o * window,
                             h * p->stride_h - p->pad_top, w * p->stride_w - p->pad_left);
    if (bias != NULL) acc += bias[o];
    int32_t q = o * p->per_channel;
    acc = mn_requantize(acc, multiplier[q], shift[q]) + p->output_zero_point;
    y[o] = (int8_t)mn_clamp(acc, p->output_min, p->output_max);
  }
}

void mn_conv_2d_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  int8_t *y = io->y;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, y + ((h - io->y_row) * p->output_w + w) * p->output_c, h, w);
}
