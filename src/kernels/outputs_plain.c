/* outputs_plain.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/requantize.h"

/* A right shift by one more than `shift`: the last bit is what rounds. */
static void write_right(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t bias,
                        int32_t multiplier, int32_t shift, int32_t count) {
  int32_t zero_point = 2 * q->zero_point + 1, min = q->min, max = q->max, step = q->step;
  for (const int32_t *end = sum + count; sum != end; y += step) {
    int32_t x = (int32_t)((uint32_t)*sum++ + (uint32_t)bias);
    int32_t value = (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 30)) >> 31);
    value += value >> 31;
    value = ((value >> shift) + zero_point) >> 1;
    *y = (int8_t)mn_clamp(value, min, max);
  }
}

void mn_outputs_write_plain(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
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
