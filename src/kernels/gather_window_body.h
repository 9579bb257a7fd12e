/* gather_window_body.h - the walk over a window of a convolution, for any unit that a block is made of.
 * Included after the type `unit`, gather_run() for values that lie side by side and gather_outside() for
 * the zero point; both fill one column and return its next place. Defines gather_window().
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_GATHER_WINDOW_BODY_H
#define MN_KERNELS_GATHER_WINDOW_BODY_H

#include "kernels/gather_window.h"
#include "kernels/window.h"

/* Columns [first, end) of a kernel row lie inside the input; x is the first of them. */
static unit *gather_row(const mn_conv_2d *p, unit *to, const int8_t *x, int32_t first,
                        int32_t end) {
  int32_t c = p->input_c;
  to = gather_outside(to, p->input_zero_point, first * c);
  if (p->dilation_w == 1)
    to = gather_run(to, x, (end - first) * c);
  else
    for (int32_t j = first; j < end; j++, x += p->dilation_w * c) to = gather_run(to, x, c);
  return gather_outside(to, p->input_zero_point, (p->kernel_w - end) * c);
}

static void gather_window(const mn_conv_2d *p, const mn_kernel_io *io, unit *to, int32_t h,
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

#endif
