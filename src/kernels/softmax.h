/* softmax.h - softmax over the last axis.
 *
 *   y[n,d] = 256 * exp(beta * (x[n,d] - max)) / sum - 128, in fixed point
 *
 * Shapes    x, y [rows of the last axis = outer, depth]
 * Types     _s8: int8 to int8 as above (scale 1/256, zero point -128). _s8_s16: to int16 (scale 1/65536,
 *           zero point -32768). Neither has constants.
 *           _s16: int16 to int16 (scale 1/32768, zero point 0); multiplier and shift map -10 to -65535;
 *           constant[0], constant[1]: int16 [513], exp over [-10, 0] and 1 / (1 + a) over [0, 1].
 * Ranges    multiplier >= 0, left_shift in [0, 31]; depth <= 511, so that the last shift stays below 32
 *           (_s16: <= 65535, so that the sum fits, and shift in [-31, 30]).
 * Memory    allocates nothing; no scratch; y may be exactly x, or begin before it (_s8_s16:
 *           disjoint). The tensor is one row.
 * Errors    none: the plan checked.
 * Variants  _s8_ref, _s8_s16_ref, _s16_ref plain C, the definition.
 * Source    TFLite SOFTMAX; the exponential and reciprocal follow gemmlowp's fixed-point rules.
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

mn_kernel_body mn_softmax_s8_ref, mn_softmax_s8_s16_ref, mn_softmax_s16_ref;

#endif
