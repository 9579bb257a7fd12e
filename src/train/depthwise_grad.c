/* depthwise_grad.c - depthwise convolution, forward and backward, a strip of output rows of one item at a
 * time: all channels, so that memory is read in one stream, and few rows, so that the strip stays in the
 * first caches. Lines that two strips share move up.
 *
 * Backward, one pass over the output's gradient gives both gradients. That of the input is a convolution
 * of it with the turned kernel; behind a stride, each phase of the input's lines and columns has taps of
 * its own (reach). With a multiplier m, output channel o reads input channel o / m: the plane is widened
 * on the way in and summed on the way out.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/integer.h"

enum { STRIP_FLOATS = 24576 }; /* of the input's plane in a strip */

/* Sizes of the buffers; pixels are output's stride apart in all of them. */
typedef struct strip {
  int32_t rows;             /* of the output */
  int32_t span_h, span_w;   /* of the kernel */
  int32_t lines;            /* of the plane: what the rows read */
  int32_t back, left, dz_w; /* gradient: lines kept of the strip before; columns of zeros; width */
  int32_t tail;             /* lines of zeros behind the last */
  ptrdiff_t plane_line, dz_line; /* floats */
} strip;

static int32_t at_least(int32_t a, int32_t b) {
  return a > b ? a : b;
}
static int32_t at_most(int32_t a, int32_t b) {
  return a < b ? a : b;
}

static strip strip_of(const mn_unit *u) {
  const mn_window *w = &u->window;
  const mn_value *x = u->input[0], *y = u->output;
  strip s = {.span_h = (w->kernel_h - 1) * w->dilation_h + 1,
             .span_w = (w->kernel_w - 1) * w->dilation_w + 1};
  s.plane_line = (ptrdiff_t)u->plane_w * y->stride;
  s.rows = at_most(at_least((int32_t)(STRIP_FLOATS / (s.plane_line * w->stride_h)), 1), y->height);
  s.lines = (s.rows - 1) * w->stride_h + s.span_h;
  s.back = (s.span_h - 1) / w->stride_h;
  s.left = (s.span_w - 1) / w->stride_w;
  s.tail = at_least((x->height - 1 + u->pad_top) / w->stride_h - (y->height - 1), 0);
  s.dz_w = s.left + at_least((x->width - 1 + u->pad_left) / w->stride_w + 1, y->width);
  s.dz_line = (ptrdiff_t)s.dz_w * y->stride;
  return s;
}

static ptrdiff_t plane_floats(const strip *s) {
  return s->lines * s->plane_line;
}
static ptrdiff_t made_line(const mn_unit *u) {
  return (ptrdiff_t)u->input[0]->width * u->output->stride;
}
static ptrdiff_t made_floats(const mn_unit *u, const strip *s) {
  return u->input[0]->maker != NULL ? s->lines * made_line(u) : 0;
}
static ptrdiff_t dz_floats(const strip *s) {
  return (s->back + s->rows) * s->dz_line;
}

int64_t mn_depthwise_scratch(const mn_unit *u) {
  const strip s = strip_of(u);
  const mn_value *x = u->input[0];
  const int32_t n = u->output->stride;
  const int64_t most = (int64_t)(s.rows * u->window.stride_h + s.span_h) * x->width;
  const int64_t made = x->maker != NULL ? most * (3 * n + x->maker->input[0]->stride) : 0;
  return 2 * n + plane_floats(&s) + dz_floats(&s) + x->pixels * at_least(n, x->stride) + made;
}

/* ---- The input's plane ----------------------------------------------------------------------*/
/* Every input channel, multiplier times. */
static void lines_widen(mn_trainer *t, const mn_unit *u, float *to, ptrdiff_t to_line, int32_t item,
                        int32_t first, int32_t lines, float *spare) {
  const mn_value *x = u->input[0];
  const int32_t m = u->window.multiplier, n = u->output->stride;
  mn_value_lines(t, x, spare, x->stride, (ptrdiff_t)x->width * x->stride, item, first, lines);
  for (int32_t y = 0; y < lines; y++)
    for (int32_t i = 0; i < x->width; i++, spare += x->stride)
      for (int32_t c = 0; c < u->output->channels; c++)
        to[y * to_line + (ptrdiff_t)i * n + c] = spare[c / m];
}

