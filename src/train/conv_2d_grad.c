/* conv_2d_grad.c - convolution and fully connected layers as matrix products, forward and backward.
 *
 * Direct: 1x1 at stride 1, and fully connected (one output row of `input_rows` input pixels): rows of
 * the input are rows of the matrix. Else patches are copied out of a padded plane, a block at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/integer.h"

/* ---- Shared -------------------------------------------------------------------------------*/
static void block_forward(mn_trainer *t, mn_unit *u, int32_t shard, const float *a, int64_t first,
                          int32_t rows, float *sum) {
  mn_value *y = u->output;
  const bool statistics = y->gamma != NULL && t->training;
  const mn_gemm g = {.m = rows,
                     .n = y->stride,
                     .k = u->depth_used,
                     .a = a,
                     .a_row = u->depth,
                     .a_column = 1,
                     .b = u->packed,
                     .c = y->z + first * y->stride,
                     .c_row = y->stride,
                     .sum = statistics ? sum : NULL,
                     .square = sum + y->stride};
  t->lanes->gemm(&g);
  if (statistics) mn_value_flush(y, shard, sum);
}

static void block_weights(mn_trainer *t, mn_unit *u, int32_t shard, const float *a, const float *dz,
                          int32_t rows, bool begun) {
  const int32_t n = u->output->stride;
  const mn_gemm g = {.m = u->depth_used,
                     .n = n,
                     .k = rows,
                     .a = a,
                     .a_row = 1,
                     .a_column = u->depth,
                     .b = dz,
                     .b_row = n,
                     .c = u->weights->gradient + shard * u->weights->count,
                     .c_row = n,
                     .accumulate = begun};
  t->lanes->gemm(&g);
}

static void block_input(mn_trainer *t, mn_unit *u, float *dx, ptrdiff_t dx_row, const float *dz,
                        int32_t rows, bool accumulate) {
  const int32_t n = u->output->stride;
  const mn_gemm g = {.m = rows,
                     .n = u->depth_padded,
                     .k = u->output->channels,
                     .a = dz,
                     .a_row = n,
                     .a_column = 1,
                     .b = u->turned,
                     .c = dx,
                     .c_row = dx_row,
                     .accumulate = accumulate};
  t->lanes->gemm(&g);
}

static void block_unnormalize(mn_trainer *t, const mn_value *y, float *dz, int64_t first,
                              int32_t rows) {
  const mn_unnormalize k = {y->on_g, y->on_z, y->constant};
  const mn_walk walk = {
      .rows = rows, .lines = 1, .channels = y->stride, .from_row = y->stride, .to_row = y->stride};
  t->lanes->unnormalize(dz, y->g + first * y->stride, y->z + first * y->stride, &k, &walk);
}

static int32_t block_rows(const mn_unit *u, int64_t left) {
  return left < u->block ? (int32_t)left : u->block;
}

static void weights_clear(mn_unit *u, int32_t shard) {
  memset(u->weights->gradient + shard * u->weights->count, 0,
         (size_t)u->weights->count * sizeof(float));
}

/* ---- Direct -------------------------------------------------------------------------------*/
static void direct_forward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const int64_t end = (int64_t)mn_shard_first(t, shard + 1) * u->rows_per_item;
  float *sum = scratch, *rows_of = scratch + 2 * u->output->stride;
  for (int64_t r = (int64_t)mn_shard_first(t, shard) * u->rows_per_item; r < end; r += u->block) {
    const int32_t rows = block_rows(u, end - r);
    const float *a =
        mn_value_read(t, u->input[0], rows_of, r * u->input_rows, (int64_t)rows * u->input_rows);
    block_forward(t, u, shard, a, r, rows, sum);
  }
}

static void direct_input(mn_trainer *t, mn_unit *u, int32_t shard, const float *dz, int64_t first,
                         int32_t rows, float *spare) {
  mn_value *x = u->input[0];
  const int64_t x_first = first * u->input_rows, x_rows = (int64_t)rows * u->input_rows;
  if (x->input) {
    block_input(t, u, spare, u->depth_padded, dz, rows, false);
    for (int32_t r = 0; r < rows; r++)
      mn_input_finish(t, x, shard, spare + (ptrdiff_t)r * u->depth_padded, x->stride,
                      x_first + (int64_t)r * u->input_rows, u->input_rows);
    return;
  }
  block_input(t, u, x->g + x_first * x->stride, u->depth, dz, rows, u->accumulate[0]);
  if (u->finish[0]) mn_value_finish(t, x, shard, x_first, x_rows);
}

static void direct_backward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const mn_value *y = u->output;
  const int64_t begin = (int64_t)mn_shard_first(t, shard) * u->rows_per_item;
  const int64_t end = (int64_t)mn_shard_first(t, shard + 1) * u->rows_per_item;
  float *dz = scratch, *rows_of = dz + (ptrdiff_t)u->block * y->stride;
  float *spare = rows_of + (ptrdiff_t)u->block * u->depth;
  for (int64_t r = begin; r < end; r += u->block) {
    const int32_t rows = block_rows(u, end - r);
    block_unnormalize(t, y, dz, r, rows);
    if (t->updates) {
      const float *a =
          mn_value_read(t, u->input[0], rows_of, r * u->input_rows, (int64_t)rows * u->input_rows);
      block_weights(t, u, shard, a, dz, rows, r > begin);
    }
    if (mn_value_wants_gradient(t, u->input[0])) direct_input(t, u, shard, dz, r, rows, spare);
  }
  if (begin == end) weights_clear(u, shard);
}

