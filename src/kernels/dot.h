/* dot.h - the cores of the block kernels: rows times a block of four columns, sums in registers. Each is a
 * function of its own, so that all registers are its. Blocks begin at a multiple of 4; terms > 0.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DOT_H
#define MN_KERNELS_DOT_H

#include <stdint.h>

/* mn_dot_halves() in assembly: where GCC optimises for cores with eight registers, and keeps none of
 * them for position-independent code. */
#if defined(__thumb__) && !defined(__thumb2__) && defined(__OPTIMIZE__) && defined(__GNUC__) && \
    !defined(__clang__) && !defined(__PIC__)
#define MN_DOT_ASSEMBLY 1
#else
#define MN_DOT_ASSEMBLY 0
#endif

/* sum[r][c] = sum over k < terms of pair[k][r] * block[k][c], two rows. sum [2][4]. */
void mn_dot_pair(int32_t *sum, const int8_t *pair, const uint8_t *block, int32_t terms);

/* One row without sign times one block after the other. sum [blocks][4]. */
void mn_dot_row(int32_t *sum, const uint8_t *row, const uint8_t *block, int32_t terms,
                int32_t blocks);

/* One row times columns in the halves of words, as mn_gather_halves() makes them; terms < 2^17, so that
 * every sum fits. One multiplication makes two products. sum [4]. */
void mn_dot_halves(int32_t *sum, const int8_t *row, const int16_t *block, int32_t terms);

#endif