static void lines_clear(float *plane, ptrdiff_t line, int32_t first, int32_t end) {
  if (first < end) memset(plane + first * line, 0, (size_t)((end - first) * line) * sizeof *plane);
}

/* The plane moves on to output rows [first, first + rows). `made`: z of the same lines, without borders,
 * where the input is not stored. */
static void plane_advance(mn_trainer *t, const mn_unit *u, const strip *s, float *plane,
                          float *made, int32_t item, int32_t first, int32_t rows, float *spare) {
  const mn_value *x = u->input[0];
  const int32_t step = u->window.stride_h, n = u->output->stride, pad = u->pad_top;
  const int32_t top = first * step, end = top + (rows - 1) * step + s->span_h;
  const int32_t known = first == 0 ? top : at_least(top, top - step + s->span_h);
  if (known > top)
    memmove(plane, plane + s->rows * step * s->plane_line,
            (size_t)((known - top) * s->plane_line) * sizeof *plane);
  if (known > top && x->maker != NULL)
    memmove(made, made + s->rows * step * made_line(u),
            (size_t)((known - top) * made_line(u)) * sizeof *made);
  const int32_t begin = at_most(at_least(known, pad), end),
                stop = at_least(at_most(end, pad + x->height), begin);
  lines_clear(plane, s->plane_line, known - top, begin - top);
  lines_clear(plane, s->plane_line, stop - top, end - top);
  float *to = plane + (begin - top) * s->plane_line + (ptrdiff_t)u->pad_left * n;
  if (u->window.multiplier != 1)
    lines_widen(t, u, to, s->plane_line, item, begin - pad, stop - begin, spare);
  else if (x->maker != NULL)
    mn_expand_lines(t, x, to, n, s->plane_line, made + (begin - top) * made_line(u), item,
                    begin - pad, stop - begin, spare);
  else
    mn_value_lines(t, x, to, n, s->plane_line, item, begin - pad, stop - begin);
}

static mn_plane plane_of(const mn_unit *u, int32_t rows) {
  const mn_window *w = &u->window;
  const int32_t n = u->output->stride;
  return (mn_plane){.channels = n,
                    .stride = n,
                    .width = u->plane_w,
                    .out_h = rows,
                    .out_w = u->output->width,
                    .kernel_h = w->kernel_h,
                    .kernel_w = w->kernel_w,
                    .stride_h = w->stride_h,
                    .stride_w = w->stride_w,
                    .dilation_h = w->dilation_h,
                    .dilation_w = w->dilation_w,
                    .weight_row = (ptrdiff_t)w->kernel_w * n,
                    .weight_tap = n,
                    .form = mn_value_form(u->output)};
}

/* ---- Forward ----------------------------------------------------------------------------------*/
static void depthwise_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  mn_value *y = u->output;
  if (mn_unit_is_integer(t, u)) {
    mn_integer_depthwise_unit(t, u, shard, mn_scratch_of(t, thread));
    return;
  }
  const strip s = strip_of(u);
  float *sum = mn_scratch_of(t, thread), *square = sum + y->stride;
  float *plane = square + y->stride, *made = plane + plane_floats(&s);
  float *spare = made + made_floats(u, &s);
  const bool statistics = y->gamma != NULL && t->training;
  const ptrdiff_t line = (ptrdiff_t)y->width * y->stride;
  memset(sum, 0, (2 * (size_t)y->stride + (size_t)plane_floats(&s)) * sizeof *sum);
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    for (int32_t first = 0; first < y->height; first += s.rows) {
      const mn_plane p = plane_of(u, at_most(s.rows, y->height - first));
      void *z = mn_value_row(y, ((int64_t)item * y->height + first) * y->width);
      plane_advance(t, u, &s, plane, made, item, first, p.out_h, spare);
      t->lanes->depthwise(z, y->stride, line, plane, u->packed, &p, statistics ? sum : NULL,
                          square);
    }
    if (statistics) mn_value_flush(y, shard, sum);
  }
}

