/* matrix_dsp.h - the core of the convolutions for Arm's DSP extension: two columns of int16 inputs
 * (the windows of two output positions) times int8 weights of four output channels at a time.
 *
 * Inputs    x [columns / 2][pairs][2] words: word 0 of a pair belongs to the even column, word 1 to the
 *           odd one. A word is two int16 inputs, not corrected by the zero point. The order of the
 *           elements of a row of n bytes is mn_matrix_element's: groups of four as (0, 2), (1, 3), as
 *           SXTB16 takes them out of a word; the rest as (0, 1), (2, -).
 * Stream    per group of 4 output channels c0..c3, in words:
 *             4             bias: 256 * b1 + b0, b0, 256 * b3 + b2, b2 (modulo 2^32)
 *             pairs x 2     weights of the pair of c0, c1; then of c2, c3. A half word is
 *                           256 * w[odd channel] + w[even channel]
 *             1             right shift of c0 in bits 0-7, of c1 in bits 8-15, ...
 *             4             multipliers
 *           Channels beyond the last one have zeros. b is bias - zero point * sum of w.
 * Method    A = sum x * (256 * w1 + w0) by SMLAD on the word, B = sum x * w0 by SMLAD on its SXTB16.
 *           A - B = 256 * sum x * w1 modulo 2^32, so the odd channel's sum is (A - B) >> 8 where it lies
 *           within 24 bits with its sign: the plan proves it from weights and bias. Weights of -128
 *           do not pack.
 * Fast      mn_matrix_dsp: shifts in [1, 22], output range [-128, 127]. With d = 2 * sum, below 2^24:
 *             SMMLAR(d, m, t) = t + (sum * m + 2^30) >> 31, TFLite's product;
 *             t = zero point * 2^e + 2^(e-1) + (d < 0 ? -1 : 0) makes the shift by e that follows
 *             TFLite's rounding, half away from zero, and adds the zero point. The product is negative
 *             where d is, but for d = -2 and m = 2^30: there it is 0, and 0 and -1 round alike.
 * Exact     mn_matrix_exact_dsp: mn_requantize and any range.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MATRIX_DSP_H
#define MN_KERNELS_MATRIX_DSP_H

#include "kernels/kernel.h"

typedef struct mn_matrix {
  const int32_t *x;
  const int32_t *stream;
  int8_t *y;      /* of the first column's first channel */
  int32_t pairs;  /* words per column */
  int32_t groups; /* of 4 channels */
  int32_t count;  /* of pairs of columns */
  int32_t y_step; /* bytes from one column's output to the next; 0: the odd column is not wanted */
  int32_t output_zero_point, output_min, output_max;
} mn_matrix;

typedef void mn_matrix_body(const mn_matrix *m);
mn_matrix_body mn_matrix_dsp, mn_matrix_exact_dsp;

enum { MN_MATRIX_EXTRA_WORDS = 9, MN_MATRIX_MOST_COLUMNS = 8 };

/* Pairs of a row of n inputs, and the input that is element `half` (0, 1) of pair `pair`; n or more:
 * none. */
static inline int32_t mn_matrix_row_pairs(int32_t n) {
  return (n + 1) / 2;
}
static inline int32_t mn_matrix_element(int32_t n, int32_t pair, int32_t half) {
  int32_t group = pair / 2 * 4, second = pair % 2;
  return n - group >= 4 ? group + second + 2 * half : 2 * pair + half;
}

/* Columns that fit 512 bytes, two at least. */
static inline int32_t mn_matrix_columns(int32_t pairs) {
  int32_t columns = 128 / (pairs > 0 ? pairs : 1) / 2 * 2;
  return columns < 2 ? 2 : columns > MN_MATRIX_MOST_COLUMNS ? MN_MATRIX_MOST_COLUMNS : columns;
}

/* Runs `body` for `columns` columns and `outputs` channels; m holds x, stream, y, pairs and the
 * output's zero point and range. */
static inline void mn_matrix_run(mn_matrix_body *body, mn_matrix *m, int32_t columns,
                                 int32_t outputs) {
  int8_t *y = m->y, rest[4 * MN_MATRIX_MOST_COLUMNS];
  const int32_t *x = m->x, *stream = m->stream;
  m->groups = outputs / 4;
  m->count = columns / 2;
  m->y_step = outputs;
  if (m->groups > 0 && m->count > 0) body(m);
  if (m->groups > 0 && columns % 2 > 0) {
    m->x += m->count * m->pairs * 2;
    m->y += (columns - 1) * outputs;
    m->count = 1;
    m->y_step = 0;
    body(m);
  }
  if (outputs % 4 == 0) return;
  m->x = x;
  m->y = rest;
  m->y_step = 4;
  m->count = (columns + 1) / 2;
  m->stream = stream + m->groups * (2 * m->pairs + MN_MATRIX_EXTRA_WORDS);
  m->groups = 1;
  body(m);
  for (int32_t i = 0; i < columns; i++)
    for (int32_t c = 0; c < outputs % 4; c++)
      y[i * outputs + outputs / 4 * 4 + c] = rest[4 * i + c];
}

#endif
