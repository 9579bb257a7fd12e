/* depthwise_conv_2d_s4_ref.c - the definition of DEPTHWISE_CONV_2D with int4 weights: plain loops.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/weight_s4.h"

#define X_TYPE int8_t
#define SUM_TYPE int32_t
#define WEIGHT mn_weight_s4
#define PARAMS mn_depthwise_conv_2d
/* clang-format off: the body calls the sum */
#include "kernels/depthwise_conv_2d_sum.h"
#include "kernels/window_s4_body.h"
/* clang-format on */

void mn_depthwise_conv_2d_s4_ref(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
