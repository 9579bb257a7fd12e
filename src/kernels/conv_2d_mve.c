/* conv_2d_mve.c - CONV_2D int8 for Helium: the windows of three positions are gathered one behind the
 * other, then multiplied by all weights. Constants: weights and rules of matrix_mve.h, the input's zero
 * point folded into the bias.
 *
 * Scratch   int8 window [3][KH * KW * C rounded up to 16]
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"
#include "kernels/matrix_mve.h"
#include "kernels/window.h"

#if defined(__ARM_FEATURE_MVE)

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

/* `count` rows of `run` values, `step` apart. */
static void gather_rows(int8_t *to, const int8_t *x, int32_t count, int32_t run, int32_t step) {
  int32_t over = -run & 15; /* what pointers move too far */
  step -= run + over;
  __asm__ volatile(
      "1:\n"
      "wlstp.8 lr, %[run], 3f\n"
      "2:\n"
      "vldrb.8 q0, [%[x]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 2b\n"
      "3:\n"
      "subs %[count], %[count], #1\n"
      "sub %[to], %[to], %[over]\n"
      "add %[x], %[x], %[step]\n"
      "bgt 1b\n"
      : [x] "+r"(x), [to] "+r"(to), [count] "+r"(count)
      : [run] "r"(run), [over] "r"(over), [step] "r"(step)
      : "lr", "q0", "cc", "memory");
}

/* The next position. */
typedef struct cursor {
  const int8_t *x; /* at input row 0; of a 1x1 of stride 1 without padding: the pixel */
  int32_t h, w;
  int32_t pointwise;
  int32_t most_row, most_left; /* where a window begins that lies inside whole; -1: none does */
} cursor;

/* A window that leaves the input, or is dilated, from row and column. */
static void gather_part(const mn_conv_2d *p, const cursor *at, int8_t *to, int32_t row,
                        int32_t left) {
  int32_t first = mn_window_first(left, p->dilation_w);
  int32_t end = mn_window_end(left, p->dilation_w, p->input_w, p->kernel_w);
  const int8_t *x = at->x + (left + first * p->dilation_w) * p->input_c;
  for (int32_t i = 0; i < p->kernel_h; i++, row += p->dilation_h)
    if (row < 0 || row >= p->input_h || first >= end)
      to = gather_outside(to, p->input_zero_point, p->kernel_w * p->input_c);
    else
      to = gather_row(p, to, x + row * p->input_w * p->input_c, first, end);
}

static void gather_window(const mn_conv_2d *p, cursor *at, int8_t *to) {
  int32_t row = at->h * p->stride_h - p->pad_top, left = at->w * p->stride_w - p->pad_left;
  int32_t step = p->input_w * p->input_c;
  if (row >= 0 && row <= at->most_row && left >= 0 && left <= at->most_left)
    gather_rows(to, at->x + row * step + left * p->input_c, p->kernel_h, p->kernel_w * p->input_c,
                step);
  else
    gather_part(p, at, to, row, left);
  if (++at->w == p->output_w) at->h++, at->w = 0;
}

/* Windows of `count` positions, `step` apart. */
static void gather(const mn_conv_2d *p, cursor *at, int8_t *to, int32_t step, int32_t count) {
  for (; count > 0; count--, to += step)
    if (at->pointwise) {
      gather_run(to, at->x, p->input_c);
      at->x += p->input_c;
    } else
      gather_window(p, at, to);
}

static cursor cursor_begin(const mn_conv_2d *p, const mn_kernel_io *io) {
  int32_t row = io->x_row[0];
  cursor at = {.h = io->first_row, .most_row = -1, .most_left = -1};
  at.pointwise = p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
                 p->pad_top == 0 && p->pad_left == 0 && p->output_w == p->input_w;
  if (at.pointwise) row -= io->first_row;
  at.x = (const int8_t *)io->x[0] - row * p->input_w * p->input_c;
  if (p->dilation_h == 1 && p->dilation_w == 1) {
    at.most_row = p->input_h - p->kernel_h;
    at.most_left = p->input_w - p->kernel_w;
  }
  return at;
}

/* Positions in order, three at a time, read whole before their outputs are written: MN_OVERLAP_PIXEL.
 * Behind the last one, what is missing of three is the one before again, written to the same place. */
void mn_conv_2d_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  int32_t terms = p->kernel_h * p->kernel_w * p->input_c, step = (terms + 15) & ~15;
  int8_t *window = io->scratch;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  cursor at = cursor_begin(p, io);
  mn_matrix_mve m = {.x = {window, window + step, window + 2 * step},
                     .blocks = step / 16 - 1,
                     .over = step - terms,
                     .terms = terms,
                     .second = p->output_c,
                     .third = p->output_c,
                     .zero_point = p->output_zero_point};
  mn_matrix_mve_rule(&m, io->constant[1], p->output_c, p->output_min, p->output_max);
  for (int32_t i = 0; i < 3; i++) gather_outside(window + i * step + terms, 0, m.over);
  for (int32_t left = io->rows * p->output_w; left > 0; left -= 3, y += 3 * p->output_c) {
    if (left < 3) m.third = 0, m.x[2] = m.x[left - 1];
    if (left < 2) m.second = 0, m.x[1] = m.x[0];
    gather(p, &at, window, step, left < 3 ? left : 3);
    m.rules = io->constant[1], m.outputs = p->output_c;
    mn_matrix_mve_multiply(&m, y, io->constant[0]);
  }
}

#endif
