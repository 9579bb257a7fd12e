/* rescale_ref.c - the definition of QUANTIZE int8 to int8: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/rescale.h"

#include "kernels/requantize.h"

void mn_rescale_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_rescale *p = params;
  const int8_t *x = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  for (int32_t i = 0; i < io->rows * p->row_elements; i++) {
    int32_t q = mn_requantize(x[i] - p->input_zero_point, p->multiplier, p->shift);
    y[i] = (int8_t)mn_clamp(q + p->output_zero_point, INT8_MIN, INT8_MAX);
  }
}
