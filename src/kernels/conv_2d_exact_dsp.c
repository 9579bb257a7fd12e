/* conv_2d_exact_dsp.c - conv_2d_dsp.c for scales and output ranges that its fast requantization does
 * not cover. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns_dsp.h"

void mn_conv_2d_exact_s8_dsp(const void *params, const mn_kernel_io *io) {
  mn_convolve(mn_matrix_exact_dsp, params, io);
}
