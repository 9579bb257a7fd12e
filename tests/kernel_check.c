/* kernel_check.c - see kernel_check.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel_check.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench {
  const mn_graph *graph;
  const mn_op *op;
  const mn_kernel_row *row;
  mn_kernel_arguments arguments;
  void *scratch; /* exactly as large as asked for */
} bench;

/* One activation: its bytes and how it is cut into rows. */
typedef struct values {
  uint8_t *data;
  size_t bytes, row_bytes;
  int32_t rows;
} values;

static values values_of(const mn_tensor *tensor) {
  bool image = tensor->shape.rank == 4;
  values v = {.bytes = mn_tensor_bytes(tensor), .rows = image ? tensor->shape.dim[1] : 1};
  v.row_bytes = v.bytes / (size_t)v.rows;
  v.data = malloc(v.bytes);
  assert_non_null(v.data);
  return v;
}

static void fill(values *v, mn_rng *rng) {
  static const uint8_t extremes[] = {0x80, 0x7f, 0, 0xff};
  bool extreme = mn_rng_below(rng, 4) == 0;
  for (size_t i = 0; i < v->bytes; i++)
    v->data[i] = extreme ? extremes[mn_rng_below(rng, 2)] : (uint8_t)mn_rng_below(rng, 256);
}

static bench bench_begin(mn_arena *arena, const mn_graph *graph, const mn_kernel_row *row) {
  bench b = {.graph = graph, .op = &graph->ops[0], .row = row};
  mn_error error = {{0}};
  assert_ok(row->arguments(&b.arguments, arena, graph, b.op, &error), &error);
  size_t bytes = ((size_t)b.arguments.scratch_bytes + 15) / 16 * 16;
  b.scratch = bytes > 0 ? aligned_alloc(16, bytes) : NULL;
  return b;
}

static mn_kernel_io io_of(const bench *b) {
  mn_kernel_io io = {.scratch = b->scratch};
  for (int32_t i = 0; i < b->arguments.constants; i++)
    io.constant[i] = b->arguments.constant[i].data;
  return io;
}

static void run_whole(const bench *b, const values *x, values *y) {
  mn_kernel_io io = io_of(b);
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++) io.x[i] = x[i].data;
  io.y = y->data;
  io.rows = y->rows;
  b->row->body(b->arguments.params, &io);
}

static void expect_equal(const bench *b, const uint8_t *found, const uint8_t *expected,
                         size_t bytes, const char *how) {
  for (size_t i = 0; i < bytes; i++)
    if (found[i] != expected[i])
      fail_msg("%s, %s: byte %zu of %zu is %d; expected %d", b->row->symbol, how, i, bytes,
               (int8_t)found[i], (int8_t)expected[i]);
}

/* Input rows that output rows [first, first + count) need. */
static void rows_needed(const bench *b, int32_t input_rows, int32_t first, int32_t count,
                        int32_t *from, int32_t *end) {
  const mn_window *w = &b->op->window;
  *from = first;
  *end = first + count;
  if (w->kernel_h > 0) {
    const mn_shape *x = &b->graph->tensors[b->op->input[0]].shape;
    int32_t pad =
        mn_window_pad_before(x->dim[1], w->kernel_h, w->stride_h, w->dilation_h, w->padding);
    *from = first * w->stride_h - pad;
    *end = (first + count - 1) * w->stride_h - pad + (w->kernel_h - 1) * w->dilation_h + 1;
  }
  if (*from < 0) *from = 0;
  if (*end > input_rows) *end = input_rows;
  if (*end < *from) *end = *from;
}

static uint8_t *slab_of(const values *v, int32_t from, int32_t end) {
  size_t bytes = (size_t)(end - from) * v->row_bytes;
  uint8_t *slab = malloc(bytes > 0 ? bytes : 1);
  assert_non_null(slab);
  memcpy(slab, v->data + (size_t)from * v->row_bytes, bytes);
  return slab;
}

