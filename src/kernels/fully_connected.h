/* fully_connected.h - matrix times vector, int8.
 *
 *   y[n,o] = clamp(requantize(bias[o] + sum (x[n,i] - x_zp) * (k[o,i] - k_zp)) + y_zp)
 *
 * Shapes    x    int8  [N, I]
 *           k    int8  [O, I]                                             constant[0]
 *           bias int32 [O]            may be NULL                         constant[1]
 *           multiplier int32, shift int8 [O] or [1]                       constant[2], constant[3]
 *           y    int8  [N, O]
 * Ranges    zero points in [-128, 127]; shift in [-31, 30]; I <= 32768 and |bias| < 2^30.
 * Types     _s8 as above. _s4: k int4, two to a byte, low half first, in the same order without
 *           gaps (weight_s4.h). _s16: x, y int16, zero points 0, bias int64, 64-bit sum, shift in
 *           [-31, 7], one rounding.
 * Memory    allocates nothing; no scratch; x, y disjoint. The tensor is one row.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition. _dsp, _exact_dsp (any scale): one constant, the stream of
 *           matrix_dsp.h; no scratch.
 * Cost      2*N*O*I ops.
 * Source    TFLite FULLY_CONNECTED, 8-bit quantization specification.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_FULLY_CONNECTED_H
#define MN_KERNELS_FULLY_CONNECTED_H

#include "kernels/kernel.h"

#define MN_FULLY_CONNECTED_FIELDS(X) \
  X(batch)                           \
  X(inputs)                          \
  X(outputs)                         \
  X(weight_zero_point)               \
  MN_KERNEL_QUANTIZED_FIELDS(X)
typedef struct mn_fully_connected {
  MN_FULLY_CONNECTED_FIELDS(MN_KERNEL_FIELD)
} mn_fully_connected;

mn_kernel_body mn_fully_connected_s8_ref;
mn_kernel_body mn_fully_connected_s8_dsp, mn_fully_connected_exact_s8_dsp;
mn_kernel_body mn_fully_connected_s4_ref, mn_fully_connected_s16_ref;
mn_kernel_body mn_fully_connected_s8_plain, mn_fully_connected_s8_m0, mn_fully_connected_s8_mve;

#endif
