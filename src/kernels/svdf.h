/* svdf.h - SVDF: a fully connected layer over features and one over time, with memory, int8.
 *
 *   s[b,f] = clamp(requantize1(sum (x[b,i] - x_zp) * k[f,i]) + s_zp), shifted into state[b,f,M-1]
 *   y[b,u] = clamp(requantize2(bias[u] + sum over rank, m (state[b,f,m] - s_zp) * t[f,m]) + y_zp)
 *
 * Shapes    x     int8  [B, I]                                              x[0]
 *           state int16 or int8 [B, F, M], kept from run to run: the one input that a call changes
 *                                                                           x[1]
 *           k     int8  [F, I], F = units * rank                            constant[0]
 *           t     as state [F, M]                                           constant[1]
 *           bias  int32 [units]            may be NULL                      constant[2]
 *           y     int8  [B, units]
 * Ranges    shifts in [-31, 30]; I <= 32768; 32-bit sums wrap as the runtime's do.
 * Memory    allocates nothing; no scratch; x, y, state disjoint. The tensor is one row.
 * Errors    none: the plan checked.
 * Variants  _s8_s16_ref, _s8_s8_ref (type of the state) plain C, the definition.
 * Cost      2*B*F*(I + M) ops.
 * Source    TFLite SVDF, full integer; TFLM applies no fused activation, the output's range is it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_SVDF_H
#define MN_KERNELS_SVDF_H

#include "kernels/kernel.h"

#define MN_SVDF_FIELDS(X) \
  X(batch)                \
  X(inputs)               \
  X(filters)              \
  X(rank)                 \
  X(memory)               \
  X(input_zero_point)     \
  X(state_zero_point)     \
  X(output_zero_point)    \
  X(state_multiplier)     \
  X(state_shift)          \
  X(output_multiplier)    \
  X(output_shift)
typedef struct mn_svdf {
  MN_SVDF_FIELDS(MN_KERNEL_FIELD)
} mn_svdf;

mn_kernel_body mn_svdf_s8_s16_ref, mn_svdf_s8_s8_ref;

#endif
