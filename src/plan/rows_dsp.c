/* rows_dsp.c - kernels for Arm's DSP extension: Cortex-M4, M7, M33.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/add_linear.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/pool_2d.h"
#include "plan/arguments_depthwise.h"
#include "plan/arguments_dsp.h"
#include "plan/arguments_linear.h"
#include "plan/rows.h"

#define DSP(kind, type, function, refuse, walk, over, ...) \
  MN_ROW(kind, "dsp", type, function, refuse, walk, over, __VA_ARGS__)

#define PLANES \
  "dsp.h", "kernel.h", "depthwise_conv_2d.h", "depthwise_planes_dsp.h", "depthwise_planes_dsp.c"
#define DEPTHWISE_3X3(size, refuse, over)                                                      \
  DSP(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_3x3##size##_s8_dsp, refuse,           \
      mn_dsp_walk_depthwise_3x3##size, over, PLANES, "depthwise_3x3.h", "depthwise_3x3_dsp.c", \
      "depthwise_3x3_run.c", "depthwise_3x3_run_asm.c")
#define DEPTHWISE(refuse, over)                                                  \
  DSP(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s8_dsp, refuse, \
      mn_dsp_walk_depthwise, over, PLANES, "requantize.h", "depthwise_conv_2d_dsp.c")

#define MATRIX "dsp.h", "kernel.h", "matrix_dsp.h", "matrix_dsp.c", "matrix_dsp_asm.c"
#define EXACT "dsp.h", "kernel.h", "requantize.h", "matrix_dsp.h", "matrix_exact_dsp.c"

#define VECTOR "dsp.h", "kernel.h", "requantize.h", "fully_connected.h", "fully_connected_dsp.h"

static const mn_kernel_row rows[] = {
    DSP(CONV_2D, fully_connected, mn_fully_connected_s8_dsp, mn_dsp_refuses_one_window,
        mn_dsp_walk_one_window, NONE, VECTOR, "fully_connected_dsp.c"),
    DSP(FULLY_CONNECTED, fully_connected, mn_fully_connected_s8_dsp, mn_dsp_refuses_fully_connected,
        mn_dsp_walk_fully_connected, NONE, VECTOR, "fully_connected_dsp.c"),
    DSP(FULLY_CONNECTED, fully_connected, mn_fully_connected_exact_s8_dsp,
        mn_dsp_refuses_fully_connected_exact, mn_dsp_walk_fully_connected, NONE, VECTOR,
        "fully_connected_exact_dsp.c"),
    DEPTHWISE_3X3(, mn_dsp_refuses_depthwise_3x3_same, PLANE),
    DEPTHWISE_3X3(_narrow, mn_dsp_refuses_depthwise_3x3_same, PLANE),
    DEPTHWISE_3X3(, mn_dsp_refuses_depthwise_3x3, NONE),
    DEPTHWISE_3X3(_narrow, mn_dsp_refuses_depthwise_3x3, NONE),
    DSP(CONV_2D, conv_2d, mn_conv_2d_1x1_s8_dsp, mn_dsp_refuses_conv_2d_1x1, mn_dsp_walk_conv_2d,
        PIXEL, MATRIX, "conv_2d.h", "conv_2d_1x1_dsp.c"),
    DSP(CONV_2D, conv_2d, mn_conv_2d_s8_dsp, mn_dsp_refuses_conv_2d, mn_dsp_walk_conv_2d, NONE,
        MATRIX, "conv_2d.h", "conv_2d_dsp.c"),
    DSP(DEPTHWISE_CONV_2D, conv_2d, mn_conv_2d_s8_dsp, mn_dsp_refuses_one_channel,
        mn_dsp_walk_one_channel, NONE, MATRIX, "conv_2d.h", "conv_2d_dsp.c"),
    DSP(CONV_2D, conv_2d, mn_conv_2d_exact_s8_dsp, mn_dsp_refuses_conv_2d_exact,
        mn_dsp_walk_conv_2d, NONE, EXACT, "conv_2d.h", "conv_2d_exact_dsp.c"),
    DEPTHWISE(mn_dsp_refuses_depthwise_same, PLANE),
    DEPTHWISE(mn_dsp_refuses_depthwise, NONE),
    DSP(AVERAGE_POOL_2D, pool_2d, mn_average_pool_2d_s8_dsp, mn_dsp_refuses_average_pool_2d,
        mn_walk_pool_2d, NONE, "dsp.h", "kernel.h", "requantize.h", "pool_2d.h",
        "average_pool_2d_dsp.c"),
    DSP(ADD, add_linear, mn_add_linear_s8_dsp, mn_dsp_refuses_add_linear, mn_walk_add_linear,
        ELEMENT, "dsp.h", "kernel.h", "add_linear.h", "add_linear_dsp.c"),
};

const mn_rows mn_rows_dsp = {rows, (int32_t)MN_COUNT(rows)};
