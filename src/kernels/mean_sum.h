/* mean_sum.h - the sum that a mean is made of, for one type. The file that includes it says X_TYPE.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/mean.h"

/* Sum of the input elements that fall on output element (n, h, w, c): an averaged axis has output
 * size 1 and is walked whole, another is fixed at the output's index. */
static int32_t sum_of(const mn_mean *p, const X_TYPE *x, const int32_t at[4]) {
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
