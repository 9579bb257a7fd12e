/* dot.h - the cores of the block kernels: rows times a block of four columns, sums in registers. Each is a
 * function of its own, so that all registers are its. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DOT_H
#define MN_KERNELS_DOT_H

#include <stdint.h>

/* sum[r][c] = sum over k < terms of pair[k][r] * block[k][c]: two rows, so that six loads feed eight
 * multiplications. sum [2][4]. */
void mn_dot_pair(int32_t *sum, const int8_t *pair, const uint8_t *block, int32_t terms);

/* One row, where registers are few or there is no second one. sum [4]. */
void mn_dot_row(int32_t *sum, const int8_t *row, const uint8_t *block, int32_t terms);

/* One row without sign, for cores whose long multiply adds: two sums in each of two. sum [4]. */
void mn_dot_long(int32_t *sum, const uint8_t *row, const uint8_t *block, int32_t terms);

#endif
