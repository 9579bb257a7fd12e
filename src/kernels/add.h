/* add.h - elementwise sum of two tensors of one shape, int8 or int16.
 *
 *   y = clamp(rescale(rescale((a - a_zp) << L) + rescale((b - b_zp) << L)) + y_zp)
 *
 * Shapes    x[0] = a, x[1] = b, y: row_elements each row; no constants
 * Ranges    every multiplier in [2^30, 2^31), every shift in [-31, 0]; L is 20 for int8, 15 for
 *           int16, whose zero points are 0.
 * Memory    allocates nothing; no scratch; y may be exactly a or b, or begin before it.
 * Errors    none: the plan checked.
 * Variants  _s8_ref, _s16_ref plain C, the definition.
 * Cost      1 op per element.
 * Source    TFLite ADD, int8 and int16.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ADD_H
#define MN_KERNELS_ADD_H

#include "kernels/kernel.h"

#define MN_ADD_FIELDS(X) \
  X(row_elements)        \
  X(a_zero_point)        \
  X(a_multiplier)        \
  X(a_shift)             \
  X(b_zero_point)        \
  X(b_multiplier)        \
  X(b_shift)             \
  X(left_shift)          \
  X(output_zero_point)   \
  X(output_multiplier)   \
  X(output_shift)        \
  X(output_min)          \
  X(output_max)
typedef struct mn_add {
  MN_ADD_FIELDS(MN_KERNEL_FIELD)
} mn_add;

mn_kernel_body mn_add_s8_mve;
mn_kernel_body mn_add_s8_ref, mn_add_s16_ref;

#endif
