/* host.h - kernels for the vector units of the host, bit-exact with the reference ones. One source
 * (conv_body.h, depthwise_body.h, add_body.h) is compiled once per instruction set; the kernel table
 * has a row for each and the machine is asked at run time.
 *
 * Parameters are those of the reference kernels. Constants are packed for a layout: `lanes` int32 sums
 * per vector, each fed `group` input values at a time.
 *   conv_2d            [0] weights  [vectors][KH][ceil(KW*C / group)][lanes][group]
 *   conv_2d_narrow     [0] weights  [KH][ceil(KW*C / 4)][O / 4][4 times the same][4 channels][4]
 *   depthwise_conv_2d  [0] weights  [blocks][ceil(KH*KW / group)][group][lanes][group], a block being
 *                          lanes * group channels in the order that mn_host_channel gives, repeated
 *                          for each column of a block (mn_host_columns)
 *   all                [1] bias int32, [2] multiplier and shift int32, [3] factor and nudge float
 *                          (rounding_body.h), one each per lane of the above
 * A group of 4 takes unsigned bytes x + 128 and int8 weights, and the bias holds the correction; a
 * group of 2 takes int16 x - zero point and int16 weights.
 * Memory    scratch of mn_host_scratch_bytes: the padded input. x, y disjoint.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_HOST_H
#define MN_KERNELS_HOST_H

#include "kernels/add.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/pool_2d.h"

typedef struct mn_host_layout {
  int32_t lanes, group;
} mn_host_layout;

/* Channel within its block that sum `lane` of vector `vector` belongs to: the order in which bytes
 * interleave inside 128-bit lanes. */
static inline int32_t mn_host_channel(mn_host_layout layout, int32_t vector, int32_t lane) {
  return 4 * layout.group * (lane / 4) + 4 * vector + lane % 4;
}

/* Columns of the output that one block takes: several where the channels divide it. A stride of 2 then
 * needs a selection of 4 channels at a time, which only vectors of bytes have. */
static inline int32_t mn_host_columns(mn_host_layout layout, int32_t channels, int32_t stride_w) {
  int32_t block = layout.lanes * layout.group;
  if (block % channels != 0) return 1;
  if (stride_w == 2) return layout.group == 4 && channels % 4 == 0 ? block / channels : 1;
  return stride_w == 1 ? block / channels : 1;
}

#define MN_HOST_KERNELS(isa)                                         \
  mn_kernel_body mn_conv_2d_s8_##isa, mn_depthwise_conv_2d_s8_##isa; \
  mn_kernel_body mn_fully_connected_s8_##isa, mn_add_s8_##isa
MN_HOST_KERNELS(avx512);
MN_HOST_KERNELS(avx2);
mn_kernel_body mn_conv_2d_narrow_s8_avx512;

/* Plain C in an order that compilers vectorise. */
mn_kernel_body mn_average_pool_2d_s8_host, mn_max_pool_2d_s8_host;

/* Elements that vector loads may read behind the padded input, and what aligning its begin may cost. */
#define MN_HOST_SLACK (256 + 64)

static inline int64_t mn_host_plane_elements(int32_t output_h, int32_t output_w, int32_t kernel_h,
                                             int32_t kernel_w, int32_t stride_h, int32_t stride_w,
                                             int32_t dilation_h, int32_t dilation_w, int32_t c) {
  int64_t rows = (int64_t)(output_h - 1) * stride_h + (int64_t)(kernel_h - 1) * dilation_h + 1;
  int64_t columns = (int64_t)(output_w - 1) * stride_w + (int64_t)(kernel_w - 1) * dilation_w + 1;
  return rows * columns * c + MN_HOST_SLACK;
}

#endif
