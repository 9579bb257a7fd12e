/* conv_2d_m0.c - CONV_2D int8 for the Cortex-M0 and M0+. See conv_2d_block.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

typedef int16_t unit;
enum { COLUMNS = 4, ROWS = 1 };
#define gather_one mn_gather_halves
#define dot_rows mn_dot_halves
#define write_outputs mn_outputs_write_m0
#include "kernels/conv_2d_block.h"

void mn_conv_2d_s8_m0(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
