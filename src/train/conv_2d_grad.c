/* conv_2d_grad.c - convolution and fully connected layers as matrix products, forward and backward.
 *
 * Direct: 1x1 at stride 1, and fully connected (one output row of `input_rows` input pixels): rows of
 * the input are rows of the matrix. Else patches are copied out of a padded plane, a block at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/half.h"
#include "train/integer.h"

/* ---- Shared -------------------------------------------------------------------------------*/
/* One shard of a unit's pass. */
typedef struct pass {
  mn_trainer *t;
  mn_unit *u;
  int32_t shard;
  bool half; /* factors have 16 bits */
} pass;

/* A matrix of factors: floats, or 16 bits of which 1 stands for `scale`. */
typedef struct matrix {
  const void *at;
  float scale;
} matrix;

static void product(const pass *p, matrix a, matrix b, mn_gemm g) {
  g.a = a.at, g.b = b.at, g.scale = a.scale * b.scale;
  if (p->half)
    p->t->half->gemm(&g);
  else
    p->t->lanes->gemm(&g);
}

/* Elements of so many floats. */
static int32_t elements(const pass *p, int32_t floats) {
  return p->half ? (floats + 1) / 2 : floats;
}

static void block_forward(const pass *p, matrix a, int64_t first, int32_t rows, float *sum) {
  const mn_unit *u = p->u;
  mn_value *y = u->output;
  const bool statistics = y->gamma != NULL && p->t->training;
  product(p, a, (matrix){u->packed, u->packed_scale},
          (mn_gemm){.m = rows,
                    .n = y->stride,
                    .k = elements(p, u->depth_used),
                    .a_row = elements(p, u->depth),
                    .a_column = 1,
                    .c = mn_value_row(y, first),
                    .c_row = y->stride,
                    .form = mn_value_form(y),
                    .sum = statistics ? sum : NULL,
                    .square = sum + y->stride});
  if (statistics) mn_value_flush(y, p->shard, sum);
}

/* A product along the rows takes 16 bits woven: they go behind the block's rows in `rows_of`. */
static matrix along_rows(const pass *p, matrix a, void *rows_of, int32_t rows, int32_t columns) {
  if (!p->half) return a;
  uint16_t *half = rows_of;
  uint32_t *woven = (uint32_t *)(void *)(half + (ptrdiff_t)p->u->block * columns);
  p->t->lanes->weave(woven, half, rows, columns);
  return (matrix){woven, a.scale};
}

static void block_weights(const pass *p, matrix a, matrix dz, int32_t rows, bool begun) {
  const mn_unit *u = p->u;
  const int32_t n = u->output->stride;
  product(p, a, dz,
          (mn_gemm){.m = u->depth_used,
                    .n = n,
                    .k = elements(p, rows),
                    .a_row = 1,
                    .a_column = u->depth,
                    .b_row = n,
                    .c = u->weights->gradient + p->shard * u->weights->count,
                    .c_row = n,
                    .accumulate = begun});
}

static void block_input(const pass *p, void *dx, mn_form form, ptrdiff_t dx_row, matrix dz,
                        int32_t rows, bool accumulate) {
  const mn_unit *u = p->u;
  product(p, dz, (matrix){u->turned, u->turned_scale},
          (mn_gemm){.m = rows,
                    .n = u->depth_padded,
                    .k = elements(p, u->output->channels),
                    .a_row = elements(p, u->output->stride),
                    .a_column = 1,
                    .c = dx,
                    .c_row = dx_row,
                    .form = form,
                    .accumulate = accumulate});
}

static matrix block_unnormalize(const pass *p, void *dz, int64_t first, int32_t rows) {
  const mn_value *y = p->u->output;
  const void *g = mn_gradient_row(y, first), *z = mn_value_row(y, first);
  const mn_unnormalize k = {y->on_g, y->on_z, y->constant, y->compact};
  const mn_walk walk = {
      .rows = rows, .lines = 1, .channels = y->stride, .from_row = y->stride, .to_row = y->stride};
  if (p->half)
    return (matrix){dz, p->t->half->unnormalize(dz, g, z, &k, rows, y->stride, mn_half_most(p->u))};
  p->t->lanes->unnormalize(dz, g, z, &k, &walk);
  return (matrix){dz, 1.0f};
}

