/* plane_body.h - the part of the input that a stretch of output rows reads, converted and with its
 * border filled in, so that the loops behind it never ask where the image ends. Included after a
 * simd_*.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_PLANE_BODY_H
#define MN_KERNELS_PLANE_BODY_H

typedef struct window {
  MN_KERNEL_WINDOW_FIELDS(MN_KERNEL_FIELD)
} window;

typedef struct plane {
  const plane_value *data;
  int64_t row; /* elements from one row to the next */
} plane;

static void fill(plane_value *to, plane_value value, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = value;
}

/* Columns of one row: border, input, border. */
static void fill_row(plane_value *to, const window *w, const int8_t *x, int32_t columns,
                     int32_t zero_point) {
  plane_value border = plane_of(zero_point, zero_point);
  int32_t before = w->pad_left < columns ? w->pad_left : columns;
  int32_t inside = columns - before < w->input_w ? columns - before : w->input_w;
  fill(to, border, (int64_t)before * w->input_c);
  convert(to + before * w->input_c, x, (int64_t)inside * w->input_c, zero_point);
  fill(to + (before + inside) * w->input_c, border,
       (int64_t)(columns - before - inside) * w->input_c);
}

/* The scratch from its first whole cache line on: MN_HOST_SLACK has room for it. */
static plane_value *align_scratch(void *scratch) {
  uint8_t *bytes = scratch;
  void *line = bytes + (64 - (uintptr_t)bytes % 64) % 64;
  return line;
}

/* The plane's row 0 is what output row io->first_row reads first. */
static plane make_plane(const window *w, const mn_kernel_io *io, int32_t zero_point) {
  plane_value *to = align_scratch(io->scratch);
  int32_t columns = (w->output_w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
  int32_t rows = (io->rows - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1;
  int64_t row = (int64_t)columns * w->input_c, x_row = (int64_t)w->input_w * w->input_c;
  for (int32_t r = 0; r < rows; r++) {
    int32_t h = io->first_row * w->stride_h - w->pad_top + r;
    const int8_t *x = (const int8_t *)io->x[0] + (h - io->x_row[0]) * x_row;
    if (h < 0 || h >= w->input_h)
      fill(to + r * row, plane_of(zero_point, zero_point), row);
    else
      fill_row(to + r * row, w, x, columns, zero_point);
  }
  return (plane){to, row};
}

/* Walks over the positions of an output: where each reads first. Behind the last one it stays there. */
typedef struct walk {
  const plane_value *x, *row;
  int64_t step, row_step; /* to the next column, to the next row of the output */
  int32_t column, width, left;
} walk;

static inline void next_positions(const plane_value **x, walk *w, int32_t count) {
  for (int32_t m = 0; m < count;) {
    int32_t run = count - m < w->width - w->column ? count - m : w->width - w->column;
    if (w->left < run) run = w->left > 0 ? w->left : 1;
    for (int32_t i = 0; i < run; i++) x[m + i] = w->x + i * w->step;
    m += run;
    w->left -= run;
    if (w->left <= 0) { /* the last one again and again */
      w->x += (run - 1) * w->step;
      w->width = w->column + 1;
      continue;
    }
    w->column += run;
    w->x += run * w->step;
    if (w->column < w->width) continue;
    w->column = 0;
    w->row += w->row_step;
    w->x = w->row;
  }
}

static window window_of(const void *params) {
  window w;
  memcpy(&w, params, sizeof w); /* the window fields come first in every struct that has them */
  return w;
}

#endif
