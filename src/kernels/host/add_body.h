/* add_body.h - elementwise sum on vectors. Included after a simd_*.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ADD_BODY_H
#define MN_KERNELS_ADD_BODY_H

#include "kernels/requantize.h"

static int8_t add_one(const mn_add *p, int32_t a, int32_t b) {
  int32_t unit = (int32_t)1 << p->left_shift;
  int32_t sum = mn_requantize((a - p->a_zero_point) * unit, p->a_multiplier, p->a_shift) +
                mn_requantize((b - p->b_zero_point) * unit, p->b_multiplier, p->b_shift);
  int32_t q = mn_requantize(sum, p->output_multiplier, p->output_shift) + p->output_zero_point;
  return (int8_t)mn_clamp(q, p->output_min, p->output_max);
}

void HOST(mn_add_s8)(const void *params, const mn_kernel_io *io) {
  const mn_add *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  const scaling a_scaling = scaling_of(splat(p->a_multiplier), splat(p->a_shift));
  const scaling b_scaling = scaling_of(splat(p->b_multiplier), splat(p->b_shift));
  const scaling y_scaling = scaling_of(splat(p->output_multiplier), splat(p->output_shift));
  int32_t count = io->rows * p->row_elements, i = 0;
  for (; i + LANES <= count; i += LANES) {
    vec from_a = shift_left(subtract(load_s8(a + i), splat(p->a_zero_point)), p->left_shift);
    vec from_b = shift_left(subtract(load_s8(b + i), splat(p->b_zero_point)), p->left_shift);
    vec sum = add(requantize(from_a, &a_scaling), requantize(from_b, &b_scaling));
    vec q = add(requantize(sum, &y_scaling), splat(p->output_zero_point));
    store_s8(y + i, clamp(q, splat(p->output_min), splat(p->output_max)), LANES);
  }
  for (; i < count; i++) y[i] = add_one(p, a[i], b[i]);
}

#endif
