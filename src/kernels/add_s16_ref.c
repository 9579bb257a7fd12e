/* add_s16_ref.c - the definition of ADD int16: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add.h"
#include "kernels/requantize.h"

void mn_add_s16_ref(const void *params, const mn_kernel_io *io) {
  const mn_add *p = params;
  const int16_t *a = (const int16_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int16_t *b = (const int16_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int16_t *y = (int16_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  int32_t unit = (int32_t)1 << p->left_shift;
  for (int32_t i = 0; i < io->rows * p->row_elements; i++) {
    int32_t sum = mn_requantize(a[i] * unit, p->a_multiplier, p->a_shift) +
                  mn_requantize(b[i] * unit, p->b_multiplier, p->b_shift);
    int32_t q = mn_requantize(sum, p->output_multiplier, p->output_shift);
    y[i] = (int16_t)mn_clamp(q, p->output_min, p->output_max);
  }
}