static void check_slab(const bench *b, const values *x, const values *expected, int32_t first,
                       int32_t count) {
  mn_kernel_io io = io_of(b);
  for (int32_t i = 0; i < MN_KERNEL_INPUTS && x[i].data != NULL; i++) {
    int32_t end;
    rows_needed(b, x[i].rows, first, count, &io.x_row[i], &end);
    io.x[i] = slab_of(&x[i], io.x_row[i], end);
  }
  size_t bytes = (size_t)count * expected->row_bytes;
  uint8_t *y = malloc(bytes);
  io.y = y;
  io.first_row = io.y_row = first;
  io.rows = count;
  b->row->body(b->arguments.params, &io);
  expect_equal(b, y, expected->data + (size_t)first * expected->row_bytes, bytes, "a slab");
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++) free((void *)io.x[i]);
  free(y);
}

/* Bytes that the output may begin below the input at least; -1: it may not lie over it. */
static int64_t distance_of(const bench *b) {
  const mn_shape *x = &b->graph->tensors[b->op->input[0]].shape;
  const mn_shape *y = &b->graph->tensors[b->op->output].shape;
  int64_t pixels = mn_shape_elements(y) / y->dim[y->rank - 1];
  int64_t growth = pixels * (y->dim[y->rank - 1] - x->dim[x->rank - 1]);
  switch (b->row->overlap) {
    case MN_OVERLAP_PIXEL: return growth > 0 ? growth : 0;
    case MN_OVERLAP_ELEMENT:
    case MN_OVERLAP_PLANE: return 0;
    default: return -1;
  }
}

static void check_in_place(const bench *b, const values *x, const values *expected) {
  int64_t distance = distance_of(b);
  if (distance < 0) return;
  uint8_t *both = malloc((size_t)distance + x[0].bytes + expected->bytes);
  assert_non_null(both);
  mn_kernel_io io = io_of(b);
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++) io.x[i] = x[i].data;
  memcpy(both + distance, x[0].data, x[0].bytes);
  io.x[0] = both + distance;
  io.y = both;
  io.rows = expected->rows;
  b->row->body(b->arguments.params, &io);
  expect_equal(b, both, expected->data, expected->bytes, "over its input");
  free(both);
}

static void check_row(const bench *reference, const bench *b, mn_rng *rng) {
  values x[MN_KERNEL_INPUTS] = {{0}};
  values expected = values_of(&b->graph->tensors[b->op->output]);
  values found = values_of(&b->graph->tensors[b->op->output]);
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++) {
    mn_tensor_id id = reference->arguments.x[i];
    if (id < 0) continue;
    x[i] = values_of(&b->graph->tensors[id]);
    fill(&x[i], rng);
  }
  run_whole(reference, x, &expected);
  run_whole(b, x, &found);
  expect_equal(b, found.data, expected.data, expected.bytes, "whole");
  for (int32_t first = 0, count; first < expected.rows; first += count) {
    count = 1 + (int32_t)mn_rng_below(rng, 3);
    if (count > expected.rows - first) count = expected.rows - first;
    check_slab(b, x, &expected, first, count);
  }
  check_in_place(b, x, &expected);
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++) free(x[i].data);
  free(expected.data);
  free(found.data);
}

int32_t kernel_check(mn_arena *arena, const mn_graph *graph, const char *family, mn_rng *rng) {
  const char *reason = NULL;
  const mn_kernel_row *row = mn_kernel_find(graph, &graph->ops[0], "ref", &reason);
  if (row == NULL) fail_msg("no definition: %s", reason);
  bench reference = bench_begin(arena, graph, row);
  int32_t checked = 0;
  for (int32_t i = 0; (row = mn_kernel_row_at(i)) != NULL; i++) {
    if (row->op != graph->ops[0].kind || strcmp(row->family, family) != 0) continue;
    if (row->body == NULL || row->refuses(graph, &graph->ops[0]) != NULL) continue;
    bench b = bench_begin(arena, graph, row);
    check_row(&reference, &b, rng);
    free(b.scratch);
    checked++;
  }
  free(reference.scratch);
  return checked;
}
