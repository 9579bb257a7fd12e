/* pool_2d.h - average and maximum over a window, int8 or int16; input and output share scale and zero point.
 *
 *   average: y = clamp(sum / n, rounded half away from zero), n = positions of the window inside x
 *   max:     y = clamp(max)
 *
 * Shapes    x, y [1, H, W, C], [1, OH, OW, C]; no constants
 * Ranges    output_min <= output_max in the range of the type; dilation fields are 1.
 * Memory    allocates nothing; no scratch; x, y disjoint.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition.
 * Cost      OH*OW*C*KH*KW additions or comparisons.
 * Source    TFLite AVERAGE_POOL_2D, MAX_POOL_2D.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_POOL_2D_H
#define MN_KERNELS_POOL_2D_H

#include "kernels/kernel.h"

#define MN_POOL_2D_FIELDS(X) MN_KERNEL_WINDOW_FIELDS(X) X(output_min) X(output_max)
typedef struct mn_pool_2d {
  MN_POOL_2D_FIELDS(MN_KERNEL_FIELD)
} mn_pool_2d;

mn_kernel_body mn_average_pool_2d_s8_sum; /* see pool_sum.h */
mn_kernel_body mn_average_pool_2d_s8_mve;
mn_kernel_body mn_average_pool_2d_s8_ref, mn_max_pool_2d_s8_ref;
mn_kernel_body mn_average_pool_2d_s8_dsp; /* windows of at most 255 positions */
mn_kernel_body mn_average_pool_2d_s16_ref, mn_max_pool_2d_s16_ref;

/* The part of a window that lies inside the input: [top, bottom) x [left, right). */
typedef struct mn_pool_window {
  int32_t top, bottom, left, right;
} mn_pool_window;

static inline mn_pool_window mn_pool_window_at(const mn_pool_2d *p, int32_t h, int32_t w) {
  int32_t top = h * p->stride_h - p->pad_top, left = w * p->stride_w - p->pad_left;
  int32_t bottom = top + p->kernel_h, right = left + p->kernel_w;
  return (mn_pool_window){top < 0 ? 0 : top, bottom > p->input_h ? p->input_h : bottom,
                          left < 0 ? 0 : left, right > p->input_w ? p->input_w : right};
}

#endif
