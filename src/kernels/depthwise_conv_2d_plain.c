/* depthwise_conv_2d_plain.c - DEPTHWISE_CONV_2D int8 for cores without vector units. See
 * depthwise_conv_2d_strip.h. SPDX-License-Identifier: Apache-2.0 */
#define write_outputs mn_outputs_write_plain
#include "kernels/depthwise_conv_2d_strip.h"

void mn_depthwise_conv_2d_s8_plain(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
