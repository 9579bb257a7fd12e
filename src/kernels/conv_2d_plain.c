/* conv_2d_plain.c - CONV_2D int8 for cores without vector units. See conv_2d_block.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

typedef uint8_t unit;
enum { COLUMNS = 4, ROWS = 2 };
#define gather_one mn_gather_window
#define dot_rows mn_dot_pair
#define write_outputs mn_outputs_write_plain
#include "kernels/conv_2d_block.h"

void mn_conv_2d_s8_plain(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