/* ---- Backward ---------------------------------------------------------------------------------*/
/* The gradient moves on to lines [first, first + rows) of the output, and of the zeros behind it. */
static void dz_advance(mn_trainer *t, const mn_unit *u, const strip *s, float *dz, int32_t item,
                       int32_t first, int32_t rows) {
  const mn_value *y = u->output;
  const int32_t real = at_least(at_most(rows, y->height - first), 0);
  const int64_t row = ((int64_t)item * y->height + first) * y->width;
  const mn_unnormalize k = {y->on_g, y->on_z, y->constant, y->compact};
  const mn_walk walk = {.rows = y->width,
                        .lines = real,
                        .channels = y->stride,
                        .from_row = y->stride,
                        .from_line = (ptrdiff_t)y->width * y->stride,
                        .to_row = y->stride,
                        .to_line = s->dz_line};
  if (first == 0)
    lines_clear(dz, s->dz_line, 0, s->back);
  else
    memmove(dz, dz + s->rows * s->dz_line, (size_t)(s->back * s->dz_line) * sizeof *dz);
  if (real > 0)
    t->lanes->unnormalize(dz + s->back * s->dz_line + (ptrdiff_t)s->left * y->stride,
                          mn_gradient_row(y, row), mn_value_row(y, row), &k, &walk);
  lines_clear(dz, s->dz_line, s->back + real, s->back + rows);
}

/* Taps of the turned kernel that reach input line (or column) i: output line (i + pad - tap * dilation) /
 * stride, where that divides. */
typedef struct reach {
  int32_t taps, first, step;
  int32_t from, from_step; /* output line of the first tap; from tap to tap */
} reach;

static reach reach_of(int32_t i, int32_t pad, int32_t kernel, int32_t dilation, int32_t stride) {
  reach r = {0};
  for (int32_t k = kernel - 1; k >= 0; k--) {
    const int32_t at = i + pad - k * dilation, turned = kernel - 1 - k;
    if (at % stride != 0) continue;
    if (r.taps == 0) r.first = turned, r.from = at / stride;
    if (r.taps == 1) r.step = turned - r.first, r.from_step = at / stride - r.from;
    r.taps++;
  }
  return r;
}

/* Input lines [begin, end) to `to`, or added to it, pixels output's stride apart; dz holds output lines from
 * `top` on. */
static void dx_lines(mn_trainer *t, const mn_unit *u, const strip *s, void *to, mn_form form,
                     bool adds, const float *dz, int32_t top, int32_t begin, int32_t end) {
  const mn_window *w = &u->window;
  const int32_t width = u->input[0]->width;
  const ptrdiff_t n = u->output->stride, size = mn_form_bytes(form);
  for (int32_t i = 0; i < at_most(w->stride_h, end - begin); i++)
    for (int32_t j = 0; j < at_most(w->stride_w, width); j++) {
      const reach h = reach_of(begin + i, u->pad_top, w->kernel_h, w->dilation_h, w->stride_h);
      const reach v = reach_of(j, u->pad_left, w->kernel_w, w->dilation_w, w->stride_w);
      const mn_plane p = {.channels = u->output->stride,
                          .stride = u->output->stride,
                          .width = s->dz_w,
                          .out_h = (end - begin - i + w->stride_h - 1) / w->stride_h,
                          .out_w = (width - j + w->stride_w - 1) / w->stride_w,
                          .kernel_h = h.taps,
                          .kernel_w = v.taps,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = h.from_step,
                          .dilation_w = v.from_step,
                          .weight_row = (ptrdiff_t)h.step * w->kernel_w * n,
                          .weight_tap = v.step * n,
                          .form = form,
                          .accumulate = adds};
      t->lanes->depthwise((char *)to + ((ptrdiff_t)i * width + j) * n * size, w->stride_w * n,
                          (ptrdiff_t)w->stride_h * width * n,
                          dz + (h.from - top) * s->dz_line + (s->left + v.from) * n,
                          u->turned + ((ptrdiff_t)h.first * w->kernel_w + v.first) * n, &p, NULL,
                          NULL);
    }
}

