/* average_pool_2d_mve.c - AVERAGE_POOL_2D int8 for Helium, four channels at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pool_2d.h"
#include "kernels/requantize.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

/* Sums of four channels; x [H, W, C] at (0, 0, c) from row x_row on. */
static int32x4_t sums(const mn_pool_2d *p, const int8_t *x, int32_t x_row, mn_pool_window at,
                      mve_pred16_t some) {
  int32x4_t sum = vdupq_n_s32(0);
  for (int32_t i = at.top; i < at.bottom; i++) {
    const int8_t *from = x + ((i - x_row) * p->input_w + at.left) * p->input_c;
    for (int32_t j = at.left; j < at.right; j++, from += p->input_c)
      sum = vaddq_s32(sum, vldrbq_z_s32(from, some));
  }
  return sum;
}

/* y [C] of one position. */
static void position(const mn_pool_2d *p, const mn_kernel_io *io, int8_t *y, mn_pool_window at) {
  int32_t count = (at.bottom - at.top) * (at.right - at.left), half = count / 2;
  for (int32_t c = 0; c < p->output_c; c += 4) {
    mve_pred16_t some = vctp32q((uint32_t)(p->output_c - c));
    int32_t sum[4];
    vstrwq_s32(sum, sums(p, (const int8_t *)io->x[0] + c, io->x_row[0], at, some));
    for (int32_t i = 0; i < 4 && c + i < p->output_c; i++) {
      int32_t value = (sum[i] > 0 ? sum[i] + half : sum[i] - half) / count;
      y[c + i] = (int8_t)mn_clamp(value, p->output_min, p->output_max);
    }
  }
}

void mn_average_pool_2d_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      position(p, io, (int8_t *)io->y + ((h - io->y_row) * p->output_w + w) * p->output_c,
               mn_pool_window_at(p, h, w));
}

#endif
