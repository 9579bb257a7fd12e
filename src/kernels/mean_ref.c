/* mean_ref.c - the definition of MEAN int8: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"

#define X_TYPE int8_t
#include "kernels/mean_sum.h"

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
