/* rows_dsp.c - kernels for cores with DSP instructions: Cortex-M4, M7, M33. They run on the host too,
 * where tests compare them with the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "plan/arguments_depthwise.h"
#include "plan/rows.h"

#define DSP(kind, type, function, walker, over, ...)                                       \
  MN_ROW(kind, "dsp", type, function, mn_dsp_refuses_##walker, mn_dsp_walk_##walker, over, \
         "kernel.h", "dsp.h", __VA_ARGS__)

static const mn_kernel_row rows[] = {
    DSP(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_3x3_s8_dsp, depthwise_3x3, NONE,
        "depthwise_conv_2d.h", "depthwise_3x3.h", "depthwise_3x3_dsp.c", "depthwise_3x3_run.c",
        "depthwise_3x3_run_asm.c"),
};

const mn_rows mn_rows_dsp = {rows, (int32_t)MN_COUNT(rows)};
