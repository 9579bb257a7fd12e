/* rows_mve.c - kernels for Arm's Helium: Cortex-M55, M85. This machine cannot run them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_block.h"
#include "plan/arguments_linear.h"
#include "plan/arguments_mve.h"
#include "plan/rows.h"

#define MVE(kind, type, name, refuse, walk, over, ...)                                \
  {                                                                                   \
    .op = MN_OP_##kind, .family = "mve", .symbol = #name,                             \
    .sources = (const char *const[]){__VA_ARGS__, NULL}, .params = &mn_params_##type, \
    .refuses = refuse, .arguments = walk, .overlap = MN_OVERLAP_##over                \
  }
#define CONV(kind, refuse, walk, over) \
  MVE(kind, conv_2d, mn_conv_2d_s8_mve, refuse, walk, over, "conv_2d_mve.c", "matrix_mve.c")
#define DEPTHWISE(refuse, over)                                                  \
  MVE(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s8_mve, refuse, \
      mn_mve_walk_depthwise, over, "depthwise_conv_2d_mve.c")
#define DEPTHWISE_3X3(refuse, over)                                          \
  MVE(DEPTHWISE_CONV_2D, depthwise_3x3_mve, mn_depthwise_3x3_s8_mve, refuse, \
      mn_mve_walk_depthwise_3x3, over, "depthwise_3x3_mve.c")

static const mn_kernel_row rows[] = {
    CONV(CONV_2D, mn_refuses_pointwise, mn_mve_walk_conv_2d, PIXEL),
    CONV(CONV_2D, mn_refuses_conv_2d, mn_mve_walk_conv_2d, NONE),
    CONV(DEPTHWISE_CONV_2D, mn_refuses_one_channel, mn_mve_walk_one_channel, NONE),
    DEPTHWISE_3X3(mn_mve_refuses_depthwise_3x3_in_place, PLANE),
    DEPTHWISE_3X3(mn_mve_refuses_depthwise_3x3, NONE),
    DEPTHWISE(mn_mve_refuses_depthwise_in_place, PLANE),
    DEPTHWISE(mn_mve_refuses_depthwise, NONE),
    MVE(FULLY_CONNECTED, fully_connected, mn_fully_connected_s8_mve, mn_mve_refuses_fully_connected,
        mn_mve_walk_fully_connected, NONE, "fully_connected_mve.c"),
    MVE(ADD, add_linear, mn_add_linear_s8_mve, mn_refuses_add_linear, mn_walk_add_linear, ELEMENT,
        "add_linear_mve.c"),
    MVE(ADD, add, mn_add_s8_mve, mn_refuses_add, mn_walk_add, ELEMENT, "add_mve.c"),
    MVE(AVERAGE_POOL_2D, pool_2d, mn_average_pool_2d_s8_mve, mn_refuses_pool_2d, mn_walk_pool_2d,
        NONE, "average_pool_2d_mve.c"),
};

const mn_rows mn_rows_mve = {rows, (int32_t)MN_COUNT(rows)};
