/* depthwise_conv_2d_strip.h - depthwise convolution channel by channel: the input rows of one channel that
 * a strip of output rows needs are gathered into a plane, padded, so that taps run along bytes that lie
 * side by side. Included after a macro that says what writes outputs; defines run().
 *
 * Scratch   int32 sum [R * OW], then uint8 plane [(R - 1) * SH + (KH - 1) * DH + 1][PW] where
 *           R = mn_depthwise_strip(OH, OW), PW = (OW - 1) * SW + (KW - 1) * DW + 1
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_CONV_2D_STRIP_H
#define MN_KERNELS_DEPTHWISE_CONV_2D_STRIP_H

#include "kernels/depthwise_conv_2d.h"
#include "kernels/outputs.h"
#include "kernels/taps.h"

typedef struct strip {
  int32_t *sum;
  uint8_t *plane;      /* values moved up by 128 */
  int32_t width;       /* of the plane */
  int32_t window;      /* rows that a window spans */
  int32_t most;        /* output rows at a time */
  int32_t first, rows; /* output rows of this one */
  int32_t from, end;   /* input rows that the plane holds */
} strip;

/* One padded row; x at the row's first value of the channel, NULL above and below. */
static void gather_row(const mn_depthwise_conv_2d *p, uint8_t *to, const uint8_t *end,
                       const int8_t *x) {
  uint8_t outside = (uint8_t)(p->input_zero_point ^ 0x80);
  const uint8_t *left = to + p->pad_left, *right = left + p->input_w;
  if (x != NULL) {
    while (to != left) *to++ = outside;
    for (right = right < end ? right : end; to != right; x += p->input_c)
      *to++ = (uint8_t)(*x ^ 0x80);
  }
  while (to != end) *to++ = outside;
}

/* The plane moves down to the input rows of the strip; rows that it holds are kept. */
static void gather(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, strip *s, int32_t c) {
  int32_t from = s->first * p->stride_h - p->pad_top;
  int32_t end = from + (s->rows - 1) * p->stride_h + s->window;
  uint8_t *to = s->plane;
  int32_t row = from;
  if (from < s->end) {
    const uint8_t *kept = s->plane + (from - s->from) * s->width;
    for (int32_t left = (s->end - from) * s->width; left > 0; left--) *to++ = *kept++;
    row = s->end;
  }
  for (; row < end; row++, to += s->width) {
    const int8_t *x = NULL;
    if (row >= 0 && row < p->input_h)
      x = (const int8_t *)io->x[0] + (row - io->x_row[0]) * p->input_w * p->input_c + c;
    gather_row(p, to, to + s->width, x);
  }
  s->from = from;
  s->end = end;
}

/* The sums of a strip of one output channel. */
static void multiply(const mn_depthwise_conv_2d *p, const strip *s, const int8_t *k) {
  int32_t square = p->kernel_h == 3 && p->kernel_w == 3 && p->dilation_h == 1 && p->dilation_w == 1;
  mn_taps t = {p->kernel_h, p->kernel_w, p->dilation_h * s->width, p->dilation_w, p->stride_w};
  int32_t *sum = s->sum, count = p->output_w, rows = s->rows;
  if (s->width == 1) t.stride = p->stride_h, count = rows, rows = 1; /* a column */
  const uint8_t *x = s->plane;
  for (int32_t h = 0; h < rows; h++, sum += count, x += p->stride_h * s->width) {
    if (square)
      mn_taps_3x3(sum, x, s->width, count, p->stride_w, k);
    else
      mn_taps_any(&t, sum, x, count, k);
  }
}

/* All rows of one input channel. */
static void channel(const mn_depthwise_conv_2d *p, const mn_kernel_io *io, const mn_outputs *q,
                    strip *s, int32_t c) {
  int32_t end = io->first_row + io->rows;
  int32_t multiplier = p->channel_multiplier, taps = p->kernel_h * p->kernel_w;
  const int8_t *k = (const int8_t *)io->constant[0] + c * multiplier * taps;
  s->from = s->end = io->first_row * p->stride_h - p->pad_top;
  for (s->first = io->first_row; s->first < end; s->first += s->rows) {
    int8_t *y = (int8_t *)io->y + (s->first - io->y_row) * p->output_w * p->output_c;
    s->rows = end - s->first < s->most ? end - s->first : s->most;
    gather(p, io, s, c);
    for (int32_t m = 0; m < multiplier; m++) {
      multiply(p, s, k + m * taps);
      write_outputs(q, y, s->sum, c * multiplier + m, 1, s->rows * p->output_w);
    }
  }
}

/* Channel by channel, rows downwards, every row gathered before it is written: MN_OVERLAP_PLANE. */
static void run(const mn_depthwise_conv_2d *p, const mn_kernel_io *io) {
  const mn_outputs q = MN_OUTPUTS(p, io, p->output_c, 0);
  strip s = {.sum = io->scratch,
             .width = (p->output_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1,
             .window = (p->kernel_h - 1) * p->dilation_h + 1,
             .most = mn_depthwise_strip(p->output_h, p->output_w)};
  s.plane = (uint8_t *)(s.sum + s.most * p->output_w);
  for (int32_t c = 0; c < p->input_c; c++) channel(p, io, &q, &s, c);
}

#endif