/* Adds (or writes) widened gradients of some pixels. */
static void give_narrow(const mn_unit *u, float *to, const float *from, int64_t pixels) {
  const mn_value *x = u->input[0];
  const int32_t m = u->window.multiplier;
  for (int64_t i = 0; i < pixels; i++, to += x->stride, from += u->output->stride) {
    if (!u->accumulate[0]) memset(to, 0, (size_t)x->stride * sizeof *to);
    for (int32_t c = 0; c < u->output->channels; c++) to[c / m] += from[c];
  }
}

static void dx_give(mn_trainer *t, mn_unit *u, const strip *s, int32_t shard, const float *dz,
                    const float *z, int32_t item, int32_t top, int32_t begin, int32_t end,
                    float *spare) {
  mn_value *x = u->input[0];
  const int64_t first = (int64_t)item * x->pixels + (int64_t)begin * x->width;
  const int64_t pixels = (int64_t)(end - begin) * x->width;
  if (begin >= end) return;
  if (x->maker != NULL) {
    dx_lines(t, u, s, spare, MN_FORM_FLOAT, false, dz, top, begin, end);
    mn_expand_give(t, x, shard, spare, z, first, pixels, spare + pixels * x->stride);
    return;
  }
  void *to = mn_gradient_row(x, first);
  const bool direct = u->window.multiplier == 1;
  dx_lines(t, u, s, direct ? to : spare, mn_gradient_form(x), direct && u->accumulate[0], dz, top,
           begin, end);
  if (!direct) give_narrow(u, to, spare, pixels);
  if (u->finish[0]) mn_value_finish(t, x, shard, first, pixels);
}

static void item_backward(mn_trainer *t, mn_unit *u, const strip *s, int32_t shard, int32_t item,
                          float *plane) {
  const mn_value *x = u->input[0], *y = u->output;
  float *dz = plane + plane_floats(s), *made = dz + dz_floats(s);
  float *spare = made + made_floats(u, s);
  const int32_t lines = y->height + s->tail, step = u->window.stride_h;
  int32_t done = 0;
  for (int32_t first = 0; first < lines; first += s->rows) {
    const int32_t rows = at_most(s->rows, lines - first);
    const mn_plane p = plane_of(u, at_most(rows, y->height - first));
    dz_advance(t, u, s, dz, item, first, rows);
    if (t->updates && p.out_h > 0) {
      plane_advance(t, u, s, plane, made, item, first, p.out_h, spare);
      t->lanes->depthwise_weights(u->weights->gradient + shard * u->weights->count, plane,
                                  dz + s->back * s->dz_line + (ptrdiff_t)s->left * y->stride,
                                  s->dz_line, y->stride, &p);
    }
    if (x->input) continue;
    const int32_t reached = first + rows < lines ? (first + rows) * step - u->pad_top : x->height;
    const int32_t end = at_most(at_least(reached, done), x->height);
    const bool known = t->updates && p.out_h > 0 && x->maker != NULL &&
                       end + u->pad_top <= first * step + (p.out_h - 1) * step + s->span_h;
    const float *z = known ? made + (done + u->pad_top - first * step) * made_line(u) : NULL;
    dx_give(t, u, s, shard, dz, z, item, first - s->back, done, end, spare);
    done = end;
  }
}

static void depthwise_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const strip s = strip_of(u);
  float *plane = mn_scratch_of(t, thread);
  memset(plane, 0, (size_t)(plane_floats(&s) + dz_floats(&s)) * sizeof *plane);
  memset(u->weights->gradient + shard * u->weights->count, 0,
         (size_t)u->weights->count * sizeof(float));
  if (u->input[0]->maker != NULL) mn_expand_begin(u->input[0]->maker, shard);
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++)
    item_backward(t, u, &s, shard, item, plane);
}

const mn_unit_family mn_depthwise_family = {"depthwise_conv_2d", depthwise_forward,
                                            depthwise_backward};
