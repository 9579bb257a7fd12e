/* depthwise_conv_2d.h - depthwise 2-D convolution, int8; `multiplier` outputs per input channel.
 *
 *   y[h,w,c*M+m] = clamp(requantize(bias[o] + sum (x[h',w',c] - x_zp) * k[i,j,o]) + y_zp), o = c*M+m
 *
 * Shapes    x    int8  [1, H, W, C]      NHWC
 *           k    int8  [1, KH, KW, O]    O = C*M, symmetric               constant[0]
 *           bias int32 [O]               may be NULL                      constant[1]
 *           multiplier int32, shift int8 [O] or [1]                       constant[2], constant[3]
 *           y    int8  [1, OH, OW, O]
 * Ranges    as conv_2d.h.
 * Types     _s8 as above. _s4: k int4, two to a byte, low half first, in the same order without
 *           gaps (weight_s4.h). _s16: x, y int16, zero points 0, bias int64, 64-bit sum, shift in
 *           [-31, 7], one rounding.
 * Memory    allocates nothing; _ref needs no scratch; x, y disjoint.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition. _dsp over int16 planes in scratch; with M = 1, stride 1 and
 *           equal shapes y may lie exactly over x.
 * Cost      2*OH*OW*O*KH*KW ops.
 * Source    TFLite DEPTHWISE_CONV_2D, 8-bit quantization specification.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_CONV_2D_H
#define MN_KERNELS_DEPTHWISE_CONV_2D_H

#include "kernels/kernel.h"

#define MN_DEPTHWISE_CONV_2D_FIELDS(X) \
  MN_KERNEL_WINDOW_FIELDS(X) MN_KERNEL_QUANTIZED_FIELDS(X) X(channel_multiplier)
typedef struct mn_depthwise_conv_2d {
  MN_DEPTHWISE_CONV_2D_FIELDS(MN_KERNEL_FIELD)
} mn_depthwise_conv_2d;

mn_kernel_body mn_depthwise_conv_2d_s8_ref;
mn_kernel_body mn_depthwise_conv_2d_s4_ref, mn_depthwise_conv_2d_s16_ref;
mn_kernel_body mn_depthwise_conv_2d_s8_plain, mn_depthwise_conv_2d_s8_m0;
mn_kernel_body mn_depthwise_conv_2d_s8_mve;

/* Output rows that the block kernels do at a time: their scratch stays below about 1 KB. */
static inline int32_t mn_depthwise_strip(int32_t output_h, int32_t output_w) {
  int32_t rows = output_w < 128 ? 128 / output_w : 1;
  return rows < output_h ? rows : output_h;
}

/* The same of _mve, whose strips hold sixteen channels. */
static inline int32_t mn_depthwise_strip_mve(int32_t output_h, int32_t output_w) {
  int32_t rows = output_w < 32 ? 32 / output_w : 1;
  return rows < output_h ? rows : output_h;
}

/* Constants packed as depthwise_3x3.h and depthwise_conv_2d_dsp.c say. */
mn_kernel_body mn_depthwise_3x3_s8_dsp, mn_depthwise_3x3_narrow_s8_dsp;
mn_kernel_body mn_depthwise_conv_2d_s8_dsp;

/* Whether the kernel for any window lays its lines along the height: where that is all there is. */
static inline int32_t mn_depthwise_conv_2d_is_turned(const mn_depthwise_conv_2d *p) {
  return p->output_w == 1 && p->kernel_h > p->kernel_w;
}

#endif
