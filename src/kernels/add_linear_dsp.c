/* add_linear_dsp.c - see add_linear.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add_linear.h"

#include "kernels/dsp.h"

void mn_add_linear_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_add_linear *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  const int32_t by_a = p->a_multiplier, by_b = p->b_multiplier;
  const int32_t offset = p->offset, shift = p->shift;
  int32_t left = io->rows * p->row_elements;
  for (; left >= 4; left -= 4, a += 4, b += 4, y += 4)
    for (int32_t i = 0; i < 4; i++)
      y[i] = (int8_t)mn_ssat8((a[i] * by_a + b[i] * by_b + offset) >> shift);
  for (; left > 0; left--) *y++ = (int8_t)mn_ssat8((*a++ * by_a + *b++ * by_b + offset) >> shift);
}
