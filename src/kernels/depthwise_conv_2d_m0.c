/* depthwise_conv_2d_m0.c - DEPTHWISE_CONV_2D int8 for the Cortex-M0 and M0+. See
 * depthwise_conv_2d_strip.h. SPDX-License-Identifier: Apache-2.0 */
#define write_outputs mn_outputs_write_m0
#include "kernels/depthwise_conv_2d_strip.h"

void mn_depthwise_conv_2d_s8_m0(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
