/* rescale.h - QUANTIZE between integer tensors: another scale and zero point for the same reals.
 *
 *   y = clamp(requantize(x - x_zp) + y_zp)
 *
 * Shapes    x, y int8, row_elements each row; no constants. _any: types as input_type, output_type say
 * Ranges    shift in [-31, 30].
 * Memory    allocates nothing; no scratch; y may be exactly x, or begin before it (_any: disjoint).
 * Errors    none: the plan checked.
 * Variants  _s8_ref int8 to int8, _any_ref the other pairs; plain C, the definition.
 * Source    TFLite QUANTIZE (requantize).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_RESCALE_H
#define MN_KERNELS_RESCALE_H

#include "kernels/kernel.h"

#define MN_RESCALE_FIELDS(X) \
  X(row_elements)            \
  X(input_zero_point)        \
  X(output_zero_point)       \
  X(multiplier)              \
  X(shift)
typedef struct mn_rescale {
  MN_RESCALE_FIELDS(MN_KERNEL_FIELD)
} mn_rescale;

#define MN_RESCALE_ANY_FIELDS(X) MN_RESCALE_FIELDS(X) X(input_type) X(output_type)
typedef struct mn_rescale_any {
  MN_RESCALE_ANY_FIELDS(MN_KERNEL_FIELD)
} mn_rescale_any;
enum { MN_RESCALE_S8, MN_RESCALE_U8, MN_RESCALE_S16, MN_RESCALE_S32 }; /* input_type, output_type */

mn_kernel_body mn_rescale_s8_ref, mn_rescale_any_ref;

#endif
