/* softmax_ref.c - the definition of SOFTMAX int8 to int8 or int16, in fixed point. Names Qi.f give integer and fraction
 * bits of a signed 32-bit word. The polynomial, the table of exp(-2^k) and the Newton steps are those
 * of the gemmlowp fixed-point library that TFLite defines its softmax with.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/softmax.h"

#include "kernels/requantize.h"

#define INPUT_FRACTION_BITS 26 /* scaled differences are Q5.26 */
#define SUM_INTEGER_BITS 12    /* the sum of exponentials is Q12.19 */

/* x * 2^bits, saturating. */
static int32_t shift_left_saturating(int32_t x, int32_t bits) {
  int32_t limit = INT32_MAX >> bits;
  if (x > limit) return INT32_MAX;
  if (x < -limit) return INT32_MIN;
  return (int32_t)((uint32_t)x << bits);
}

/* exp(a) of a in [-1/4, 0), Q0.31: Taylor around -1/8 to the fourth power. */
static int32_t exp_quarter(int32_t a) {
  const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
  int32_t x = a + ((int32_t)1 << 28);
  int32_t x2 = mn_multiply_high(x, x);
  int32_t x3 = mn_multiply_high(x2, x);
  int32_t x4 = mn_multiply_high(x2, x2);
  int32_t higher = mn_multiply_high(mn_shift_right_rounding(x4, 2) + x3, third) + x2;
  int32_t series = x + mn_shift_right_rounding(higher, 1);
  return exp_of_minus_eighth + mn_multiply_high(exp_of_minus_eighth, series);
}

/* exp(a) of a <= 0 in Q5.26; result Q0.31. */
static int32_t exp_negative(int32_t a) {
  /* exp(-2^k), k = -2 .. 4 */
  static const int32_t factor[] = {1672461947, 1302514674, 790015084, 290630308,
                                   39332535,   720401,     242};
  if (a == 0) return INT32_MAX;
  const int32_t quarter = (int32_t)1 << (INPUT_FRACTION_BITS - 2);
  int32_t part = (a & (quarter - 1)) - quarter;
  int32_t result = exp_quarter((int32_t)((uint32_t)part << 5));
  int32_t remainder = part - a; /* a multiple of 1/4: one factor per set bit */
  for (int32_t k = 0; k < 7; k++)
    if (remainder & (int32_t)(1u << (INPUT_FRACTION_BITS - 2 + k)))
      result = mn_multiply_high(result, factor[k]);
  return result;
}

/* 1 / (1 + a) of a in [0, 1), Q0.31: three Newton steps from 48/17 - 32/17 d on d = (1 + a) / 2. */
static int32_t one_over_one_plus(int32_t a) {
  int64_t sum = (int64_t)a + INT32_MAX;
  int32_t half = (int32_t)((sum + 1) / 2);
  int32_t x = 1515870810 + mn_multiply_high(half, -1010580540); /* Q2.29 */
  for (int32_t step = 0; step < 3; step++) {
    int32_t error = ((int32_t)1 << 29) - mn_multiply_high(half, x);
    x += shift_left_saturating(mn_multiply_high(x, error), 2);
  }
  return shift_left_saturating(x, 1);
}

static int32_t leading_zeros(uint32_t x) {
  int32_t count = 0;
  for (; x < 0x80000000u; x <<= 1) count++;
  return count;
}

/* exp(beta * scale * difference), difference in [difference_min, 0]; Q0.31. */
static int32_t exp_of(const mn_softmax *p, int32_t difference) {
  int32_t scaled = (int32_t)((uint32_t)difference << p->input_left_shift);
  return exp_negative(mn_multiply_high(scaled, p->input_multiplier));
}

/* What all values of a row share: probabilities are scale * exp(difference) / 2^shift. */
typedef struct row_scale {
  int32_t max, scale, shift;
} row_scale;

/* x [depth]; `bits` of the output's type. */
static row_scale scale_of(const mn_softmax *p, const int8_t *x, int32_t bits) {
  int32_t max = INT8_MIN;
  for (int32_t d = 0; d < p->depth; d++)
    if (x[d] > max) max = x[d];

  int32_t sum = 0;
  for (int32_t d = 0; d < p->depth; d++)
    if (x[d] - max >= p->difference_min)
      sum += mn_shift_right_rounding(exp_of(p, x[d] - max), SUM_INTEGER_BITS);

  /* sum = (1 + a) * 2^over: the reciprocal needs a alone, the rest joins the last shift. */
  int32_t zeros = leading_zeros((uint32_t)sum);
  int32_t over = SUM_INTEGER_BITS - zeros;
  int32_t scale = one_over_one_plus((int32_t)(((uint32_t)sum << zeros) - 0x80000000u));
  return (row_scale){max, scale, over + 31 - bits};
}

/* Probability of one value, from 0. */
static int32_t probability(const mn_softmax *p, const row_scale *row, int32_t x) {
  if (x - row->max < p->difference_min) return 0;
  int32_t product = mn_multiply_high(row->scale, exp_of(p, x - row->max));
  return mn_shift_right_rounding(product, row->shift);
}

void mn_softmax_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_softmax *p = params;
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->outer; n++) {
    row_scale row = scale_of(p, x + n * p->depth, 8);
    for (int32_t i = n * p->depth; i < (n + 1) * p->depth; i++)
      y[i] = (int8_t)mn_clamp(probability(p, &row, x[i]) + INT8_MIN, INT8_MIN, INT8_MAX);
  }
}

void mn_softmax_s8_s16_ref(const void *params, const mn_kernel_io *io) {
  const mn_softmax *p = params;
  const int8_t *x = io->x[0];
  int16_t *y = io->y;
  for (int32_t n = 0; n < p->outer; n++) {
    row_scale row = scale_of(p, x + n * p->depth, 16);
    for (int32_t i = n * p->depth; i < (n + 1) * p->depth; i++)
      y[i] = (int16_t)mn_clamp(probability(p, &row, x[i]) + INT16_MIN, INT16_MIN, INT16_MAX);
  }
}
