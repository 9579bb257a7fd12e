/* add_linear.h - ADD int8 as one linear function of both inputs, in 32 bits:
 *
 *   y = clamp((a * a_multiplier + b * b_multiplier + offset) >> shift)
 *
 * The plan chose the numbers and compared all 65536 pairs of inputs with the definition (add.h); where
 * none do, this kernel is refused.
 *
 * Shapes    x[0] = a, x[1] = b, y: int8, row_elements each row; no constants
 * Ranges    no sum leaves an int32; shift in [0, 31].
 * Memory    allocates nothing; no scratch; y may be exactly a or b, or begin before it.
 * Errors    none: the plan checked.
 * Variants  _plain any core; _dsp one SSAT for the clamp: output_min -128, output_max 127; _mve
 *           Helium.
 * Cost      2 multiplications per element.
 * Source    TFLite ADD, int8.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ADD_LINEAR_H
#define MN_KERNELS_ADD_LINEAR_H

#include "kernels/kernel.h"

#define MN_ADD_LINEAR_FIELDS(X) \
  X(row_elements)               \
  X(a_multiplier)               \
  X(b_multiplier)               \
  X(offset)                     \
  X(shift)                      \
  X(output_min)                 \
  X(output_max)
typedef struct mn_add_linear {
  MN_ADD_LINEAR_FIELDS(MN_KERNEL_FIELD)
} mn_add_linear;

mn_kernel_body mn_add_linear_s8_plain, mn_add_linear_s8_dsp, mn_add_linear_s8_mve;

#endif
