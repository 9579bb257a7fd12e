/* conv_2d_mve.c - CONV_2D int8 for Helium: the windows of three positions are gathered one behind the
 * other, then multiplied by all weights. Constants as dot_mve.h and outputs_mve.h say, the input's zero
 * point folded into the bias.
 *
 * Scratch   int32 sum [3][S], S = output_c + 3 rounded up to 4, then int8 window [3][KH, KW, C]
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"
#include "kernels/dot_mve.h"
#include "kernels/outputs_mve.h"
#include "kernels/window.h"

#if defined(__ARM_FEATURE_MVE)

enum { POSITIONS = 3 };

/* Sixteen bytes at a time, in tail-predicated loops, which gcc 12 does not make. */
static int8_t *gather_run(int8_t *to, const int8_t *x, int32_t count) {
  int8_t *end = to + count;
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n"
      "1:\n"
      "vldrb.8 q0, [%[x]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [x] "+r"(x), [to] "+r"(to)
      : [count] "r"(count)
      : "lr", "q0", "memory");
  return end;
}

static int8_t *gather_outside(int8_t *to, int32_t zero_point, int32_t count) {
  int8_t *end = to + count;
  __asm__ volatile(
      "vdup.8 q0, %[value]\n"
      "wlstp.8 lr, %[count], 2f\n"
      "1:\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [to] "+r"(to)
      : [count] "r"(count), [value] "r"(zero_point)
      : "lr", "q0", "memory");
  return end;
}

/* Columns [first, end) of a kernel row lie inside the input; x is the first of them. */
static int8_t *gather_row(const mn_conv_2d *p, int8_t *to, const int8_t *x, int32_t first,
                          int32_t end) {
  int32_t c = p->input_c;
  to = gather_outside(to, p->input_zero_point, first * c);
  if (p->dilation_w == 1)
    to = gather_run(to, x, (end - first) * c);
  else
    for (int32_t j = first; j < end; j++, x += p->dilation_w * c) to = gather_run(to, x, c);
  return gather_outside(to, p->input_zero_point, (p->kernel_w - end) * c);
}

/* The window of output position (h, w); returns its end. */
static int8_t *gather_window(const mn_conv_2d *p, const mn_kernel_io *io, int8_t *to, int32_t h,
                             int32_t w) {
  int32_t left = w * p->stride_w - p->pad_left, run = p->kernel_w * p->input_c;
  int32_t first = mn_window_first(left, p->dilation_w);
  int32_t end = mn_window_end(left, p->dilation_w, p->input_w, p->kernel_w);
  int32_t row = h * p->stride_h - p->pad_top, whole = end - first == p->kernel_w;
  int32_t x_row = p->input_w * p->input_c;
  const int8_t *x = (const int8_t *)io->x[0] + (left + first * p->dilation_w) * p->input_c;
  x += (row - io->x_row[0]) * x_row;
  for (int32_t i = 0; i < p->kernel_h; i++, row += p->dilation_h, x += p->dilation_h * x_row) {
    if (row < 0 || row >= p->input_h || first >= end)
      to = gather_outside(to, p->input_zero_point, run);
    else if (whole && p->dilation_w == 1)
      to = gather_run(to, x, run);
    else
      to = gather_row(p, to, x, first, end);
  }
  return to;
}

/* The next position. */
typedef struct cursor {
  const int8_t *x; /* of a 1x1 of stride 1 without padding: the pixel; else NULL */
  int32_t h, w;
} cursor;

static void gather(const mn_conv_2d *p, const mn_kernel_io *io, int8_t *to, cursor *at,
                   int32_t count) {
  if (at->x != NULL) {
    gather_run(to, at->x, count * p->input_c);
    at->x += count * p->input_c;
    return;
  }
  for (; count > 0; count--) {
    to = gather_window(p, io, to, at->h, at->w);
    if (++at->w == p->output_w) at->h++, at->w = 0;
  }
}

static int is_pointwise(const mn_conv_2d *p) {
  return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
         p->pad_top == 0 && p->pad_left == 0 && p->output_w == p->input_w;
}

/* Positions in order, three at a time, read whole before their outputs are written: MN_OVERLAP_PIXEL. */
void mn_conv_2d_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  int32_t terms = p->kernel_h * p->kernel_w * p->input_c, step = (p->output_c + 6) & ~3;
  const mn_outputs_mve q = MN_OUTPUTS_MVE(p, io, p->output_c, step);
  int32_t *sum = io->scratch;
  int8_t *window = (int8_t *)(sum + POSITIONS * step);
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  cursor at = {NULL, io->first_row, 0};
  if (is_pointwise(p))
    at.x = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->input_w * p->input_c;
  for (int32_t left = io->rows * p->output_w, count; left > 0; left -= count) {
    count = left < POSITIONS ? 1 : POSITIONS;
    gather(p, io, window, &at, count);
    if (count == POSITIONS) {
      mn_dot_mve_3x2(sum, step, window, io->constant[0], io->constant[1], terms, p->output_c);
      mn_outputs_write_three(&q, y, sum, p->output_c);
    } else {
      mn_dot_mve_1x4(sum, window, io->constant[0], io->constant[1], terms, p->output_c);
      mn_outputs_write_one(&q, y, sum, p->output_c);
    }
    y += count * p->output_c;
  }
}

#endif
