/* conv_2d.h - 2-D convolution: int8 activations with int8 or int4 weights, int16 activations
 * with int8 weights.
 *
 *   y[h,w,o] = clamp(requantize(bias[o] + sum (x[h',w',c] - x_zp) * k[o,i,j,c]) + y_zp)
 *
 * Shapes    x    int8  [1, H, W, C]      NHWC
 *           k    int8  [O, KH, KW, C]    OHWI, symmetric (zero point 0)   constant[0]
 *           bias int32 [O]               may be NULL                      constant[1]
 *           multiplier int32, shift int8 [O] or [1]                       constant[2], constant[3]
 *           y    int8  [1, OH, OW, O]
 * Ranges    zero points in [-128, 127]; shift in [-31, 30]; KH*KW*C <= 32768 and |bias| < 2^30.
 * Types     _s8 as above. _s4: k int4, two to a byte, low half first, in the same order without
 *           gaps (weight_s4.h). _s16: x, y int16, zero points 0, bias int64, 64-bit sum, shift in
 *           [-31, 7], one rounding. _s16_b32: the same with an int32 bias or none: 32-bit sum that
 *           wraps, two roundings.
 * Memory    allocates nothing; _ref needs no scratch; x, y disjoint, but in _1x1_dsp (PIXEL).
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition. _dsp, _1x1_dsp (1x1, stride 1), _exact_dsp (any scale): one
 *           constant, the stream of matrix_dsp.h; scratch int16, a few positions x KH*KW*C.
 * Cost      2*OH*OW*O*KH*KW*C ops.
 * Source    TFLite CONV_2D, 8-bit quantization specification.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_CONV_2D_H
#define MN_KERNELS_CONV_2D_H

#include "kernels/kernel.h"

#define MN_CONV_2D_FIELDS(X) MN_KERNEL_WINDOW_FIELDS(X) MN_KERNEL_QUANTIZED_FIELDS(X)
typedef struct mn_conv_2d {
  MN_CONV_2D_FIELDS(MN_KERNEL_FIELD)
} mn_conv_2d;

mn_kernel_body mn_conv_2d_s8_ref;
mn_kernel_body mn_conv_2d_s4_ref, mn_conv_2d_s16_ref, mn_conv_2d_s16_b32_ref;
mn_kernel_body mn_conv_2d_s8_dsp, mn_conv_2d_1x1_s8_dsp, mn_conv_2d_exact_s8_dsp;
mn_kernel_body mn_conv_2d_s8_plain, mn_conv_2d_s8_m0, mn_conv_2d_s8_mve;

#endif
