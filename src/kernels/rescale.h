/* rescale.h - QUANTIZE between integer tensors: another scale and zero point for the same reals.
 *
 *   y = clamp(requantize(x - x_zp) + y_zp)
 *
 * Shapes    x, y int8, row_elements each row; no constants
 * Ranges    shift in [-31, 30].
 * Memory    allocates nothing; no scratch; y may be exactly x, or begin before it.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition.
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

mn_kernel_body mn_rescale_s8_ref;

#endif