/* ---- Patches --------------------------------------------------------------------------------*/
/* Rows [first, first + rows) of one item's patch matrix. */
static void patches_take(const mn_unit *u, float *to, const float *plane, int32_t first,
                         int32_t rows) {
  const mn_window *w = &u->window;
  const ptrdiff_t pixel = u->input[0]->stride, line = pixel * u->plane_w;
  const bool whole = w->dilation_w == 1; /* a kernel line is one stretch of memory */
  const int32_t pieces = whole ? 1 : w->kernel_w;
  const ptrdiff_t length = whole ? pixel * w->kernel_w : pixel;
  for (int32_t r = first; r < first + rows; r++) {
    const int32_t oy = r / u->output->width, ox = r % u->output->width;
    const float *from = plane + oy * w->stride_h * line + ox * w->stride_w * pixel;
    for (int32_t i = 0; i < w->kernel_h; i++)
      for (int32_t j = 0; j < pieces; j++) {
        const float *p = from + i * w->dilation_h * line + j * w->dilation_w * pixel;
        for (ptrdiff_t c = 0; c < length; c++) to[c] = p[c];
        to += length;
      }
  }
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

static void plane_read(mn_trainer *t, const mn_unit *u, float *plane, int32_t item) {
  const mn_value *x = u->input[0];
  const ptrdiff_t line = (ptrdiff_t)u->plane_w * x->stride;
  mn_value_lines(t, x, plane + u->pad_top * line + (ptrdiff_t)u->pad_left * x->stride, x->stride,
                 line, item, 0, x->height);
}

static void patches_forward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  float *sum = scratch, *plane = sum + 2 * u->output->stride;
  float *matrix = plane + plane_bytes(u) / sizeof(float);
  memset(plane, 0, plane_bytes(u));
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    plane_read(t, u, plane, item);
    for (int32_t r = 0; r < u->rows_per_item; r += u->block) {
      const int32_t rows = block_rows(u, u->rows_per_item - r);
      patches_take(u, matrix, plane, r, rows);
      block_forward(t, u, shard, matrix, (int64_t)item * u->rows_per_item + r, rows, sum);
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
    t->lanes->scale(x->g + (first + (int64_t)y * x->width) * x->stride, from, 1.0f,
                    u->accumulate[0], width);
  }
  if (u->finish[0] && !x->input) mn_value_finish(t, x, shard, first, x->pixels);
}

static void patches_backward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const mn_value *y = u->output;
  const bool wants = mn_value_wants_gradient(t, u->input[0]);
  const int32_t begin = mn_shard_first(t, shard), end = mn_shard_first(t, shard + 1);
  const size_t floats = plane_bytes(u) / sizeof(float);
  float *plane = scratch, *gradient = plane + floats, *dz = gradient + floats;
  float *matrix = dz + (ptrdiff_t)u->block * y->stride;
  memset(plane, 0, plane_bytes(u));
  for (int32_t item = begin; item < end; item++) {
    if (t->updates) plane_read(t, u, plane, item);
    if (wants) memset(gradient, 0, plane_bytes(u));
    for (int32_t r = 0; r < u->rows_per_item; r += u->block) {
      const int32_t rows = block_rows(u, u->rows_per_item - r);
      block_unnormalize(t, y, dz, (int64_t)item * u->rows_per_item + r, rows);
      if (t->updates) {
        patches_take(u, matrix, plane, r, rows);
        block_weights(t, u, shard, matrix, dz, rows, item > begin || r > 0);
      }
      if (!wants) continue;
      block_input(t, u, matrix, u->depth_padded, dz, rows, false);
      patches_add(u, gradient, matrix, r, rows);
    }
    if (wants) plane_give(t, u, shard, gradient, item);
  }
  if (begin == end) weights_clear(u, shard);
}

/* ---- The family -------------------------------------------------------------------------------*/
static float *scratch_of(const mn_trainer *t, int32_t thread) {
  return t->scratch + thread * t->scratch_floats;
}

static void conv_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  float *scratch = scratch_of(t, thread);
  if (mn_unit_is_integer(t, u)) {
    mn_integer_conv(t, u, shard, scratch);
    return;
  }
  memset(scratch, 0, 2 * (size_t)u->output->stride * sizeof *scratch);
  if (u->output->maker != NULL)
    mn_expand_forward(t, u, shard, scratch);
  else
    (u->direct ? direct_forward : patches_forward)(t, u, shard, scratch);
}

static void conv_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  if (u->output->maker != NULL)
    mn_expand_backward(t, u, shard, scratch_of(t, thread));
  else
    (u->direct ? direct_backward : patches_backward)(t, u, shard, scratch_of(t, thread));
}

const mn_unit_family mn_conv_family = {"conv_2d", conv_forward, conv_backward};
