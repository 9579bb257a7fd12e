/* requantize.h - the only integer requantization: a 32-bit sum times a real factor below 2^31, given as
 * a Q0.31 multiplier and a power of two, with TFLite's double rounding. Called by every kernel, by
 * exec and by training. Source: TFLite's 8-bit quantization specification.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_REQUANTIZE_H
#define MN_KERNELS_REQUANTIZE_H

#include <stdint.h>

/* (a * b) / 2^31, rounded half up; the one product that does not fit, (-2^31)^2, saturates. */
static inline int32_t mn_multiply_high(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  int64_t product = (int64_t)a * b;
  return (int32_t)((product + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^exponent, rounded half away from zero; exponent in [0, 31]. */
static inline int32_t mn_shift_right_rounding(int32_t x, int32_t exponent) {
  int32_t mask = (int32_t)((1u << exponent) - 1u);
  int32_t remainder = x & mask;
  int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31). A left shift comes first and wraps as the reference's does. */
static inline int32_t mn_requantize(int32_t x, int32_t multiplier, int32_t shift) {
  int32_t left = shift > 0 ? shift : 0;
  int32_t right = shift > 0 ? 0 : -shift;
  int32_t shifted = (int32_t)((uint32_t)x << left);
  return mn_shift_right_rounding(mn_multiply_high(shifted, multiplier), right);
}

/* The same of a 64-bit sum (int16 activations): 16 bits of the multiplier, one rounding, half up.
 * |x| < 2^47, shift in [-31, 7]. */
static inline int32_t mn_requantize_s64(int64_t x, int32_t multiplier, int32_t shift) {
  int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
  int32_t right = 15 - shift;
  return (int32_t)((x * reduced + ((int64_t)1 << (right - 1))) >> right);
}

static inline int32_t mn_clamp(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : x > high ? high : x;
}

#endif
