/* depthwise_body.h - depthwise convolution: a block of channels at a time, GROUP taps of the window
 * interleaved into one product. Where the channels divide a block, it takes several columns
 * (mn_host_columns). Included after rounding_body.h.
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

/* What a block reads of one tap: neighbours, or every second column of `spread` channels. */
static inline __attribute__((always_inline)) vec load_tap(const plane_value *x, int32_t spread,
                                                          vec every_second) {
  return spread == 0 ? load(x) : select_dwords(load(x), load(x + BLOCK), every_second);
}

typedef struct taps {
  const int64_t *offset;
  const weight_value *w;
  const int32_t *bias;
  int32_t count, first; /* first channel of the block */
  vec every_second;
} taps;

/* One block of channels at one position. */
static inline __attribute__((always_inline)) vec position(const plane_value *x, const taps *t,
                                                          const channels *c, const int32_t spread) {
  vec acc[GROUP], values[GROUP];
  int32_t at[GROUP];
  const weight_value *w = t->w;
  for (int32_t v = 0; v < GROUP; v++) {
    at[v] = t->first + v * LANES;
    acc[v] = load(t->bias + at[v]);
  }
  for (int32_t i = 0; i < t->count; i += GROUP) {
    vec tap[GROUP];
    for (int32_t v = 0; v < GROUP; v++)
      tap[v] = load_tap(x + t->offset[i + v], spread, t->every_second);
    interleave(values, tap);
    for (int32_t v = 0; v < GROUP; v++, w += LANES * GROUP)
      acc[v] = dot(acc[v], values[v], load(w));
  }
  return quantize(acc, c, at, GROUP);
}

void HOST(mn_depthwise_conv_2d_s8)(const void *params, const mn_kernel_io *io) {
  const mn_depthwise_conv_2d *p = params;
  window window_fields = window_of(p);
  plane from = make_plane(&window_fields, io, p->input_zero_point);
  int64_t offset[MOST_TAPS + GROUP];
  taps t = {.offset = offset,
            .bias = io->constant[1],
            .count = tap_offsets(offset, p, from.row),
            .every_second = every_second_dwords(p->input_c)};
  int32_t columns = mn_host_columns((mn_host_layout){LANES, GROUP}, p->output_c, p->stride_w);
  int32_t spread = columns > 1 && p->stride_w == 2 ? p->input_c : 0;
  int32_t blocks = (p->output_c + BLOCK - 1) / BLOCK;
  channels c = channels_of(io, blocks * BLOCK, p->output_zero_point, p->output_min, p->output_max);
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;

  for (t.first = 0; t.first < p->output_c; t.first += BLOCK) {
    t.w = (const weight_value *)io->constant[0] + (int64_t)t.first * t.count;
    for (int32_t h = 0; h < io->rows; h++)
      for (int32_t column = 0; column < p->output_w; column += columns) {
        const plane_value *x =
            from.data + h * p->stride_h * from.row + column * p->stride_w * p->input_c + t.first;
        int32_t count = columns > 1 ? (p->output_w - column) * p->output_c : p->output_c - t.first;
        vec bytes = spread == 0 ? position(x, &t, &c, 0) : position(x, &t, &c, 1);
        store_block_s8(y + (h * p->output_w + column) * p->output_c + t.first, bytes, count);
      }
  }
}

#endif
