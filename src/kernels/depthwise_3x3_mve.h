/* depthwise_3x3_mve.h - DEPTHWISE_CONV_2D int8 3x3 for Helium, stride 1 or 2, one output per channel: what
 * depthwise_conv_2d.h says, constants as depthwise_conv_2d_mve.c, scratch as below.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DEPTHWISE_3X3_MVE_H
#define MN_KERNELS_DEPTHWISE_3X3_MVE_H

#include "kernels/depthwise_conv_2d.h"

typedef mn_depthwise_conv_2d mn_depthwise_3x3_mve;

mn_kernel_body mn_depthwise_3x3_s8_mve;

/* Scratch of _3x3_mve: columns of a padded row; pairs of rows in which outputs of a strip begin, strips of
 * about 1 KB alike; and as many places of four outputs. */
static inline int32_t mn_depthwise_3x3_columns_mve(const mn_depthwise_conv_2d *p) {
  return (p->output_w - 1) * p->stride_w + 3;
}

static inline int32_t mn_depthwise_3x3_pairs_mve(const mn_depthwise_conv_2d *p) {
  int32_t fit = 1024 / (16 * mn_depthwise_3x3_columns_mve(p)) - 1;
  int32_t all = p->stride_h == 1 ? (p->output_h + 1) / 2 : p->output_h;
  int32_t strips = fit > 1 ? (all + fit - 1) / fit : all;
  return (all + strips - 1) / strips;
}

static inline int32_t mn_depthwise_3x3_spots_mve(const mn_depthwise_conv_2d *p) {
  int32_t row = p->stride_h == 1 ? (p->output_w + 1) / 2 : (p->output_w + 3) / 4;
  return row * mn_depthwise_3x3_pairs_mve(p);
}

#endif
