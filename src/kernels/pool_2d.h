/* pool_2d.h - average and maximum over a window, int8; input and output share scale and zero point.
 *
 *   average: y = clamp(sum / n, rounded half away from zero), n = positions of the window inside x
 *   max:     y = clamp(max)
 *
 * Shapes    x, y int8 [1, H, W, C], [1, OH, OW, C]; no constants
 * Ranges    output_min <= output_max in [-128, 127]; dilation fields are 1.
 * Memory    allocates nothing; no scratch; x, y disjoint, or y over x (see the kernel table: a window
 *           that no later output reads may be overwritten).
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

mn_kernel_body mn_average_pool_2d_s8_ref, mn_max_pool_2d_s8_ref;

#endif
