/* gather_window.c - see gather_window.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gather_window.h"

#include "kernels/window.h"

enum { COLUMNS = 4 };

/* Column `to` of a block is filled from x, values moved up by 128 so that they are bytes without sign. */
static uint8_t *gather_run(uint8_t *to, const int8_t *x, int32_t count) {
  for (; count >= 4; count -= 4, x += 4, to += 4 * COLUMNS) {
    to[0] = (uint8_t)(x[0] ^ 0x80);
    to[COLUMNS] = (uint8_t)(x[1] ^ 0x80);
    to[2 * COLUMNS] = (uint8_t)(x[2] ^ 0x80);
    to[3 * COLUMNS] = (uint8_t)(x[3] ^ 0x80);
  }
  for (const int8_t *end = x + count; x != end; to += COLUMNS) *to = (uint8_t)(*x++ ^ 0x80);
  return to;
}

static uint8_t *gather_outside(uint8_t *to, int32_t zero_point, int32_t count) {
  for (uint8_t *end = to + COLUMNS * count; to != end; to += COLUMNS)
    *to = (uint8_t)(zero_point ^ 0x80);
  return to;
}

/* Columns [first, end) of a kernel row lie inside the input; x is the first of them. */
static uint8_t *gather_row(const mn_conv_2d *p, uint8_t *to, const int8_t *x, int32_t first,
                           int32_t end) {
  int32_t c = p->input_c;
  to = gather_outside(to, p->input_zero_point, first * c);
  if (p->dilation_w == 1)
    to = gather_run(to, x, (end - first) * c);
  else
    for (int32_t j = first; j < end; j++, x += p->dilation_w * c) to = gather_run(to, x, c);
  return gather_outside(to, p->input_zero_point, (p->kernel_w - end) * c);
}

void mn_gather_window(const mn_conv_2d *p, const mn_kernel_io *io, uint8_t *to, int32_t h,
                      int32_t w) {
  int32_t left = w * p->stride_w - p->pad_left;
  int32_t first = mn_window_first(left, p->dilation_w);
  int32_t end = mn_window_end(left, p->dilation_w, p->input_w, p->kernel_w);
  const int8_t *x = io->x[0];
  x += (left + first * p->dilation_w) * p->input_c;
  for (int32_t i = 0; i < p->kernel_h; i++) {
    int32_t row = h * p->stride_h - p->pad_top + i * p->dilation_h;
    if (row < 0 || row >= p->input_h || first >= end)
      to = gather_outside(to, p->input_zero_point, p->kernel_w * p->input_c);
    else
      to = gather_row(p, to, x + (row - io->x_row[0]) * p->input_w * p->input_c, first, end);
  }
}
