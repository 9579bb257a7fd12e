/* rows_dsp.c - kernels for Arm's DSP extension: Cortex-M4, M7, M33.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/depthwise_conv_2d.h"
#include "plan/arguments_depthwise.h"
#include "plan/arguments_dsp.h"
#include "plan/rows.h"

#define DSP(kind, type, function, refuse, walk, over, ...) \
  MN_ROW(kind, "dsp", type, function, refuse, walk, over, __VA_ARGS__)

#define DEPTHWISE_3X3(refuse, over)                                                \
  DSP(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_3x3_s8_dsp, refuse,       \
      mn_dsp_walk_depthwise_3x3, over, "dsp.h", "kernel.h", "depthwise_conv_2d.h", \
      "depthwise_3x3.h", "depthwise_3x3_dsp.c", "depthwise_3x3_run.c", "depthwise_3x3_run_asm.c")

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
    DEPTHWISE_3X3(mn_dsp_refuses_depthwise_3x3_same, PLANE),
    DEPTHWISE_3X3(mn_dsp_refuses_depthwise_3x3, NONE),
    DSP(CONV_2D, conv_2d, mn_conv_2d_1x1_s8_dsp, mn_dsp_refuses_conv_2d_1x1, mn_dsp_walk_conv_2d,
        PIXEL, MATRIX, "conv_2d.h", "conv_2d_1x1_dsp.c"),
    DSP(CONV_2D, conv_2d, mn_conv_2d_s8_dsp, mn_dsp_refuses_conv_2d, mn_dsp_walk_conv_2d, NONE,
        MATRIX, "conv_2d.h", "conv_2d_dsp.c"),
    DSP(DEPTHWISE_CONV_2D, conv_2d, mn_conv_2d_s8_dsp, mn_dsp_refuses_one_channel,
        mn_dsp_walk_one_channel, NONE, MATRIX, "conv_2d.h", "conv_2d_dsp.c"),
    DSP(CONV_2D, conv_2d, mn_conv_2d_exact_s8_dsp, mn_dsp_refuses_conv_2d_exact,
        mn_dsp_walk_conv_2d, NONE, EXACT, "conv_2d.h", "conv_2d_exact_dsp.c"),
};

const mn_rows mn_rows_dsp = {rows, (int32_t)MN_COUNT(rows)};
