/* parameter.c - between the padded layout of a parameter and its canonical order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/engine.h"

int64_t mn_parameter_size(const mn_parameter *p) {
  return (int64_t)p->outer * p->taps * p->inner;
}

int64_t mn_parameter_canonical(const mn_parameter *p, int32_t outer, int32_t tap, int32_t inner) {
  if (p->taps_first) return ((int64_t)tap * p->inner + inner) * p->outer + outer;
  return ((int64_t)outer * p->taps + tap) * p->inner + inner;
}

float *mn_parameter_part(const mn_parameter *p, int32_t part) {
  return part == 0 ? p->value : part == 1 ? p->first : p->second;
}

int64_t mn_parameter_padded(const mn_parameter *p, int32_t outer, int32_t tap, int32_t inner) {
  return ((int64_t)tap * p->inner_stride + inner) * p->outer_stride + outer;
}

void mn_parameter_get(const mn_parameter *p, float *canonical, const float *padded) {
  for (int32_t o = 0; o < p->outer; o++)
    for (int32_t k = 0; k < p->taps; k++)
      for (int32_t c = 0; c < p->inner; c++)
        canonical[mn_parameter_canonical(p, o, k, c)] = padded[mn_parameter_padded(p, o, k, c)];
}

void mn_parameter_set(const mn_parameter *p, float *padded, const float *canonical) {
  for (int32_t o = 0; o < p->outer; o++)
    for (int32_t k = 0; k < p->taps; k++)
      for (int32_t c = 0; c < p->inner; c++)
        padded[mn_parameter_padded(p, o, k, c)] = canonical[mn_parameter_canonical(p, o, k, c)];
}
