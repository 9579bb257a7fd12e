/* rows_dsp.c - kernels for Arm's DSP extension: Cortex-M4, M7, M33.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_conv_2d.h"
#include "plan/arguments_depthwise.h"
#include "plan/rows.h"

#define DSP(kind, type, function, refuse, walk, over, ...) \
  MN_ROW(kind, "dsp", type, function, refuse, walk, over, __VA_ARGS__)

#define DEPTHWISE_3X3(refuse, over)                                                \
  DSP(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_3x3_s8_dsp, refuse,       \
      mn_dsp_walk_depthwise_3x3, over, "dsp.h", "kernel.h", "depthwise_conv_2d.h", \
      "depthwise_3x3.h", "depthwise_3x3_dsp.c", "depthwise_3x3_run.c", "depthwise_3x3_run_asm.c")

static const mn_kernel_row rows[] = {
    DEPTHWISE_3X3(mn_dsp_refuses_depthwise_3x3_same, PLANE),
    DEPTHWISE_3X3(mn_dsp_refuses_depthwise_3x3, NONE),
};

const mn_rows mn_rows_dsp = {rows, (int32_t)MN_COUNT(rows)};
