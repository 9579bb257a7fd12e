/* outputs_mve.h - sums become int8 outputs, four at a time, bit for bit as requantize.h.
 *
 * Constants bias int32 [1], multiplier int32 [2], shift int8 [3]: one for each channel, padded to a multiple
 * of four channels
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_OUTPUTS_MVE_H
#define MN_KERNELS_OUTPUTS_MVE_H

#include "kernels/kernel.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* The predicate in a list of what assembly changes: GCC names it, clang has no name for it. */
#if defined(__clang__)
#define MN_MVE_PREDICATE
#else
#define MN_MVE_PREDICATE "p0",
#endif

/* Whether every shift of `count` channels, a multiple of four, is to the right. */
static inline int32_t mn_all_shifts_are_right(const int8_t *shift, int32_t count) {
  int32_t most = -128;
  for (int32_t i = 0; i < count; i += 4) most = vmaxvq_s32(most, vldrbq_s32(shift + i));
  return most < 0;
}

/* VQRDMULH is mn_multiply_high. VRSHL rounds half up: one is taken from what is negative and shifted. */
static inline int32x4_t mn_requantize_any(int32x4_t sum, int32x4_t multiplier, int32x4_t shift) {
  int32x4_t none = vdupq_n_s32(0), right = vminq_s32(shift, none);
  int32x4_t high = vqrdmulhq_s32(vshlq_s32(sum, vmaxq_s32(shift, none)), multiplier);
  int32x4_t sign = vshrq_n_s32(vandq_s32(high, right), 31);
  return vrshlq_s32(vaddq_s32(high, sign), right);
}

/* The same in assembly, for four sums of one channel. The offsets of the fields are in MN_FINISH_MVE. */
typedef struct mn_rule_mve {
  int32_t bias, left, multiplier, away, right,
      zero_point; /* away: 1 where a shift is to the right */
  int32_t min[4], max[4];
} mn_rule_mve;

static inline mn_rule_mve mn_rule_mve_begin(int32_t zero_point, int32_t min, int32_t max) {
  return (mn_rule_mve){
      .zero_point = zero_point, .min = {min, min, min, min}, .max = {max, max, max, max}};
}

static inline void mn_rule_mve_channel(mn_rule_mve *r, int32_t bias, int32_t multiplier,
                                       int32_t shift) {
  r->bias = bias, r->multiplier = multiplier, r->away = shift < 0;
  r->left = shift < 0 ? 0 : shift, r->right = shift < 0 ? shift : 0;
}

/* Sums in q1, without the bias, become outputs; q0 and the registers a, b, c, d are used up. */
#define MN_FINISH_MVE                 \
  "ldrd %[a], %[b], [%[rule]]\n"      \
  "ldrd %[c], %[d], [%[rule], #8]\n"  \
  "vadd.i32 q1, q1, %[a]\n"           \
  "vshl.s32 q1, %[b]\n"               \
  "vqrdmulh.s32 q1, q1, %[c]\n"       \
  "ldrd %[a], %[b], [%[rule], #16]\n" \
  "vshr.s32 q0, q1, #31\n"            \
  "vmla.s32 q1, q0, %[d]\n"           \
  "vrshl.s32 q1, %[a]\n"              \
  "vldrw.32 q0, [%[rule], #24]\n"     \
  "vadd.i32 q1, q1, %[b]\n"           \
  "vmax.s32 q1, q1, q0\n"             \
  "vldrw.32 q0, [%[rule], #40]\n"     \
  "vmin.s32 q1, q1, q0\n"
#endif

#endif
