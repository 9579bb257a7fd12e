/* average_pool_2d_dsp.c - AVERAGE_POOL_2D for Arm's DSP extension: four channels at a time, their sums in
 * the halves of two words. A window has at most 255 positions, so that no half overflows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dsp.h"
#include "kernels/pool_2d.h"
#include "kernels/requantize.h"

/* One output position. */
typedef struct position {
  const mn_pool_2d *p;
  const int8_t *x; /* channel 0 at the window's first position */
  int8_t *y;
  int32_t rows, columns;
} position;

static void store(const position *at, int32_t c, int32_t acc) {
  int32_t count = at->rows * at->columns;
  acc = acc > 0 ? (acc + count / 2) / count : (acc - count / 2) / count;
  at->y[c] = (int8_t)mn_clamp(acc, at->p->output_min, at->p->output_max);
}

MN_OUT_OF_LINE static void four_channels(const position *at, int32_t c) {
  int32_t even = 0, odd = 0; /* channels c and c + 2, c + 1 and c + 3 */
  const int32_t step = at->p->input_c, columns = at->columns;
  const int8_t *row = at->x + c;
  for (int32_t i = at->rows; i > 0; i--, row += at->p->input_w * step) {
    const int8_t *x = row;
    for (int32_t j = columns; j > 0; j--, x += step) {
      uint32_t four = mn_load4(x);
      even = mn_sxtab16(even, four);
      odd = mn_sxtab16_odd(odd, four);
    }
  }
  store(at, c, (int16_t)even);
  store(at, c + 1, (int16_t)odd);
  store(at, c + 2, even >> 16);
  store(at, c + 3, odd >> 16);
}

static void one_channel(const position *at, int32_t c) {
  int32_t acc = 0;
  for (int32_t i = 0; i < at->rows; i++)
    for (int32_t j = 0; j < at->columns; j++)
      acc += at->x[(i * at->p->input_w + j) * at->p->input_c + c];
  store(at, c, acc);
}

void mn_average_pool_2d_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_pool_2d *p = params;
  position at = {.p = p};
  for (int32_t h = io->first_row; h < io->first_row + io->rows; h++)
    for (int32_t w = 0; w < p->output_w; w++) {
      mn_pool_window in = mn_pool_window_at(p, h, w);
      at.x =
          (const int8_t *)io->x[0] + ((in.top - io->x_row[0]) * p->input_w + in.left) * p->input_c;
      at.y = (int8_t *)io->y + ((h - io->y_row) * p->output_w + w) * p->output_c;
      at.rows = in.bottom - in.top;
      at.columns = in.right - in.left;
      int32_t c = 0;
      for (; c + 4 <= p->output_c; c += 4) four_channels(&at, c);
      for (; c < p->output_c; c++) one_channel(&at, c);
    }
}
