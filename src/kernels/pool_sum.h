/* pool_sum.h - sums over whole maps that come a few rows at a time: the last op of a loop.
 *
 * Shapes    parameters, x and y as for average_pool_2d (window = map) or mean (over H and W of
 *           [1, H, W, C]), bit for bit the same result. first_row and rows count rows of x: the calls go
 *           from row 0 down to the last row, each row once; the call with the last row writes y.
 * Ranges    as there.
 * Memory    allocates nothing; scratch: int32 [C], kept by the caller from call to call; x, y disjoint.
 * Errors    none: the plan checked.
 * Variants  _sum plain C.
 * Cost      H*W*C additions, C loads and stores a call.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_POOL_SUM_H
#define MN_KERNELS_POOL_SUM_H

#include "kernels/kernel.h"

/* Adds the rows of a call to sum [c]; x [rows, W, C] begins with the call's first row. */
static inline void mn_pool_sum_add(int32_t *sum, const mn_kernel_io *io, int32_t w, int32_t c) {
  const int8_t *x = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * w * c;
  if (io->first_row == 0)
    for (int32_t k = 0; k < c; k++) sum[k] = 0;
  for (int32_t i = 0; i < io->rows * w; i++, x += c)
    for (int32_t k = 0; k < c; k++) sum[k] += x[k];
}

#endif
