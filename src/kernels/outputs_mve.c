/* outputs_mve.c - see outputs_mve.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

int32_t mn_all_shifts_are_right(const int8_t *shift, int32_t count) {
  int32_t most = -128;
  for (int32_t i = 0; i < count; i += 4) most = vmaxvq_s32(most, vldrbq_s32(shift + i));
  return most < 0;
}

/* What stays the same from output to output, kept away from the stores. */
typedef struct limits {
  int32x4_t min, max;
  int32_t zero_point;
} limits;

static inline limits limits_of(const mn_outputs_mve *q) {
  return (limits){vdupq_n_s32(q->min), vdupq_n_s32(q->max), q->zero_point};
}

static inline void write(limits l, int8_t *y, int32x4_t value, mve_pred16_t some) {
  value = vaddq_n_s32(value, l.zero_point);
  vstrbq_p_s32(y, vminq_s32(vmaxq_s32(value, l.min), l.max), some);
}

static void write_three_right(const mn_outputs_mve *q, int8_t *y, const int32_t *sum,
                              int32_t outputs) {
  const limits l = limits_of(q);
  const int32_t *multiplier = q->multiplier;
  const int8_t *shift = q->shift;
  int32_t sums = q->sum_step, step = q->step;
  for (; outputs > 0; outputs -= 4, y += 4, sum += 4, multiplier += 4, shift += 4) {
    int32x4_t m = vldrwq_s32(multiplier), s = vldrbq_s32(shift);
    mve_pred16_t some = vctp32q((uint32_t)outputs);
    write(l, y, mn_requantize_right(vldrwq_s32(sum), m, s), some);
    write(l, y + step, mn_requantize_right(vldrwq_s32(sum + sums), m, s), some);
    write(l, y + 2 * step, mn_requantize_right(vldrwq_s32(sum + 2 * sums), m, s), some);
  }
}

void mn_outputs_write_one(const mn_outputs_mve *q, int8_t *y, const int32_t *sum, int32_t outputs) {
  const limits l = limits_of(q);
  for (int32_t o = 0; o < outputs; o += 4) {
    int32x4_t m = vldrwq_s32(q->multiplier + o), s = vldrbq_s32(q->shift + o);
    write(l, y + o, mn_requantize_any(vldrwq_s32(sum + o), m, s), vctp32q((uint32_t)(outputs - o)));
  }
}

void mn_outputs_write_three(const mn_outputs_mve *q, int8_t *y, const int32_t *sum,
                            int32_t outputs) {
  if (q->right)
    write_three_right(q, y, sum, outputs);
  else
    for (int32_t i = 0; i < 3; i++)
      mn_outputs_write_one(q, y + i * q->step, sum + i * q->sum_step, outputs);
}

#endif
