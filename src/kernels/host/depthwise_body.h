/* depthwise_body.h - depthwise convolution: a block of channels at a time, GROUP taps of the window
 * interleaved into one product. Included after a simd_*.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_BODY_H
#define MN_KERNELS_DEPTHWISE_BODY_H

#include "kernels/host/plane_body.h"

#define BLOCK (LANES * GROUP) /* channels */
#define MOST_TAPS 256

/* Where the taps of a window lie, relative to its first; whole groups, the surplus weighs nothing. */
static int32_t tap_offsets(int64_t *offset, const mn_depthwise_conv_2d *p, int64_t row) {
  int32_t taps = 0;
  for (int32_t i = 0; i < p->kernel_h; i++)
    for (int32_t j = 0; j < p->kernel_w; j++)
      offset[taps++] = i * p->dilation_h * row + (int64_t)j * p->dilation_w * p->input_c;
  while (taps % GROUP != 0) offset[taps++] = 0;
  return taps;
}

/* `count` channels of one position. */
static inline void position(int8_t *y, const plane_value *x, const int64_t *offset, int32_t taps,
                            const weight_value *w, const int32_t *bias, const scaling s[GROUP],
                            const vec limits[3], int32_t count) {
  vec acc[GROUP], values[GROUP];
  for (int32_t v = 0; v < GROUP; v++) acc[v] = load(bias + v * LANES);
  for (int32_t t = 0; t < taps; t += GROUP) {
    const plane_value *tap[GROUP];
    for (int32_t v = 0; v < GROUP; v++) tap[v] = x + offset[t + v];
    interleave(values, tap);
    for (int32_t v = 0; v < GROUP; v++, w += LANES * GROUP)
      acc[v] = dot(acc[v], values[v], load(w));
  }
  for (int32_t v = 0; v < GROUP; v++)
    acc[v] = clamp(add(requantize(acc[v], &s[v]), limits[0]), limits[1], limits[2]);
  store_block_s8(y, acc, count);
}

void HOST(mn_depthwise_conv_2d_s8)(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2], *shift = io->constant[3];
  const vec limits[3] = {splat(p->output_zero_point), splat(p->output_min), splat(p->output_max)};
  window window_fields = window_of(p);
  plane from = make_plane(&window_fields, io, p->input_zero_point);
  int64_t offset[MOST_TAPS + GROUP];
  int32_t taps = tap_offsets(offset, p, from.row);
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;

  for (int32_t c = 0; c < p->output_c; c += BLOCK) {
    const weight_value *w = (const weight_value *)io->constant[0] + (int64_t)c * taps;
    scaling s[GROUP];
    for (int32_t v = 0; v < GROUP; v++)
      s[v] = scaling_of(load(multiplier + c + v * LANES), load(shift + c + v * LANES));
    for (int32_t h = 0; h < io->rows; h++)
      for (int32_t column = 0; column < p->output_w; column++)
        position(y + (h * p->output_w + column) * p->output_c + c,
                 from.data + h * p->stride_h * from.row + column * p->stride_w * p->input_c + c,
                 offset, taps, w, bias + c, s, limits, p->output_c - c);
  }
}

#endif
