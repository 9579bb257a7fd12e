/* mean_ref.c - the definition of MEAN int8: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/mean.h"

#include "kernels/requantize.h"

/* Sum of the input elements that fall on output element (n, h, w, c): an averaged axis has output
 * size 1 and is walked whole, another is fixed at the output's index. */
static int32_t sum_of(const mn_mean *p, const int8_t *x, const int32_t at[4]) {
  const int32_t in[4] = {p->input_n, p->input_h, p->input_w, p->input_c};
  const int32_t out[4] = {p->output_n, p->output_h, p->output_w, p->output_c};
  int32_t first[4], end[4], acc = 0;
  for (int32_t axis = 0; axis < 4; axis++) {
    first[axis] = out[axis] == in[axis] ? at[axis] : 0;
    end[axis] = out[axis] == in[axis] ? at[axis] + 1 : in[axis];
  }
  for (int32_t n = first[0]; n < end[0]; n++)
    for (int32_t h = first[1]; h < end[1]; h++)
      for (int32_t w = first[2]; w < end[2]; w++)
        for (int32_t c = first[3]; c < end[3]; c++)
          acc += x[((n * in[1] + h) * in[2] + w) * in[3] + c] - p->input_zero_point;
  return acc;
}

void mn_mean_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_mean *p = params;
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->output_n; n++)
    for (int32_t h = 0; h < p->output_h; h++)
      for (int32_t w = 0; w < p->output_w; w++)
        for (int32_t c = 0; c < p->output_c; c++) {
          int32_t acc = sum_of(p, io->x[0], (const int32_t[4]){n, h, w, c});
          acc = mn_requantize(acc, p->multiplier, p->shift) + p->output_zero_point;
          *y++ = (int8_t)mn_clamp(acc, INT8_MIN, INT8_MAX);
        }
}
