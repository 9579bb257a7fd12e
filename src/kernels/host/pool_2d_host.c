/* pool_2d_host.c - pools with the channels innermost, in plain C that compilers vectorise.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/host/host.h"
#include "kernels/requantize.h"

#define CHUNK 64 /* channels at a time */

static int32_t least(int32_t a, int32_t b) {
  return a < b ? a : b;
}

/* Sums of `count` channels over a window; x at channel 0 of the chunk. */
static void sum(int32_t acc[CHUNK], const mn_pool_2d *p, const int8_t *x, int32_t x_row,
                mn_pool_window at, int32_t count) {
  memset(acc, 0, CHUNK * sizeof *acc);
  for (int32_t i = at.top; i < at.bottom; i++)
    for (int32_t j = at.left; j < at.right; j++) {
      const int8_t *from = x + ((i - x_row) * p->input_w + j) * p->input_c;
      for (int32_t c = 0; c < count; c++) acc[c] += from[c];
    }
}

/* Division in double is exact here: both numbers are far below 2^26. */
static void average(int8_t *y, const int32_t *acc, const mn_pool_2d *p, int32_t divisor,
                    int32_t count) {
  int32_t half = divisor / 2;
  for (int32_t c = 0; c < count; c++) {
    int32_t rounded = acc[c] > 0 ? acc[c] + half : acc[c] - half;
    int32_t q = (int32_t)((double)rounded / (double)divisor);
    y[c] = (int8_t)mn_clamp(q, p->output_min, p->output_max);
  }
}

void mn_average_pool_2d_s8_host(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  int32_t acc[CHUNK];
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++) {
      int8_t *y = (int8_t *)io->y + ((h - io->y_row) * p->output_w + w) * p->output_c;
      mn_pool_window at = mn_pool_window_at(p, h, w);
      int32_t divisor = (at.bottom - at.top) * (at.right - at.left);
      for (int32_t c = 0; c < p->output_c; c += CHUNK) {
        int32_t count = least(CHUNK, p->output_c - c);
        sum(acc, p, (const int8_t *)io->x[0] + c, io->x_row[0], at, count);
        average(y + c, acc, p, divisor, count);
      }
    }
}

static void maximum(int8_t *y, const mn_pool_2d *p, const int8_t *x, int32_t x_row,
                    mn_pool_window at) {
  memset(y, INT8_MIN, (size_t)p->output_c);
  for (int32_t i = at.top; i < at.bottom; i++)
    for (int32_t j = at.left; j < at.right; j++) {
      const int8_t *from = x + ((i - x_row) * p->input_w + j) * p->input_c;
      for (int32_t c = 0; c < p->output_c; c++) y[c] = from[c] > y[c] ? from[c] : y[c];
    }
  for (int32_t c = 0; c < p->output_c; c++)
    y[c] = (int8_t)mn_clamp(y[c], p->output_min, p->output_max);
}

void mn_max_pool_2d_s8_host(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++)
      maximum((int8_t *)io->y + ((h - io->y_row) * p->output_w + w) * p->output_c, p, io->x[0],
              io->x_row[0], mn_pool_window_at(p, h, w));
}
