/* math.c - integer square root, logarithm and power, by polynomial: the same bits on every core.
 * The coefficients are least-squares fits of our own over Chebyshev nodes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "features/parts.h"

/* a * b of unsigned Q31 numbers. */
static uint32_t multiply_q31(uint32_t a, uint32_t b) {
  return (uint32_t)(((uint64_t)a * b) >> 31);
}

uint32_t mn_sqrt(uint64_t value) {
  if (value == 0) return 0;
  /* value = x 2^(64 - shift), x in [1/4, 1) */
  int32_t shift = __builtin_clzll(value) & ~1;
  uint32_t x = (uint32_t)((value << shift) >> 33); /* Q31 */
  /* y = 1/sqrt(x) in (1, 2]: a cubic within 1 %, Q29, then one Newton step each squares the error
   */
  int64_t seed = 1647672983 - ((3040848522 * (int64_t)x) >> 31);
  int64_t square = multiply_q31(x, x);
  seed += (3121404679 * square) >> 31;
  seed -= (1194006364 * (int64_t)multiply_q31((uint32_t)square, x)) >> 31;
  uint32_t y = (uint32_t)seed; /* Q29 */
  for (int32_t i = 0; i < 2; i++) {
    uint32_t xyy = (uint32_t)(((uint64_t)multiply_q31(x, y) * y) >> 29); /* Q29, near 1 */
    y = (uint32_t)(((uint64_t)y * ((3u << 29) - xyy)) >> 30);
  }
  uint64_t root = (uint64_t)x * y; /* sqrt(x), Q60 */
  int32_t down = 28 + shift / 2;   /* to sqrt(value) = sqrt(x) 2^(32 - shift / 2) */
  return (uint32_t)((root + ((uint64_t)1 << (down - 1))) >> down);
}

int32_t mn_log2(uint64_t value) {
  /* log2(1 + f) = f P(f), error 1.4e-6 */
  static const int32_t polynomial[] = {22001340,  -103150344, 231486417, -364264518,
                                       512932836, -774342589, 1549080089};
  int32_t exponent = 63 - __builtin_clzll(value);
  uint64_t mantissa = value << (63 - exponent);
  int64_t f = (int64_t)((mantissa << 1) >> 34); /* Q30 */
  int64_t sum = 0;
  for (int32_t i = 0; i < 7; i++) sum = ((sum * f) >> 30) + polynomial[i];
  return (exponent << 24) + (int32_t)((sum * f) >> 36);
}

uint64_t mn_exp2(int32_t power) {
  static const int32_t polynomial[] = {2034856,   9605925,   59982743,
                                       257849188, 744269106, 1073741712};
  int32_t whole = power >> 16;
  int64_t f = (int64_t)(power & 0xffff) << 14; /* Q30 */
  int64_t sum = 0;
  for (int32_t i = 0; i < 6; i++) sum = ((sum * f) >> 30) + polynomial[i];
  int32_t shift = whole + 6; /* Q30 to Q36 */
  if (shift < -31) return 0;
  return shift >= 0 ? (uint64_t)sum << shift : (uint64_t)sum >> -shift;
}
