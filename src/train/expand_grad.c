/* expand_grad.c - a 1x1 convolution into a depthwise one (MobileNetV2's expansion) without storing the wide
 * map between them: whoever reads it makes its lines anew from the narrow input, a strip at a time.
 *
 * Forward, the expansion only gathers the statistics of batch norm. Backward, the depthwise unit has a
 * strip of g = dL/du at hand, but batch norm's dz = p g + q z + r needs sums over the whole batch for q and
 * r (p is known). All that follows is linear in dz, and z = a W for the input's rows a, so the depthwise
 * unit takes what g gives, and the expansion adds the rest when the sums are there:
 *   dL/da = (p g) W' + a (W diag(q) W') + W r        dL/dW = p (a'g) + q ((a'a) W) + (sum of a) r'
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

bool mn_expand_fits(const mn_trainer *t, const mn_unit *maker, const mn_unit *reader) {
  const mn_value *x = maker->input[0], *v = maker->output;
  const int64_t bytes = (int64_t)sizeof(float) * t->config.batch * v->pixels * v->stride;
  return maker->family == &mn_conv_family && maker->direct && maker->input_rows == 1 && !x->input &&
         v->gamma != NULL && v->readers == 1 && v->stride >= 2 * x->stride &&
         reader->family == &mn_depthwise_family && reader->input[0] == v &&
         reader->window.multiplier == 1 && t->config.quantize_from < 0 &&
         bytes >= t->config.remake_bytes;
}

/* Rows of the narrow input as the expansion sees them (returned), and of the wide map. */
static const float *rows_make(mn_trainer *t, const mn_unit *maker, float *z, float *spare,
                              int64_t first, int64_t rows, float *sum) {
  const mn_value *v = maker->output;
  const float *a = mn_value_read(t, maker->input[0], spare, first, rows);
  const mn_gemm g = {.m = (int32_t)rows,
                     .n = v->stride,
                     .k = maker->depth_used,
                     .a = a,
                     .a_row = maker->depth,
                     .a_column = 1,
                     .b = maker->packed,
                     .c = z,
                     .c_row = v->stride,
                     .sum = sum,
                     .square = sum != NULL ? sum + v->stride : NULL};
  t->lanes->gemm(&g);
  return a;
}

void mn_expand_lines(mn_trainer *t, const mn_value *v, float *to, ptrdiff_t to_row,
                     ptrdiff_t to_line, float *z, int32_t item, int32_t first, int32_t lines,
                     float *spare) {
  const int64_t rows = (int64_t)lines * v->width;
  if (lines <= 0) return;
  rows_make(t, v->maker, z, spare, ((int64_t)item * v->height + first) * v->width, rows, NULL);
  const mn_walk w = mn_value_walk(v, lines, to_row, to_line);
  t->lanes->read(to, z, &v->view, &w);
}

/* ---- The expansion's own passes ---------------------------------------------------------------*/
static int64_t shard_end(const mn_trainer *t, const mn_unit *u, int32_t shard) {
  return (int64_t)mn_shard_first(t, shard + 1) * u->rows_per_item;
}

void mn_expand_forward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const int64_t end = shard_end(t, u, shard);
  float *sum = scratch, *z = sum + 2 * u->output->stride;
  if (!t->training) return;
  for (int64_t r = shard_end(t, u, shard - 1); r < end; r += u->block) {
    const int64_t rows = end - r < u->block ? end - r : u->block;
    rows_make(t, u, z, z + (ptrdiff_t)u->block * u->output->stride, r, rows, sum);
    mn_value_flush(u->output, shard, sum);
  }
}

static void weights_add(mn_trainer *t, mn_unit *u, int32_t shard, const float *a, const float *g,
                        int64_t rows) {
  const int32_t n = u->output->stride;
  const mn_gemm p = {.m = u->depth_used,
                     .n = n,
                     .k = (int32_t)rows,
                     .a = a,
                     .a_row = 1,
                     .a_column = u->depth,
                     .b = g,
                     .b_row = n,
                     .c = u->weights->gradient + shard * u->weights->count,
                     .c_row = n,
                     .accumulate = true};
  t->lanes->gemm(&p);
}

/* p is known, and goes into the weights that turn the gradient. */
void mn_expand_prepare(mn_trainer *t, mn_unit *maker) {
  const mn_value *v = maker->output;
  const int32_t n = v->stride;
  const float *w = maker->weights->value;
  float *scaled = maker->scaled;
  for (int32_t k = 0; k < maker->depth; k++)
    for (int32_t o = 0; o < n; o++)
      scaled[(ptrdiff_t)k * n + o] = v->raw_scale[o] * w[(ptrdiff_t)k * n + o];
  t->lanes->pack(maker->turned, scaled, v->channels, maker->depth_padded, maker->depth, 1, n);
}

void mn_expand_begin(mn_unit *maker, int32_t shard) {
  memset(maker->weights->gradient + shard * maker->weights->count, 0,
         (size_t)maker->weights->count * sizeof(float));
}

