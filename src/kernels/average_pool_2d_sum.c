/* average_pool_2d_sum.c - AVERAGE_POOL_2D int8 over a whole map, a few input rows a call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pool_2d.h"
#include "kernels/pool_sum.h"
#include "kernels/requantize.h"

void mn_average_pool_2d_s8_sum(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  int32_t *sum = io->scratch, count = p->input_h * p->input_w;
  int8_t *y = io->y;
  mn_pool_sum_add(sum, io, p->input_w, p->input_c);
  if (io->first_row + io->rows < p->input_h) return;
  for (int32_t c = 0; c < p->output_c; c++) {
    int32_t half = sum[c] > 0 ? count / 2 : -(count / 2);
    y[c] = (int8_t)mn_clamp((sum[c] + half) / count, p->output_min, p->output_max);
  }
}