static int32_t block_rows(const mn_unit *u, int64_t left) {
  return left < u->block ? (int32_t)left : u->block;
}

static void weights_clear(mn_unit *u, int32_t shard) {
  memset(u->weights->gradient + shard * u->weights->count, 0,
         (size_t)u->weights->count * sizeof(float));
}

/* ---- Direct -------------------------------------------------------------------------------*/
static matrix direct_rows(const pass *p, void *rows_of, int64_t first, int32_t rows) {
  const mn_unit *u = p->u;
  const int64_t x_first = first * u->input_rows, x_rows = (int64_t)rows * u->input_rows;
  if (!p->half) return (matrix){mn_value_read(p->t, u->input[0], rows_of, x_first, x_rows), 1.0f};
  return (matrix){rows_of,
                  mn_value_read_half(p->t, u->input[0], rows_of, x_first, x_rows, mn_half_most(u))};
}

static void direct_forward(const pass *p, float *scratch) {
  const mn_unit *u = p->u;
  const int64_t end = (int64_t)mn_shard_first(p->t, p->shard + 1) * u->rows_per_item;
  float *sum = scratch, *rows_of = scratch + 2 * u->output->stride;
  for (int64_t r = (int64_t)mn_shard_first(p->t, p->shard) * u->rows_per_item; r < end;
       r += u->block) {
    const int32_t rows = block_rows(u, end - r);
    block_forward(p, direct_rows(p, rows_of, r, rows), r, rows, sum);
  }
}

static void direct_input(const pass *p, matrix dz, int64_t first, int32_t rows, float *spare) {
  const mn_unit *u = p->u;
  mn_value *x = u->input[0];
  const int64_t x_first = first * u->input_rows, x_rows = (int64_t)rows * u->input_rows;
  if (x->input) {
    block_input(p, spare, MN_FORM_FLOAT, u->depth_padded, dz, rows, false);
    for (int32_t r = 0; r < rows; r++)
      mn_input_finish(p->t, x, p->shard, spare + (ptrdiff_t)r * u->depth_padded, x->stride,
                      x_first + (int64_t)r * u->input_rows, u->input_rows);
    return;
  }
  block_input(p, mn_gradient_row(x, x_first), mn_gradient_form(x), u->depth, dz, rows,
              u->accumulate[0]);
  if (u->finish[0]) mn_value_finish(p->t, x, p->shard, x_first, x_rows);
}

static void direct_backward(const pass *p, float *scratch) {
  mn_trainer *t = p->t;
  mn_unit *u = p->u;
  const int32_t n = u->output->stride;
  const int64_t begin = (int64_t)mn_shard_first(t, p->shard) * u->rows_per_item;
  const int64_t end = (int64_t)mn_shard_first(t, p->shard + 1) * u->rows_per_item;
  float *dz_of = scratch, *rows_of = dz_of + (ptrdiff_t)u->block * n;
  float *spare = rows_of + (ptrdiff_t)u->block * u->depth;
  for (int64_t r = begin; r < end; r += u->block) {
    const int32_t rows = block_rows(u, end - r);
    const matrix dz = block_unnormalize(p, dz_of, r, rows);
    if (t->updates) {
      const matrix a = direct_rows(p, rows_of, r, rows);
      block_weights(p, along_rows(p, a, rows_of, rows, u->depth), along_rows(p, dz, dz_of, rows, n),
                    rows, r > begin);
    }
    if (mn_value_wants_gradient(t, u->input[0])) direct_input(p, dz, r, rows, spare);
  }
  if (begin == end) weights_clear(u, p->shard);
}

