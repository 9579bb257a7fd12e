/* outputs_m0.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/multiply_m0.h"

/* A right shift by one more than `shift`; its last bit is what rounds. */
static void write_right(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t bias,
                        int32_t multiplier, int32_t shift, int32_t count) {
  int32_t high = multiplier >> 16, low = multiplier & 0xffff;
  for (const int32_t *end = sum + count; sum != end; y += q->step) {
    int32_t x = *sum++ + bias;
    x = mn_multiply_high_m0(x, high, low);
    x += x >> 31;
    x = (((x >> shift) + 1) >> 1) + q->zero_point;
    if (x < q->min) x = q->min;
    if (x > q->max) x = q->max;
    *y = (int8_t)x;
  }
}

void mn_outputs_write_m0(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
                         int32_t channels, int32_t count) {
  for (int32_t c = first; c < first + channels; c++, sum += q->sum_step) {
    int32_t bias = (int32_t)((uint32_t)q->bias[c] + (uint32_t)q->start);
    int32_t multiplier = q->multiplier[c * q->per_channel], shift = q->shift[c * q->per_channel];
    if (shift < 0)
      write_right(q, y + c, sum, bias, multiplier, -1 - shift, count);
    else
      mn_outputs_write_any(q, y + c, sum, bias, multiplier, shift, count);
  }
}
