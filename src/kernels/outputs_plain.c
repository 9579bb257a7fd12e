/* outputs_plain.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/requantize.h"

/* One channel. With x twice the sum and its bias, the upper word of x * multiplier + 2^31 is TFLite's
 * product, rounded; `offset` brings the zero point and the half that the shift to the right rounds by. Halves
 * go away from zero: one less where x is negative. */
typedef struct channel {
  int32_t twice_bias, multiplier, right, offset;
} channel;

static inline int32_t value_of(const channel *c, int32_t sum) {
  int32_t x = (int32_t)(2 * (uint32_t)sum + (uint32_t)c->twice_bias);
  uint32_t high = (uint32_t)(c->offset + (x >> 31));
  int64_t product = (int64_t)((uint64_t)high << 32 | 1u << 31) + (int64_t)x * c->multiplier;
  return (int32_t)(product >> 32) >> c->right;
}

static inline int32_t saturated(int32_t x) {
#if defined(__thumb2__) && defined(__GNUC__)
  __asm__("ssat %0, #8, %0" : "+r"(x));
  return x;
#else
  return mn_clamp(x, INT8_MIN, INT8_MAX);
#endif
}

/* Limits that are those of int8. */
static inline void write_whole_range(const channel *c, int8_t *y, int32_t step, const int32_t *sum,
                                     const int32_t *end) {
  do {
    *y = (int8_t)saturated(value_of(c, *sum++));
    y += step;
  } while (sum != end);
}

static inline void write_range(const channel *c, int8_t *y, const mn_outputs *q, const int32_t *sum,
                               const int32_t *end) {
  const int32_t min = q->min, max = q->max, step = q->step;
  do {
    *y = (int8_t)mn_clamp(value_of(c, *sum++), min, max);
    y += step;
  } while (sum != end);
}

void mn_outputs_write_plain(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
                            int32_t channels, int32_t count) {
  const int32_t whole = q->max - q->min == INT8_MAX - INT8_MIN;
  y += first;
  for (int32_t i = first; i < first + channels; i++, y++, sum += q->sum_step) {
    int32_t k = i * q->per_channel, right = -q->shift[k];
    uint32_t bias = (uint32_t)q->bias[i] + (uint32_t)q->start;
    channel c = {(int32_t)(2 * bias), q->multiplier[k], right, 0};
    if (right < 1 || right > MN_OUTPUTS_MOST_SHIFT) {
      mn_outputs_write_any(q, y, sum, (int32_t)bias, c.multiplier, -right, count);
      continue;
    }
    c.offset = (2 * q->zero_point + 1) * (1 << (right - 1));
    if (whole)
      write_whole_range(&c, y, q->step, sum, sum + count);
    else
      write_range(&c, y, q, sum, sum + count);
  }
}