/* ---- Patches --------------------------------------------------------------------------------*/
/* Copies of a few bytes run over the end, by less than OVER: what follows is written afterwards. */
enum { OVER = 16, LONG = 64 };
static void stretch_copy(char *to, const char *from, size_t bytes) {
  if (bytes >= LONG) {
    memcpy(to, from, bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i += OVER) memcpy(to + i, from + i, OVER);
}

/* Rows [first, first + rows) of one item's patch matrix. */
static matrix patches_take(const pass *p, void *rows_of, matrix plane, int32_t first,
                           int32_t rows) {
  const mn_unit *u = p->u;
  const mn_window *w = &u->window;
  const ptrdiff_t pixel = u->input[0]->stride, line = pixel * u->plane_w;
  const bool whole = w->dilation_w == 1; /* a kernel line is one stretch of memory */
  const int32_t pieces = whole ? 1 : w->kernel_w;
  const size_t size = p->half ? sizeof(uint16_t) : sizeof(float);
  const size_t bytes = size * (size_t)(whole ? pixel * w->kernel_w : pixel);
  char *to = rows_of;
  for (int32_t r = first; r < first + rows; r++) {
    const int32_t oy = r / u->output->width, ox = r % u->output->width;
    const ptrdiff_t corner = oy * w->stride_h * line + ox * w->stride_w * pixel;
    for (int32_t i = 0; i < w->kernel_h; i++)
      for (int32_t j = 0; j < pieces; j++, to += bytes) {
        const ptrdiff_t at = corner + i * w->dilation_h * line + j * w->dilation_w * pixel;
        stretch_copy(to, (const char *)plane.at + (ptrdiff_t)size * at, bytes);
      }
  }
  return (matrix){rows_of, plane.scale};
}

/* The same walk, adding the patch gradient to the plane. */
static void patches_add(const mn_unit *u, float *plane, const float *from, int32_t first,
                        int32_t rows) {
  const mn_window *w = &u->window;
  const ptrdiff_t pixel = u->input[0]->stride, line = pixel * u->plane_w;
  const bool whole = w->dilation_w == 1;
  const int32_t pieces = whole ? 1 : w->kernel_w;
  const ptrdiff_t length = whole ? pixel * w->kernel_w : pixel;
  for (int32_t r = first; r < first + rows; r++, from += u->depth_padded) {
    const int32_t oy = r / u->output->width, ox = r % u->output->width;
    float *to = plane + oy * w->stride_h * line + ox * w->stride_w * pixel;
    const float *p = from;
    for (int32_t i = 0; i < w->kernel_h; i++)
      for (int32_t j = 0; j < pieces; j++, p += length) {
        float *q = to + i * w->dilation_h * line + j * w->dilation_w * pixel;
        for (ptrdiff_t c = 0; c < length; c++) q[c] += p[c];
      }
  }
}

static size_t plane_bytes(const mn_unit *u) {
  return (size_t)u->plane_h * (size_t)u->plane_w * (size_t)u->input[0]->stride * sizeof(float);
}

static matrix plane_read(const pass *p, void *plane, int32_t item) {
  const mn_value *x = p->u->input[0];
  const ptrdiff_t line = (ptrdiff_t)p->u->plane_w * x->stride;
  const ptrdiff_t corner = p->u->pad_top * line + (ptrdiff_t)p->u->pad_left * x->stride;
  if (p->half)
    return (matrix){plane, mn_value_lines_half(p->t, x, (uint16_t *)plane + corner, x->stride, line,
                                               item, 0, x->height, mn_half_most(p->u))};
  mn_value_lines(p->t, x, (float *)plane + corner, x->stride, line, item, 0, x->height);
  return (matrix){plane, 1.0f};
}

static void patches_forward(const pass *p, float *scratch) {
  const mn_unit *u = p->u;
  float *sum = scratch, *plane_of = sum + 2 * u->output->stride;
  float *rows_of = plane_of + plane_bytes(u) / sizeof(float);
  memset(plane_of, 0, plane_bytes(u));
  const int32_t begin = mn_shard_first(p->t, p->shard), end = mn_shard_first(p->t, p->shard + 1);
  for (int32_t item = begin; item < end; item++) {
    const matrix plane = plane_read(p, plane_of, item);
    for (int32_t r = 0; r < u->rows_per_item; r += u->block) {
      const int32_t rows = block_rows(u, u->rows_per_item - r);
      block_forward(p, patches_take(p, rows_of, plane, r, rows),
                    (int64_t)item * u->rows_per_item + r, rows, sum);
    }
  }
}

/* The inner part of the gradient plane becomes, or is added to, the item's gradient. */
static void plane_give(mn_trainer *t, mn_unit *u, int32_t shard, const float *plane, int32_t item) {
  mn_value *x = u->input[0];
  const ptrdiff_t line = (ptrdiff_t)u->plane_w * x->stride, width = (ptrdiff_t)x->width * x->stride;
  const float *from = plane + u->pad_top * line + (ptrdiff_t)u->pad_left * x->stride;
  const int64_t first = (int64_t)item * x->pixels;
  for (int32_t y = 0; y < x->height; y++, from += line) {
    if (x->input) {
      mn_input_finish(t, x, shard, from, x->stride, first + (int64_t)y * x->width, x->width);
      continue;
    }
    t->lanes->scale(mn_gradient_row(x, first + (int64_t)y * x->width), mn_gradient_form(x), from,
                    1.0f, u->accumulate[0], width);
  }
  if (u->finish[0] && !x->input) mn_value_finish(t, x, shard, first, x->pixels);
}

static void patches_backward(const pass *p, float *scratch) {
  mn_trainer *t = p->t;
  mn_unit *u = p->u;
  const int32_t n = u->output->stride;
  const bool wants = mn_value_wants_gradient(t, u->input[0]);
  const int32_t begin = mn_shard_first(t, p->shard), end = mn_shard_first(t, p->shard + 1);
  const size_t floats = plane_bytes(u) / sizeof(float);
  float *plane_of = scratch, *gradient = plane_of + floats, *dz_of = gradient + floats;
  float *rows_of = dz_of + (ptrdiff_t)u->block * n;
  memset(plane_of, 0, plane_bytes(u));
  for (int32_t item = begin; item < end; item++) {
    const matrix plane = t->updates ? plane_read(p, plane_of, item) : (matrix){NULL, 0};
    if (wants) memset(gradient, 0, plane_bytes(u));
    for (int32_t r = 0; r < u->rows_per_item; r += u->block) {
      const int32_t rows = block_rows(u, u->rows_per_item - r);
      const matrix dz = block_unnormalize(p, dz_of, (int64_t)item * u->rows_per_item + r, rows);
      if (t->updates) {
        const matrix a = patches_take(p, rows_of, plane, r, rows);
        block_weights(p, along_rows(p, a, rows_of, rows, u->depth),
                      along_rows(p, dz, dz_of, rows, n), rows, item > begin || r > 0);
      }
      if (!wants) continue;
      block_input(p, rows_of, MN_FORM_FLOAT, u->depth_padded, dz, rows, false);
      patches_add(u, gradient, rows_of, r, rows);
    }
    if (wants) plane_give(t, u, p->shard, gradient, item);
  }
  if (begin == end) weights_clear(u, p->shard);
}

/* ---- The family -------------------------------------------------------------------------------*/
static void conv_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  float *scratch = mn_scratch_of(t, thread);
  const pass p = {t, u, shard, mn_half_forward(t, u)};
  if (mn_unit_is_integer(t, u)) {
    mn_integer_conv(t, u, shard, scratch);
    return;
  }
  memset(scratch, 0, 2 * (size_t)u->output->stride * sizeof *scratch);
  if (u->output->maker != NULL)
    mn_expand_forward(t, u, shard, scratch);
  else
    (u->direct ? direct_forward : patches_forward)(&p, scratch);
}

static void conv_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const pass p = {t, u, shard, mn_half_backward(t, u)};
  if (u->output->maker != NULL)
    mn_expand_backward(t, u, shard, mn_scratch_of(t, thread));
  else
    (u->direct ? direct_backward : patches_backward)(&p, mn_scratch_of(t, thread));
}

const mn_unit_family mn_conv_family = {"conv_2d", conv_forward, conv_backward};
