/* conv_2d_block.h - convolution as a product of matrices: the windows of four positions are gathered into
 * a block, every row of weights is multiplied by it. Included after the type `unit` of a block and macros
 * that say what gathers, which core multiplies and which one writes; defines run(), the body of the kernel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_CONV_2D_BLOCK_H
#define MN_KERNELS_CONV_2D_BLOCK_H

#include "kernels/gather_window.h"
#include "kernels/outputs.h"

enum { CHANNELS = 4 }; /* whose outputs are written together; a multiple of ROWS */

/* y [count][O]: all channels of the positions in a block. */
static void multiply(const mn_conv_2d *p, const mn_outputs *q, int8_t *y, const int8_t *k,
                     const unit *block, int32_t count) {
  int32_t terms = p->kernel_h * p->kernel_w * p->input_c, sum[CHANNELS * COLUMNS];
  for (int32_t o = 0, channels; o < p->output_c; o += channels) {
    channels = p->output_c - o < CHANNELS ? p->output_c - o : CHANNELS;
    for (int32_t r = 0; r < channels; r += ROWS, k += ROWS * terms)
      dot_rows(sum + r * COLUMNS, k, block, terms);
    write_outputs(q, y, sum, o, channels, count);
  }
}

/* Positions in order, four at a time, read whole before their outputs are written: MN_OVERLAP_PIXEL. */
static void run(const mn_conv_2d *p, const mn_kernel_io *io) {
  const mn_outputs q = MN_OUTPUTS(p, io, p->output_c, COLUMNS);
  unit *block = io->scratch;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  int32_t h = io->first_row, w = 0;
  for (int32_t left = io->rows * p->output_w; left > 0; left -= COLUMNS) {
    int32_t count = left < COLUMNS ? left : COLUMNS;
    for (int32_t i = 0; i < count; i++) {
      gather_one(p, io, block + i, h, w);
      if (++w == p->output_w) h++, w = 0;
    }
    multiply(p, &q, y, io->constant[0], block, count);
    y += count * p->output_c;
  }
}

#endif
