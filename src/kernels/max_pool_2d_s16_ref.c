/* max_pool_2d_s16_ref.c - the definition of MAX_POOL_2D int16: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pool_2d.h"
#include "kernels/requantize.h"

/* One channel: x [H, W, C] at (0, 0, c) from row x_row on. */
static int32_t maximum(const mn_pool_2d *p, const int16_t *x, int32_t x_row, mn_pool_window at) {
  int32_t best = INT16_MIN;
  for (int32_t i = at.top; i < at.bottom; i++)
    for (int32_t j = at.left; j < at.right; j++) {
      int32_t value = x[((i - x_row) * p->input_w + j) * p->input_c];
      if (value > best) best = value;
    }
  return best;
}

void mn_max_pool_2d_s16_ref(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  const int16_t *x = io->x[0];
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++) {
      int16_t *y = (int16_t *)io->y + ((h - io->y_row) * p->output_w + w) * p->output_c;
      mn_pool_window at = mn_pool_window_at(p, h, w);
      for (int32_t c = 0; c < p->output_c; c++) {
        int32_t best = maximum(p, x + c, io->x_row[0], at);
        y[c] = (int16_t)mn_clamp(best, p->output_min, p->output_max);
      }
    }
}
