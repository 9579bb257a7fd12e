/* rows_plain.c - fast portable C: rows of the families plain (Cortex-M3 and any core) and m0 (cores
 * without a long multiply and with eight registers). SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add_linear.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/pad.h"
#include "plan/arguments_block.h"
#include "plan/arguments_linear.h"
#include "plan/rows.h"

#define CONV(kind, family, refuse, walk, over, ...)                          \
  MN_ROW(kind, #family, conv_2d, mn_conv_2d_s8_##family, refuse, walk, over, \
         "conv_2d_" #family ".c", "outputs_" #family ".c", "outputs_any.c", __VA_ARGS__)
#define DEPTHWISE(family, refuse, over)                                                           \
  MN_ROW(DEPTHWISE_CONV_2D, #family, depthwise_conv_2d, mn_depthwise_conv_2d_s8_##family, refuse, \
         mn_block_walk_depthwise_conv_2d, over, "depthwise_conv_2d_" #family ".c", "taps.c",      \
         "outputs_" #family ".c", "outputs_any.c")
#define FULLY_CONNECTED(family, refuse)                                                     \
  MN_ROW(FULLY_CONNECTED, #family, fully_connected, mn_fully_connected_s8_##family, refuse, \
         mn_block_walk_fully_connected, NONE, "fully_connected_" #family ".c", "dot_row.c", \
         "outputs_" #family ".c", "outputs_any.c")

#define PAIRS "gather_window.c", "dot_pair.c"
#define HALVES "gather_halves.c", "dot_halves.c", "dot_halves_asm.c"

static const mn_kernel_row plain[] = {
    CONV(CONV_2D, plain, mn_plain_refuses_pointwise, mn_block_walk_conv_2d_pairs, PIXEL, PAIRS),
    CONV(CONV_2D, plain, mn_plain_refuses_conv_2d, mn_block_walk_conv_2d_pairs, NONE, PAIRS),
    CONV(DEPTHWISE_CONV_2D, plain, mn_plain_refuses_one_channel, mn_block_walk_one_channel_pairs,
         NONE, PAIRS),
    DEPTHWISE(plain, mn_plain_refuses_depthwise_in_place, PLANE),
    DEPTHWISE(plain, mn_plain_refuses_depthwise_conv_2d, NONE),
    FULLY_CONNECTED(plain, mn_plain_refuses_fully_connected),
    MN_ROW(ADD, "plain", add_linear, mn_add_linear_s8_plain, mn_refuses_add_linear,
           mn_walk_add_linear, ELEMENT, "add_linear_plain.c"),
    MN_ROW(PAD, "plain", pad, mn_pad_s8_plain, mn_refuses_pad, mn_walk_pad, NONE, "pad_plain.c"),
};

static const mn_kernel_row m0[] = {
    CONV(CONV_2D, m0, mn_m0_refuses_pointwise, mn_block_walk_conv_2d_halves, PIXEL, HALVES),
    CONV(CONV_2D, m0, mn_m0_refuses_conv_2d, mn_block_walk_conv_2d_halves, NONE, HALVES),
    CONV(DEPTHWISE_CONV_2D, m0, mn_m0_refuses_one_channel, mn_block_walk_one_channel_halves, NONE,
         HALVES),
    DEPTHWISE(m0, mn_m0_refuses_depthwise_in_place, PLANE),
    DEPTHWISE(m0, mn_m0_refuses_depthwise_conv_2d, NONE),
    FULLY_CONNECTED(m0, mn_m0_refuses_fully_connected),
};

const mn_rows mn_rows_plain = {plain, (int32_t)MN_COUNT(plain)};
const mn_rows mn_rows_m0 = {m0, (int32_t)MN_COUNT(m0)};
