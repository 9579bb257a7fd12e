/* mean.h - arithmetic mean over any of up to four axes, int8 or int16.
 *
 *   y = clamp(requantize(sum (x - x_zp)) + y_zp), the division by the count folded into multiplier, shift
 *
 * Shapes    x int8 [N, H, W, C]; y alike with output_n.. = 1 where that axis is averaged, else the
 *           input's size; no constants. The tensor is one row.
 * Ranges    shift in [-31, 30]; at most 2^23 int8 or 2^15 int16 elements are averaged.
 * Memory    allocates nothing; no scratch; x, y disjoint.
 * Errors    none: the plan checked.
 * Variants  _s8_ref, _s16_ref plain C, the definition.
 * Source    TFLite MEAN, int8 and int16.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MEAN_H
#define MN_KERNELS_MEAN_H

#include "kernels/kernel.h"

#define MN_MEAN_FIELDS(X) \
  X(input_n)              \
  X(input_h)              \
  X(input_w)              \
  X(input_c)              \
  X(output_n)             \
  X(output_h)             \
  X(output_w)             \
  X(output_c)             \
  X(input_zero_point)     \
  X(output_zero_point)    \
  X(multiplier)           \
  X(shift)
typedef struct mn_mean {
  MN_MEAN_FIELDS(MN_KERNEL_FIELD)
} mn_mean;

mn_kernel_body mn_mean_s8_sum; /* see pool_sum.h */
mn_kernel_body mn_mean_s8_ref, mn_mean_s16_ref;

#endif
