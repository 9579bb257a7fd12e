/* add_mve.c - ADD int8 for Helium, four elements at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* x / 2^-shift, rounded half away from zero; shift in [-31, 0]. */
static inline int32x4_t round_right(int32x4_t x, int32x4_t shift) {
  int32x4_t sign = vshrq_n_s32(vandq_s32(x, shift), 31);
  return vrshlq_s32(vaddq_s32(x, sign), shift);
}

/* One term of the sum. */
static inline int32x4_t term(const int8_t *x, mve_pred16_t some, int32_t zero_point, int32_t left,
                             int32_t multiplier, int32x4_t shift) {
  int32x4_t value = vshlq_r_s32(vsubq_n_s32(vldrbq_z_s32(x, some), zero_point), left);
  return round_right(vqrdmulhq_n_s32(value, multiplier), shift);
}

void mn_add_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_add *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  int32x4_t a_shift = vdupq_n_s32(p->a_shift), b_shift = vdupq_n_s32(p->b_shift);
  int32x4_t shift = vdupq_n_s32(p->output_shift);
  int32x4_t min = vdupq_n_s32(p->output_min), max = vdupq_n_s32(p->output_max);
  int32_t zero_point = p->output_zero_point, multiplier = p->output_multiplier;
  int32_t left = p->left_shift, a_zero = p->a_zero_point, b_zero = p->b_zero_point;
  int32_t a_multiplier = p->a_multiplier, b_multiplier = p->b_multiplier;
  for (int32_t n = io->rows * p->row_elements; n > 0; n -= 4, a += 4, b += 4, y += 4) {
    mve_pred16_t some = vctp32q((uint32_t)n);
    int32x4_t sum = vaddq_s32(term(a, some, a_zero, left, a_multiplier, a_shift),
                              term(b, some, b_zero, left, b_multiplier, b_shift));
    sum = vaddq_n_s32(round_right(vqrdmulhq_n_s32(sum, multiplier), shift), zero_point);
    vstrbq_p_s32(y, vminq_s32(vmaxq_s32(sum, min), max), some);
  }
}

#endif
