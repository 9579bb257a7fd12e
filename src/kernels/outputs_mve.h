/* outputs_mve.h - sums become int8 outputs, four neighbouring channels at a time, bit for bit as
 * requantize.h. Constants are padded to a multiple of four channels.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_OUTPUTS_MVE_H
#define MN_KERNELS_OUTPUTS_MVE_H

#include "kernels/kernel.h"

typedef struct mn_outputs_mve {
  const int32_t *multiplier; /* [O rounded up to 4] */
  const int8_t *shift;
  int32_t zero_point, min, max;
  int32_t step;     /* of y from one position to the next */
  int32_t sum_step; /* of the sums */
  int32_t right;    /* every shift is to the right */
} mn_outputs_mve;

/* Whether every shift of `count` is to the right, so that the short rule will do. */
int32_t mn_all_shifts_are_right(const int8_t *shift, int32_t count);

/* From the parameters of a kernel of `outputs` channels, and its constants. */
#define MN_OUTPUTS_MVE(p, io, outputs, sums)                                                       \
  ((mn_outputs_mve){(io)->constant[2], (io)->constant[3], (p)->output_zero_point, (p)->output_min, \
                    (p)->output_max, outputs, sums,                                                \
                    mn_all_shifts_are_right((io)->constant[3], ((outputs) + 3) & ~3)})

/* y [3][outputs] from sum [3][outputs rounded up to 4]; or of one position. */
void mn_outputs_write_three(const mn_outputs_mve *q, int8_t *y, const int32_t *sum,
                            int32_t outputs);
void mn_outputs_write_one(const mn_outputs_mve *q, int8_t *y, const int32_t *sum, int32_t outputs);

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* VQRDMULH is mn_multiply_high. VRSHL rounds half up: one is taken from what is negative and shifted. */
static inline int32x4_t mn_requantize_any(int32x4_t sum, int32x4_t multiplier, int32x4_t shift) {
  int32x4_t none = vdupq_n_s32(0), right = vminq_s32(shift, none);
  int32x4_t high = vqrdmulhq_s32(vshlq_s32(sum, vmaxq_s32(shift, none)), multiplier);
  int32x4_t sign = vshrq_n_s32(vandq_s32(high, right), 31);
  return vrshlq_s32(vaddq_s32(high, sign), right);
}

/* The same where the shift is to the right. */
static inline int32x4_t mn_requantize_right(int32x4_t sum, int32x4_t multiplier, int32x4_t shift) {
  int32x4_t high = vqrdmulhq_s32(sum, multiplier);
  return vrshlq_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shift);
}
#endif

#endif
