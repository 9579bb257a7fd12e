/* softmax_s16_ref.c - the definition of SOFTMAX int16: exponentials and the reciprocal of their sum from
 * two tables of 513 values, interpolated.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"
#include "kernels/softmax.h"

/* table(x), x in [-32768, 32767], between entries 128 apart. */
static int32_t look_up(const int16_t *table, int32_t x) {
  int32_t index = 256 + (x >> 7), offset = x & 127;
  int32_t slope = (int16_t)(table[index + 1] - table[index]);
  return (int16_t)(table[index] + ((slope * offset + 64) >> 7));
}

static int32_t leading_zeros(uint32_t x) {
  int32_t count = 0;
  for (; x < 0x80000000u; x <<= 1) count++;
  return count;
}

/* exp(beta * scale * (x - max)), Q0.15; the table spans [-10, 0]. */
static int32_t exponential(const mn_softmax *p, const int16_t *table, int32_t x, int32_t max) {
  int32_t scaled = mn_requantize(x - max, p->input_multiplier, p->input_left_shift);
  return look_up(table, mn_clamp(scaled + 32767, INT16_MIN, INT16_MAX));
}

/* x, y [depth], may be the same. */
static void row(const mn_softmax *p, const int16_t *exp_table, const int16_t *one_over_table,
                const int16_t *x, int16_t *y) {
  int32_t max = INT16_MIN, sum = 0;
  for (int32_t d = 0; d < p->depth; d++)
    if (x[d] > max) max = x[d];
  for (int32_t d = 0; d < p->depth; d++) {
    y[d] = (int16_t)exponential(p, exp_table, x[d], max);
    sum += y[d];
  }

  /* sum = (1 + a) * 2^(16 - zeros) with a in [0, 1): the table holds 1 / (1 + a). */
  int32_t zeros = leading_zeros((uint32_t)sum);
  int32_t one_plus = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14);
  int32_t a = mn_clamp(one_plus - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
  int32_t reciprocal = look_up(one_over_table, a), shift = 31 - zeros;
  for (int32_t d = 0; d < p->depth; d++) {
    int64_t product = (int64_t)y[d] * reciprocal + ((int64_t)1 << (shift - 1));
    y[d] = (int16_t)mn_clamp((int32_t)(product >> shift), 0, INT16_MAX);
  }
}

void mn_softmax_s16_ref(const void *params, const mn_kernel_io *io) {
  const mn_softmax *p = params;
  const int16_t *x = io->x[0];
  int16_t *y = io->y;
  for (int32_t n = 0; n < p->outer; n++)
    row(p, io->constant[0], io->constant[1], x + n * p->depth, y + n * p->depth);
}
