/* softmax.h - softmax over the last axis, int8 in, int8 out (scale 1/256, zero point -128).
 *
 *   y[n,d] = 256 * exp(beta * (x[n,d] - max)) / sum - 128, in fixed point
 *
 * Shapes    x, y int8 [rows of the last axis = outer, depth]; no constants
 * Ranges    multiplier >= 0, left_shift in [0, 31]; depth <= 511, so that the last shift stays below 32.
 * Memory    allocates nothing; no scratch; y may be exactly x, or begin before it.  The tensor is one row.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition.
 * Source    TFLite SOFTMAX, int8; the exponential and reciprocal follow gemmlowp's fixed-point rules.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_SOFTMAX_H
#define MN_KERNELS_SOFTMAX_H

#include "kernels/kernel.h"

#define MN_SOFTMAX_FIELDS(X) \
  X(outer)                   \
  X(depth)                   \
  X(input_multiplier)        \
  X(input_left_shift)        \
  X(difference_min)
typedef struct mn_softmax {
  MN_SOFTMAX_FIELDS(MN_KERNEL_FIELD)
} mn_softmax;

mn_kernel_body mn_softmax_s8_ref;

#endif
