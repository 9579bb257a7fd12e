/* outputs_plain.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/requantize.h"

/* One channel. The last shift, to the right by one more than `shift`, rounds by its last bit. */
typedef struct channel {
  int32_t bias, multiplier, shift;
  int32_t rounded; /* twice the zero point, and one */
} channel;

static inline int32_t value_of(const channel *c, int32_t sum) {
  int32_t x = (int32_t)((uint32_t)sum + (uint32_t)c->bias);
  int32_t value = (int32_t)(((int64_t)x * c->multiplier + ((int64_t)1 << 30)) >> 31);
  value += value >> 31;
  return ((value >> c->shift) + c->rounded) >> 1;
}

/* Limits that are those of int8. */
static void write_whole_range(channel c, int8_t *y, int32_t step, const int32_t *sum,
                              int32_t count) {
  for (const int32_t *end = sum + count; sum != end; y += step) {
    int32_t value = value_of(&c, *sum++);
    if (value != (int8_t)value) value = (value >> 31) ^ INT8_MAX;
    *y = (int8_t)value;
  }
}

static void write_range(channel c, int8_t *y, const mn_outputs *q, const int32_t *sum,
                        int32_t count) {
  int32_t min = q->min, max = q->max, step = q->step;
  for (const int32_t *end = sum + count; sum != end; y += step)
    *y = (int8_t)mn_clamp(value_of(&c, *sum++), min, max);
}

void mn_outputs_write_plain(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
                            int32_t channels, int32_t count) {
  for (int32_t i = first; i < first + channels; i++, sum += q->sum_step) {
    int32_t shift = q->shift[i * q->per_channel];
    channel c = {.bias = (int32_t)((uint32_t)q->bias[i] + (uint32_t)q->start),
                 .multiplier = q->multiplier[i * q->per_channel],
                 .shift = -1 - shift,
                 .rounded = 2 * q->zero_point + 1};
    if (shift >= 0)
      mn_outputs_write_any(q, y + i, sum, c.bias, c.multiplier, shift, count);
    else if (q->max - q->min == INT8_MAX - INT8_MIN)
      write_whole_range(c, y + i, q->step, sum, count);
    else
      write_range(c, y + i, q, sum, count);
  }
}
