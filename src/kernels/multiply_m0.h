/* multiply_m0.h - the upper half of a product on cores that multiply 32 by 32 bits to 32.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MULTIPLY_M0_H
#define MN_KERNELS_MULTIPLY_M0_H

#include <stdint.h>

/* x * multiplier / 2^31, rounded half up, where |x| < 2^29 and multiplier = high * 2^16 + low, low without
 * sign. Four products of 16 by 16 bits: with x = h * 2^16 + l, l signed, neither they nor their sums leave
 * 32 bits, and the lowest 16 bits, which are dropped, cannot change what is rounded at bit 30. */
static inline int32_t mn_multiply_high_m0(int32_t x, int32_t high, int32_t low) {
  int32_t l = (int16_t)x, h = (x - l) >> 16;
  int32_t middle = h * low + l * high + ((l * low) >> 16);
  return 2 * h * high + ((middle + (1 << 14)) >> 15);
}

#endif
