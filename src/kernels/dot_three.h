/* dot_three.h - four sums of products from three: one row of values times a block of words of four bytes,
 * x0 + 2^8 x1 + 2^16 x2 + 2^24 x3 each. With S0..S3 the sums of value * x0..x3, three sums modulo 2^32,
 *
 *   whole    of value * word                       = S0 + 2^8 S1 + 2^16 S2 + 2^24 S3
 *   upper    of value * (word >> 16)               = S2 + 2^8 S3
 *   swapped  of value * (bytes of halves swapped)  = S1 + 2^8 S0 + 2^16 S3 + 2^24 S2
 *
 * hold all four where |S| < 2^23 - 2^15. whole - 2^16 upper = S0 + 2^8 S1 is exact, so S1 is known up to
 * S0 / 2^8, that is to 16 bits; and `swapped` has its lower 16 bits. The same gives S2 and S3.
 *
 * Three multiply-adds make four products, and the block takes a byte a value.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DOT_THREE_H
#define MN_KERNELS_DOT_THREE_H

#include <stdint.h>

typedef struct mn_three {
  uint32_t whole, upper, swapped;
} mn_three;

/* sum [2] from S0 + 2^8 S1, and S1 + 2^8 S0 modulo 2^16. */
static inline void mn_three_split_two(int32_t *sum, int32_t both, uint32_t swapped) {
  int32_t high = both >> 8;
  int32_t more = (int16_t)(swapped - ((uint32_t)both << 8) - (uint32_t)high);
  sum[0] = (both & 255) - more * 256;
  sum[1] = high + more;
}

/* sum [4] = S0..S3. */
static inline void mn_three_split(int32_t *sum, const mn_three *t) {
  mn_three_split_two(sum, (int32_t)(t->whole - (t->upper << 16)), t->swapped);
  uint32_t rest = t->swapped - (uint32_t)sum[1] - ((uint32_t)sum[0] << 8);
  mn_three_split_two(sum + 2, (int32_t)t->upper, rest >> 16);
}

/* In C, for compilers other than GCC, unoptimised builds and the machine that runs the tests. */
static inline void mn_three_term(mn_three *t, int32_t value, const uint8_t *x) {
  uint32_t v = (uint32_t)value, low = x[0] | (uint32_t)x[1] << 8, high = x[2] | (uint32_t)x[3] << 8;
  t->whole += v * (low | high << 16);
  t->upper += v * high;
  t->swapped += v * (x[1] | (uint32_t)x[0] << 8 | (uint32_t)x[3] << 16 | (uint32_t)x[2] << 24);
}

/* Whether the assembly is compiled: for GCC optimising for Thumb, where it keeps no register for
 * position-independent code. 1: Thumb-1; 2: Thumb-2. */
#if !defined(__thumb__) || !defined(__OPTIMIZE__) || !defined(__GNUC__) || defined(__clang__) || \
    defined(__PIC__)
#define MN_THREE_ASSEMBLY 0
#elif defined(__thumb2__)
#define MN_THREE_ASSEMBLY 2
#else
#define MN_THREE_ASSEMBLY 1
#endif

#endif