void mn_expand_give(mn_trainer *t, mn_value *v, int32_t shard, float *g, const float *z,
                    int64_t first, int64_t rows, float *spare) {
  mn_unit *u = v->maker;
  mn_value *x = u->input[0];
  float *rows_of = spare + rows * v->stride;
  const float *a = z == NULL ? rows_make(t, u, spare, rows_of, first, rows, NULL)
                             : mn_value_read(t, x, rows_of, first, rows);
  mn_value_finish_rows(t, v, shard, g, z != NULL ? z : spare, rows);
  if (t->updates) weights_add(t, u, shard, a, g, rows);
  const mn_gemm dx = {.m = (int32_t)rows,
                      .n = u->depth_padded,
                      .k = v->channels,
                      .a = g,
                      .a_row = v->stride,
                      .a_column = 1,
                      .b = u->turned,
                      .c = mn_gradient_row(x, first),
                      .c_row = x->stride,
                      .accumulate = u->accumulate[0]};
  t->lanes->gemm(&dx);
}

/* What the second pass needs of the weights: m = W diag(q) W' [k][stride], c = W r. */
static void narrow_terms(mn_trainer *t, const mn_unit *u, float *m, float *c, float *scaled) {
  const mn_value *x = u->input[0], *v = u->output;
  const float *w = u->weights->value;
  const int32_t n = v->stride;
  memset(m, 0, (size_t)x->stride * (size_t)x->stride * sizeof *m);
  memset(c, 0, (size_t)x->stride * sizeof *c);
  for (int32_t i = 0; i < x->channels; i++) {
    for (int32_t o = 0; o < n; o++) scaled[o] = v->on_z[o] * w[(ptrdiff_t)i * n + o];
    c[i] = (float)t->lanes->dot(v->constant, w + (ptrdiff_t)i * n, n);
    for (int32_t j = 0; j < x->channels; j++)
      m[(ptrdiff_t)i * x->stride + j] = (float)t->lanes->dot(scaled, w + (ptrdiff_t)j * n, n);
  }
}

static void weights_finish(mn_trainer *t, mn_unit *u, int32_t shard, const float *square,
                           const double *sum, float *product) {
  const mn_value *v = u->output;
  const int32_t n = v->stride;
  float *gradient = u->weights->gradient + shard * u->weights->count;
  const mn_gemm g = {.m = u->depth_used,
                     .n = n,
                     .k = u->depth_used,
                     .a = square,
                     .a_row = u->depth,
                     .a_column = 1,
                     .b = u->weights->value,
                     .b_row = n,
                     .c = product,
                     .c_row = n};
  t->lanes->gemm(&g);
  for (int32_t k = 0; k < u->depth_used; k++)
    for (int32_t o = 0; o < n; o++, gradient++, product++)
      *gradient = v->on_g[o] * *gradient + (v->on_z[o] * *product + (float)sum[k] * v->constant[o]);
}

static void square_add(mn_trainer *t, const mn_unit *u, float *square, const float *a,
                       int64_t rows) {
  const mn_gemm g = {.m = u->depth_used,
                     .n = u->depth,
                     .k = (int32_t)rows,
                     .a = a,
                     .a_row = 1,
                     .a_column = u->depth,
                     .b = a,
                     .b_row = u->depth,
                     .c = square,
                     .c_row = u->depth,
                     .accumulate = true};
  t->lanes->gemm(&g);
}

static void input_add(mn_trainer *t, mn_unit *u, int32_t shard, const float *a, const float *m,
                      const float *c, const float *ones, int64_t first, int64_t rows) {
  mn_value *x = u->input[0];
  float *g = mn_gradient_row(x, first);
  const mn_gemm dx = {.m = (int32_t)rows,
                      .n = x->stride,
                      .k = u->depth_used,
                      .a = a,
                      .a_row = x->stride,
                      .a_column = 1,
                      .b = m,
                      .b_row = x->stride,
                      .c = g,
                      .c_row = x->stride,
                      .accumulate = true};
  const mn_unnormalize add = {ones, ones + x->stride, c, false};
  const mn_walk w = {
      .rows = rows, .lines = 1, .channels = x->stride, .from_row = x->stride, .to_row = x->stride};
  t->lanes->gemm(&dx);
  t->lanes->unnormalize(g, g, g, &add, &w);
  if (u->finish[0]) mn_value_finish(t, x, shard, first, rows);
}

void mn_expand_backward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch) {
  const mn_value *x = u->input[0], *v = u->output;
  const int64_t begin = shard_end(t, u, shard - 1), end = shard_end(t, u, shard);
  const ptrdiff_t k = x->stride, n = v->stride;
  double *sum = (double *)(void *)scratch, *unused = sum + k; /* 64-byte aligned */
  float *m = (float *)(void *)(unused + k), *square = m + k * k, *c = square + k * k;
  float *ones = c + k, *product = ones + 2 * k, *rows_of = product + k * n;
  memset(sum, 0, 2 * (size_t)k * sizeof *sum);
  memset(square, 0, (size_t)(k * k) * sizeof *square);
  for (int32_t i = 0; i < k; i++) ones[i] = 1.0f, ones[k + i] = 0.0f;
  narrow_terms(t, u, m, c, product);
  for (int64_t r = begin; r < end; r += u->block) {
    const int64_t rows = end - r < u->block ? end - r : u->block;
    const float *a = mn_value_read(t, x, rows_of, r, rows);
    if (t->updates) {
      square_add(t, u, square, a, rows);
      t->lanes->row_sums(sum, unused, a, rows, (int32_t)k);
    }
    input_add(t, u, shard, a, m, c, ones, r, rows);
  }
  if (t->updates) weights_finish(t, u, shard, square, sum, product);
}

int64_t mn_expand_scratch(const mn_unit *u) {
  const int64_t k = u->input[0]->stride, n = u->output->stride;
  return 8 * k + 2 * k * k + k * n + (u->block + 2) * (k + n);
}
