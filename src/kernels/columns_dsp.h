/* columns_dsp.h - fills the columns of matrix_dsp.h: int8 inputs become int16, two columns interleaved
 * word by word. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_COLUMNS_DSP_H
#define MN_KERNELS_COLUMNS_DSP_H

#include "kernels/conv_2d.h"
#include "kernels/dsp.h"
#include "kernels/matrix_dsp.h"

/* Where column i of a block begins. */
static inline int32_t *mn_column(int32_t *x, int32_t i, int32_t pairs) {
  return x + i / 2 * pairs * 2 + i % 2;
}

/* A word of four inputs becomes two pairs. */
static inline int32_t *mn_widen_word(int32_t *to, uint32_t word) {
  to[0] = mn_sxtb16(word);
  to[2] = mn_sxtb16_odd(word);
  return to + 4;
}

/* How a row of n inputs is taken: sixteen at a time, so that loads lie side by side, then four, then
 * the rest. */
typedef struct mn_row {
  int32_t n, sixteens, fours, rest;
} mn_row;

static inline mn_row mn_row_of(int32_t n) {
  return (mn_row){n, n >> 4, n >> 2 & 3, n & 3};
}

/* Widens a row; returns the place of the next one. */
static inline int32_t *mn_widen(int32_t *to, const int8_t *from, mn_row row) {
  for (int32_t i = row.sixteens; i > 0; i--, from += 16) {
    uint32_t a = mn_load4(from), b = mn_load4(from + 4);
    uint32_t c = mn_load4(from + 8), d = mn_load4(from + 12);
    to = mn_widen_word(mn_widen_word(mn_widen_word(mn_widen_word(to, a), b), c), d);
  }
  for (int32_t i = row.fours; i > 0; i--, from += 4) to = mn_widen_word(to, mn_load4(from));
  if (row.rest == 0) return to;
  to[0] = mn_pair(from[0], row.rest > 1 ? from[1] : 0);
  if (row.rest < 3) return to + 2;
  to[2] = mn_pair(from[2], 0);
  return to + 4;
}

/* Pairs that lie in the padding. */
static inline int32_t *mn_widen_value(int32_t *to, int32_t value, int32_t pairs) {
  int32_t word = mn_pair(value, value);
  for (; pairs > 0; pairs--, to += 2) to[0] = word;
  return to;
}

/* Up to four inputs from element `from` on of a row: those outside [begin, end) are `value`. */
static inline uint32_t mn_word_at_edge(const int8_t *row, int32_t from, int32_t begin, int32_t end,
                                       int32_t value) {
  uint32_t word = 0;
  for (int32_t i = from + 3; i >= from; i--)
    word = word << 8 | (uint8_t)(i >= begin && i < end ? row[i] : value);
  return word;
}

/* A row of n inputs from element `from` of an input row of row_bytes on, left of it or beyond its end
 * in part. */
static inline int32_t *mn_widen_edge(int32_t *to, const int8_t *row, int32_t from, int32_t n,
                                     int32_t row_bytes, int32_t value) {
  for (; n >= 4; n -= 4, from += 4) {
    int32_t inside = from >= 0 && from + 4 <= row_bytes;
    to = mn_widen_word(
        to, inside ? mn_load4(row + from) : mn_word_at_edge(row, from, 0, row_bytes, value));
  }
  if (n == 0) return to;
  uint32_t word = mn_word_at_edge(row, from, 0, row_bytes < from + n ? row_bytes : from + n, value);
  for (; n > 0; n -= 2, to += 2, word >>= 16) to[0] = mn_pair((int8_t)word, (int8_t)(word >> 8));
  return to;
}

/* What the windows of a layer share, and then what those of one output row do: pairs of kernel rows
 * above the input, kernel rows inside, pairs below; x is the input row of the first one inside. */
typedef struct mn_gather {
  mn_row row;
  int32_t row_bytes, step, zero_point;
  int32_t above, inside, below;
  const int8_t *x;
} mn_gather;

static inline void mn_gather_row(mn_gather *g, const mn_conv_2d *p, const mn_kernel_io *io,
                                 int32_t h) {
  int32_t first = h * p->stride_h - p->pad_top, above = 0, pairs = mn_matrix_row_pairs(g->row.n);
  while (above < p->kernel_h && first + above * p->dilation_h < 0) above++;
  int32_t end = above;
  while (end < p->kernel_h && first + end * p->dilation_h < p->input_h) end++;
  g->above = above * pairs;
  g->inside = end - above;
  g->below = (p->kernel_h - end) * pairs;
  g->x = io->x[0];
  if (end > above) g->x += (first + above * p->dilation_h - io->x_row[0]) * g->row_bytes;
}

/* The window that begins at element `from` of its input rows. */
static MN_OUT_OF_LINE void mn_widen_window(const mn_gather *g, int32_t *to, int32_t from) {
  mn_row row = g->row;
  int32_t step = g->step;
  const int8_t *x = g->x;
  if (g->above > 0) to = mn_widen_value(to, g->zero_point, g->above);
  if (from >= 0 && from + row.n <= g->row_bytes)
    for (int32_t i = g->inside; i > 0; i--, x += step) to = mn_widen(to, x + from, row);
  else
    for (int32_t i = g->inside; i > 0; i--, x += step)
      to = mn_widen_edge(to, x, from, row.n, g->row_bytes, g->zero_point);
  if (g->below > 0) (void)mn_widen_value(to, g->zero_point, g->below);
}

/* A convolution, block after block of columns. */
static inline void mn_convolve(mn_matrix_body *body, const mn_conv_2d *p, const mn_kernel_io *io) {
  int32_t pairs = p->kernel_h * mn_matrix_row_pairs(p->kernel_w * p->input_c);
  int32_t most = mn_matrix_columns(pairs), positions = io->rows * p->output_w;
  int32_t h = io->first_row, w = 0, *x = io->scratch;
  int8_t *y = (int8_t *)io->y + (h - io->y_row) * p->output_w * p->output_c;
  int32_t stride = p->stride_w * p->input_c, left = -p->pad_left * p->input_c, from = left;
  mn_gather g = {.row = mn_row_of(p->kernel_w * p->input_c),
                 .row_bytes = p->input_w * p->input_c,
                 .step = p->dilation_h * p->input_w * p->input_c,
                 .zero_point = p->input_zero_point};
  mn_gather_row(&g, p, io, h);
  while (positions > 0) {
    int32_t columns = positions < most ? positions : most;
    for (int32_t i = 0; i < columns; i++, w++, from += stride) {
      if (w == p->output_w) w = 0, from = left, mn_gather_row(&g, p, io, ++h);
      mn_widen_window(&g, mn_column(x, i, pairs), from);
    }
    mn_matrix m = {.x = x,
                   .stream = io->constant[0],
                   .y = y,
                   .pairs = pairs,
                   .output_zero_point = p->output_zero_point,
                   .output_min = p->output_min,
                   .output_max = p->output_max};
    mn_matrix_run(body, &m, columns, p->output_c);
    y += columns * p->output_c;
    positions -= columns;
  }
}

#endif
