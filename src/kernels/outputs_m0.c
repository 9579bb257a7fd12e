/* outputs_m0.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/requantize.h"

/* A right shift by one more than `shift` of x * multiplier / 2^31, rounded half up, where |x| < 2^29 and
 * multiplier = high * 2^16 + low, low without sign. Four products of 16 by 16 bits: with x = h * 2^16 + l, l signed, neither
 * they nor their sums leave 32 bits, and the lowest 16 bits, which are dropped, cannot change what is
 * rounded at bit 30. The last bit of the shift is what rounds. */
static void write_right(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t bias,
                        int32_t multiplier, int32_t shift, int32_t count) {
  int32_t high = multiplier >> 16, low = multiplier & 0xffff;
  for (const int32_t *end = sum + count; sum != end; y += q->step) {
    int32_t x = *sum++ + bias;
    int32_t l = (int16_t)x, h = (x - l) >> 16;
    int32_t middle = h * low + l * high + ((l * low) >> 16);
    x = 2 * h * high + (((middle >> 14) + 1) >> 1);
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
