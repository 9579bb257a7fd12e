/* add_scaled.h - the body of ADD int8 for cores without vector units. Included after a macro multiply_high,
 * which is mn_multiply_high for sums below 2^29 in size; defines run().
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ADD_SCALED_H
#define MN_KERNELS_ADD_SCALED_H

#include "kernels/add.h"

/* mn_shift_right_rounding of less than 2^29 in size; `shift` in [-31, 0]. */
static inline int32_t shift_right(int32_t x, int32_t shift) {
  if (shift == 0) return x;
  return (((x + (x >> 31)) >> (-1 - shift)) + 1) >> 1;
}

/* Differences are below 2^8 and moved up by 20 bits; every multiplier is below one. */
static void run(const mn_add *p, const mn_kernel_io *io) {
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  int32_t unit = (int32_t)1 << p->left_shift;
  for (const int8_t *end = y + io->rows * p->row_elements; y != end; y++) {
    int32_t from_a = multiply_high((*a++ - p->a_zero_point) * unit, p->a_multiplier);
    int32_t from_b = multiply_high((*b++ - p->b_zero_point) * unit, p->b_multiplier);
    int32_t sum = shift_right(from_a, p->a_shift) + shift_right(from_b, p->b_shift);
    int32_t q = shift_right(multiply_high(sum, p->output_multiplier), p->output_shift);
    q += p->output_zero_point;
    if (q < p->output_min) q = p->output_min;
    if (q > p->output_max) q = p->output_max;
    *y = (int8_t)q;
  }
}

#endif
