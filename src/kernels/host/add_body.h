/* add_body.h - elementwise sum on vectors: in float where that is sure to round as the definition, see
 * rounding_body.h. Included after it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ADD_BODY_H
#define MN_KERNELS_ADD_BODY_H

#include "kernels/requantize.h"

#define STRETCH (4 * LANES)

static int8_t add_one(const mn_add *p, int32_t a, int32_t b) {
  int32_t unit = (int32_t)1 << p->left_shift;
  int32_t sum = mn_requantize((a - p->a_zero_point) * unit, p->a_multiplier, p->a_shift) +
                mn_requantize((b - p->b_zero_point) * unit, p->b_multiplier, p->b_shift);
  int32_t q = mn_requantize(sum, p->output_multiplier, p->output_shift) + p->output_zero_point;
  return (int8_t)mn_clamp(q, p->output_min, p->output_max);
}

/* One stretch by the definition. */
static __attribute__((noinline)) void add_exactly(vec q[4], const mn_add *p, const int8_t *a,
                                                  const int8_t *b) {
  const scaling a_scaling = scaling_of(splat(p->a_multiplier), splat(p->a_shift));
  const scaling b_scaling = scaling_of(splat(p->b_multiplier), splat(p->b_shift));
  const scaling y_scaling = scaling_of(splat(p->output_multiplier), splat(p->output_shift));
  for (int32_t v = 0; v < 4; v++) {
    vec from_a = subtract(load_s8(a + v * LANES), splat(p->a_zero_point));
    vec from_b = subtract(load_s8(b + v * LANES), splat(p->b_zero_point));
    vec sum = add(requantize(shift_left(from_a, p->left_shift), &a_scaling),
                  requantize(shift_left(from_b, p->left_shift), &b_scaling));
    q[v] = requantize(sum, &y_scaling);
  }
}

/* multiplier * 2^(shift - 31) */
static float factor_of(int32_t multiplier, int32_t shift) {
  return (float)multiplier * (1.0f / 2147483648.0f) / (float)((uint32_t)1 << -shift);
}

typedef struct real_sum {
  float a, b, constant;
  float sure; /* as SURE: by how little float and the two inner roundings may be off */
} real_sum;

static real_sum real_sum_of(const mn_add *p) {
  float unit = factor_of(p->output_multiplier, p->output_shift); /* of the sum, in output steps */
  float scale = unit * (float)((int32_t)1 << p->left_shift);
  real_sum r = {.a = scale * factor_of(p->a_multiplier, p->a_shift),
                .b = scale * factor_of(p->b_multiplier, p->b_shift)};
  r.constant = -(r.a * (float)p->a_zero_point + r.b * (float)p->b_zero_point);
  /* half a unit in the last place of both factors, the constant, both sums (the clamp hides all beyond
   * 256), and one inner step of either term; as much again to be safe */
  float constant = r.constant < 0 ? -r.constant : r.constant;
  float half = 1.0f / (1 << 24), products = 128 * (r.a + r.b), sum = 128 * r.b + constant;
  r.sure = 0.5f - 2 * (half * (products + constant + sum + 256) + 2.5f * unit);
  return r;
}

void HOST(mn_add_s8)(const void *params, const mn_kernel_io *io) {
  const mn_add *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  const limits range = limits_of(p->output_zero_point, p->output_min, p->output_max);
  const real_sum r = real_sum_of(p);
  int32_t count = io->rows * p->row_elements, i = 0;
  for (; i + STRETCH <= count; i += STRETCH) {
    vec q[4];
    real worst = real_splat(0);
    for (int32_t v = 0; v < 4; v++) {
      real from_b = to_real(load_s8(b + i + v * LANES));
      real sum = multiply_add(from_b, real_splat(r.b), real_splat(r.constant));
      sum = multiply_add(to_real(load_s8(a + i + v * LANES)), real_splat(r.a), sum);
      worst = farther(worst, sum);
      q[v] = to_whole(sum);
    }
    if (any_above(worst, r.sure)) {
      vec exact[4]; /* a copy: on the common path the registers need no address */
      add_exactly(exact, p, a + i, b + i);
      for (int32_t v = 0; v < 4; v++) q[v] = exact[v];
    }
    store_bytes(y + i, in_order(pack(q, range)), STRETCH);
  }
  for (; i < count; i++) y[i] = add_one(p, a[i], b[i]);
}

#endif
