/* conv_2d_1x1_dsp.c - CONV_2D int8 with a 1x1 kernel of stride 1 for Arm's DSP extension: pixels are
 * columns as they lie. All channels of a few pixels are read before their outputs are written, in
 * ascending order, so that the output may lie over the input as MN_OVERLAP_PIXEL says.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns_dsp.h"

void mn_conv_2d_1x1_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  int32_t pairs = mn_matrix_row_pairs(p->input_c), most = mn_matrix_columns(pairs);
  int32_t pixels = io->rows * p->output_w, *columns = io->scratch;
  const int8_t *x =
      (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->input_w * p->input_c;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  mn_row row = mn_row_of(p->input_c);
  while (pixels > 0) {
    int32_t count = pixels < most ? pixels : most;
    for (int32_t i = 0; i < count; i++, x += p->input_c)
      (void)mn_widen(mn_column(columns, i, pairs), x, row);
    mn_matrix m = {.x = columns,
                   .stream = io->constant[0],
                   .y = y,
                   .pairs = pairs,
                   .output_zero_point = p->output_zero_point};
    mn_matrix_run(mn_matrix_dsp, &m, count, p->output_c);
    y += count * p->output_c;
    pixels -= count;
  }
}
