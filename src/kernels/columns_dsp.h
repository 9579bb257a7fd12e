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

/* A row of n inputs; returns the place of the next row. Eight at a time, so that loads lie side by
 * side. */
static inline int32_t *mn_widen(int32_t *to, const int8_t *from, int32_t n) {
  for (; n >= 8; n -= 8, from += 8) {
    uint32_t first = mn_load4(from), second = mn_load4(from + 4);
    to = mn_widen_word(mn_widen_word(to, first), second);
  }
  if (n >= 4) to = mn_widen_word(to, mn_load4(from)), n -= 4, from += 4;
  for (; n > 0; n -= 2, from += 2, to += 2) to[0] = mn_pair(from[0], n > 1 ? from[1] : 0);
  return to;
}

/* A row of n inputs that lies in the padding. */
static inline int32_t *mn_widen_value(int32_t *to, int32_t value, int32_t n) {
  int32_t word = mn_pair(value, value);
  for (; n > 0; n -= 2, to += 2) to[0] = word;
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

/* The window of output position (h, w); x points at input row x_row. */
static inline void mn_widen_window(const mn_conv_2d *p, int32_t *to, const int8_t *x, int32_t x_row,
                                   int32_t h, int32_t w) {
  int32_t n = p->kernel_w * p->input_c, row_bytes = p->input_w * p->input_c;
  int32_t first_w = w * p->stride_w - p->pad_left, first_h = h * p->stride_h - p->pad_top;
  int32_t inside = first_w >= 0 && first_w + p->kernel_w <= p->input_w;
  for (int32_t i = 0; i < p->kernel_h; i++, first_h += p->dilation_h) {
    int32_t row = (first_h - x_row) * row_bytes;
    if (first_h < 0 || first_h >= p->input_h)
      to = mn_widen_value(to, p->input_zero_point, n);
    else if (inside)
      to = mn_widen(to, x + row + first_w * p->input_c, n);
    else
      to = mn_widen_edge(to, x + row, first_w * p->input_c, n, row_bytes, p->input_zero_point);
  }
}

/* A convolution, block after block of columns. */
static inline void mn_convolve(mn_matrix_body *body, const mn_conv_2d *p, const mn_kernel_io *io) {
  int32_t pairs = p->kernel_h * mn_matrix_row_pairs(p->kernel_w * p->input_c);
  int32_t most = mn_matrix_columns(pairs), positions = io->rows * p->output_w;
  int32_t h = io->first_row, w = 0, *x = io->scratch;
  int8_t *y = (int8_t *)io->y + (h - io->y_row) * p->output_w * p->output_c;
  while (positions > 0) {
    int32_t columns = positions < most ? positions : most;
    for (int32_t i = 0; i < columns; i++) {
      mn_widen_window(p, mn_column(x, i, pairs), io->x[0], io->x_row[0], h, w);
      if (++w == p->output_w) w = 0, h++;
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
