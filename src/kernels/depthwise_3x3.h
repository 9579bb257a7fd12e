/* depthwise_3x3.h - depthwise 3x3 convolution, int8, stride 1 or 2, one output per channel, over int16
 * planes in scratch, with the requantization folded into two instructions (plan/fold_requantize.h).
 *
 *   y[h,w,c] = SSAT8((high word of acc * multiplier[c] + offset[c]) >> MN_FOLDED_SHIFT),
 *   acc = bias[c] + sum x[h',w',c] * k[i,j,c], x = the input's zero point outside
 *
 * Shapes    x, y as depthwise_conv_2d.h, channel multiplier 1
 *           k      int32 [C, 3, 2]: w0 + w1 * 2^16, w1 + w2 * 2^16, shifted left          constant[0]
 *           folded int32 [C, 3]: bias, multiplier, offset                                 constant[1]
 *                  (bias: shifted and nudged, the input's zero point taken in)
 * Ranges    acc wraps on its way and fits an int32 at its end: the plan proved it.
 * Memory    scratch of mn_planes_bytes: the planes of two channels, a strip of rows; _narrow: within
 *           MN_PLANES_NARROW where that holds one row, more strips, for layers where memory counts.
 *           Stride 1 with equal shapes: y may lie exactly over x.
 * Errors    none: the plan checked.
 * Variants  one body over one strip function: assembly where the compiler is GNU's or clang for a core
 *           with DSP instructions, else C.
 * Cost      2*OH*OW*C*9 ops.
 * Source    TFLite DEPTHWISE_CONV_2D, 8-bit quantization specification.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_3X3_H
#define MN_KERNELS_DEPTHWISE_3X3_H

#include "kernels/depthwise_conv_2d.h"

#define MN_FOLDED_SHIFT 8
#define MN_DEPTHWISE_3X3_WEIGHTS 6 /* words per channel */
#define MN_DEPTHWISE_3X3_FOLDED 3  /* words per channel */
#define MN_DEPTHWISE_3X3_PLANES 2

/* ---- The inner part: lines of outputs of one channel ------------------------------------------
 * Steps are in bytes and counts in bytes of the plane, so that assembly adds them as they are. A line
 * has `pairs` of neighbouring outputs (stride 1), then `singles` (stride 2: all; else an odd last). */
typedef struct mn_depthwise_3x3_strip {
  const int16_t *x; /* the plane, at the first output's window */
  int8_t *y;
  int32_t pitch;
  int32_t x_skip; /* from behind a line's last output to the next line's first window */
  int32_t y_step; /* from output to output */
  int32_t y_skip; /* from behind a line's last output to the next line's first */
  int32_t pairs, singles;
  const int16_t *end;     /* x behind the last line */
  const int32_t *weights; /* [3, 2], along lines */
  const int32_t *folded;  /* [3] */
} mn_depthwise_3x3_strip;

void mn_depthwise_3x3_run(const mn_depthwise_3x3_strip *strip);

#endif
