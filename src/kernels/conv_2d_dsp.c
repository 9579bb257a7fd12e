/* conv_2d_dsp.c - CONV_2D int8 for Arm's DSP extension: windows of a few positions as columns, times
 * packed weights. See matrix_dsp.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns_dsp.h"

void mn_conv_2d_s8_dsp(const void *params, const mn_kernel_io *io) {
  mn_convolve(mn_matrix_dsp, params, io);
}
