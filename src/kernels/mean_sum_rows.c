/* mean_sum_rows.c - MEAN int8 over height and width, a few input rows a call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/mean.h"
#include "kernels/pool_sum.h"
#include "kernels/requantize.h"

void mn_mean_s8_sum(const void *params, const mn_kernel_io *io) {
  const mn_mean *p = params;
  int32_t *sum = io->scratch, count = p->input_h * p->input_w;
  int8_t *y = io->y;
  mn_pool_sum_add(sum, io, p->input_w, p->input_c);
  if (io->first_row + io->rows < p->input_h) return;
  for (int32_t c = 0; c < p->output_c; c++) {
    int32_t acc = sum[c] - count * p->input_zero_point;
    acc = mn_requantize(acc, p->multiplier, p->shift) + p->output_zero_point;
    y[c] = (int8_t)mn_clamp(acc, INT8_MIN, INT8_MAX);
  }
}
