/* add_linear_plain.c - see add_linear.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add_linear.h"

#include "kernels/requantize.h"

void mn_add_linear_s8_plain(const void *params, const mn_kernel_io *io) {
  const mn_add_linear *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  const int32_t by_a = p->a_multiplier, by_b = p->b_multiplier;
  const int32_t offset = p->offset, shift = p->shift;
  for (int32_t i = io->rows * p->row_elements; i > 0; i--) {
    int32_t sum = (*a++ * by_a + *b++ * by_b + offset) >> shift;
    *y++ = (int8_t)mn_clamp(sum, p->output_min, p->output_max);
  }
}
