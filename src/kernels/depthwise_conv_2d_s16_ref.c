/* depthwise_conv_2d_s16_ref.c - the definition of DEPTHWISE_CONV_2D int16x8: plain loops.
 * SPDX-License-Identifier: Apache-2.0 */
#define X_TYPE int16_t
#define SUM_TYPE int64_t
#define WEIGHT(k, index) ((const int8_t *)(k))[index]
#define PARAMS mn_depthwise_conv_2d
/* clang-format off: the body calls the sum */
#include "kernels/depthwise_conv_2d_sum.h"
#include "kernels/window_s16_body.h"
/* clang-format on */

void mn_depthwise_conv_2d_s16_ref(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
