/* arguments_block.c - see arguments_block.h; the layouts are those of kernels/conv_2d_block.h,
 * depthwise_conv_2d_strip.h and fully_connected_block.h. SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_block.h"

#include <stdlib.h>

#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"

enum { COLUMNS = 4, MOVED = 128 };

const char *mn_refuses_pointwise(const mn_graph *graph, const mn_op *op) {
  const mn_window *w = &op->window;
  bool pointwise = w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1;
  return pointwise ? mn_refuses_conv_2d(graph, op) : "not 1x1 with stride 1";
}

const char *mn_refuses_depthwise_in_place(const mn_graph *graph, const mn_op *op) {
  const mn_shape *x = &graph->tensors[op->input[0]].shape, *y = &graph->tensors[op->output].shape;
  bool same = op->window.stride_h == 1 && op->window.stride_w == 1 && mn_shape_equal(x, y);
  return same ? mn_refuses_depthwise_conv_2d(graph, op) : "not of stride 1 with equal shapes";
}

const char *mn_refuses_one_channel(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  return graph->tensors[op->input[0]].shape.dim[3] > 1 ? "more than one input channel" : NULL;
}

/* Sums with the bias below 2^29: what outputs_m0.c needs. On a bare graph biases are taken to be small. */
static const char *refuses_large_sums(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *k = mn_op_operand(graph, op, 1), *bias = mn_op_operand(graph, op, 2);
  int64_t channels = op->kind == MN_OP_DEPTHWISE_CONV_2D ? k->shape.dim[3] : k->shape.dim[0];
  int64_t most = mn_shape_elements(&k->shape) / channels * 255 * 255;
  const int32_t *value = bias != NULL ? bias->data : NULL;
  for (int64_t o = 0; value != NULL && o < channels; o++)
    if (most + llabs((long long)value[o]) >= 1 << 29) return "sums may exceed 2^29";
  return most < 1 << 29 ? NULL : "sums may exceed 2^29";
}

#define SMALL(op_family)                                                          \
  const char *mn_m0_refuses_##op_family(const mn_graph *graph, const mn_op *op) { \
    const char *reason = mn_refuses_##op_family(graph, op);                       \
    return reason != NULL ? reason : refuses_large_sums(graph, op);               \
  }
SMALL(pointwise)
SMALL(conv_2d)
SMALL(one_channel)
SMALL(depthwise_in_place)
SMALL(depthwise_conv_2d)
SMALL(fully_connected)

static int8_t weight_at(const mn_pack_source *s, int32_t o, int32_t k) {
  return o < s->outputs ? s->weights[o * s->channel_step + k * s->term_step] : 0;
}

/* The constants of a kernel that multiplies by (x - zero point) without knowing the zero point: a bias
 * for every output, and as many more as make `outputs`. */
static bool fold_bias(mn_kernel_arguments *a, mn_arena *arena, const mn_pack_source *s,
                      int32_t outputs) {
  const int32_t *bias = a->constant[1].data;
  int32_t *folded = mn_arena_array(arena, (size_t)outputs, sizeof *folded);
  if (folded == NULL) return false;
  for (int32_t o = 0; o < s->outputs && s->weights != NULL; o++) {
    int64_t sum = 0;
    for (int32_t k = 0; k < s->terms; k++) sum += weight_at(s, o, k) - s->zero_point;
    folded[o] = (int32_t)((uint32_t)(bias != NULL ? bias[o] : 0) - (uint32_t)(sum * s->folded));
  }
  a->constant[1] = (mn_constant){.name = "bias",
                                 .dtype = MN_DTYPE_INT32,
                                 .data = s->weights != NULL ? folded : NULL,
                                 .bytes = (size_t)outputs * sizeof *folded};
  return true;
}

static int8_t *weights_begin(mn_kernel_arguments *a, mn_arena *arena, const mn_pack_source *s,
                             mn_dtype dtype, int64_t count) {
  int8_t *packed = mn_arena_alloc(arena, (size_t)count);
  a->constant[0] = (mn_constant){.name = "weights",
                                 .dtype = dtype,
                                 .data = s->weights != NULL ? packed : NULL,
                                 .bytes = (size_t)count,
                                 .weights = true};
  return packed;
}

/* Rows of weights that are multiplied at a time; of a block, what its values are moved up by and how many
 * bytes each takes. */
typedef struct block_form {
  int32_t rows, moved, bytes;
} block_form;
static const block_form pairs = {2, MOVED, 1}, halves = {1, 0, 2};

/* ---- Convolution -----------------------------------------------------------------------------*/
mn_status mn_pack_rows(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                       const mn_pack_source *s, int32_t rows, int32_t biases, mn_error *error) {
  int32_t outputs = (s->outputs + rows - 1) / rows * rows;
  int8_t *to = weights_begin(a, arena, s, MN_DTYPE_INT8, (int64_t)outputs * s->terms);
  if (to == NULL || !fold_bias(a, arena, s, biases)) return mn_walk_no_memory(error, op);
  for (int32_t o = 0; o < outputs && s->weights != NULL; o += rows)
    for (int32_t k = 0; k < s->terms; k++)
      for (int32_t r = 0; r < rows; r++) *to++ = weight_at(s, o + r, k);
  return MN_OK;
}

static mn_status pack_rows(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                           const mn_pack_source *s, int32_t rows, mn_error *error) {
  return mn_pack_rows(a, arena, op, s, rows, (s->outputs + rows - 1) / rows * rows, error);
}

static mn_status walk_conv_2d(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                              const mn_op *op, block_form form, mn_error *error) {
  MN_TRY(mn_walk_conv_2d(a, arena, graph, op, error));
  const mn_conv_2d *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->output_c,
                      .terms = p->kernel_h * p->kernel_w * p->input_c,
                      .term_step = 1,
                      .folded = p->input_zero_point + form.moved};
  s.channel_step = s.terms;
  a->scratch_bytes = (int64_t)s.terms * COLUMNS * form.bytes;
  return pack_rows(a, arena, op, &s, form.rows, error);
}

mn_status mn_block_walk_conv_2d_pairs(mn_kernel_arguments *a, mn_arena *arena,
                                      const mn_graph *graph, const mn_op *op, mn_error *error) {
  return walk_conv_2d(a, arena, graph, op, pairs, error);
}

mn_status mn_block_walk_conv_2d_halves(mn_kernel_arguments *a, mn_arena *arena,
                                       const mn_graph *graph, const mn_op *op, mn_error *error) {
  return walk_conv_2d(a, arena, graph, op, halves, error);
}

mn_status mn_walk_one_channel(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                              const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(a, arena, graph, op, error));
  const mn_depthwise_conv_2d *d = a->params;
  mn_conv_2d *p = mn_arena_alloc(arena, sizeof *p);
  if (p == NULL) return mn_walk_no_memory(error, op);
#define COPY(name) p->name = d->name;
  MN_CONV_2D_FIELDS(COPY)
#undef COPY
  a->params = p;
  return MN_OK;
}

static mn_status walk_one_channel(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                                  const mn_op *op, block_form form, mn_error *error) {
  MN_TRY(mn_walk_one_channel(a, arena, graph, op, error));
  const mn_conv_2d *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->output_c,
                      .terms = p->kernel_h * p->kernel_w,
                      .channel_step = 1,
                      .term_step = p->output_c,
                      .folded = p->input_zero_point + form.moved};
  a->scratch_bytes = (int64_t)s.terms * COLUMNS * form.bytes;
  return pack_rows(a, arena, op, &s, form.rows, error);
}

mn_status mn_block_walk_one_channel_pairs(mn_kernel_arguments *a, mn_arena *arena,
                                          const mn_graph *graph, const mn_op *op, mn_error *error) {
  return walk_one_channel(a, arena, graph, op, pairs, error);
}

mn_status mn_block_walk_one_channel_halves(mn_kernel_arguments *a, mn_arena *arena,
                                           const mn_graph *graph, const mn_op *op,
                                           mn_error *error) {
  return walk_one_channel(a, arena, graph, op, halves, error);
}

/* ---- Depthwise -------------------------------------------------------------------------------*/
mn_status mn_block_walk_depthwise_conv_2d(mn_kernel_arguments *a, mn_arena *arena,
                                          const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(a, arena, graph, op, error));
  const mn_depthwise_conv_2d *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->output_c,
                      .terms = p->kernel_h * p->kernel_w,
                      .channel_step = 1,
                      .term_step = p->output_c,
                      .folded = p->input_zero_point + MOVED};
  int64_t rows = mn_depthwise_strip(p->output_h, p->output_w);
  int64_t height = (rows - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
  int64_t width = (p->output_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
  a->scratch_bytes = rows * p->output_w * (int64_t)sizeof(int32_t) + height * width;
  return pack_rows(a, arena, op, &s, 1, error);
}

/* ---- Fully connected -------------------------------------------------------------------------*/
static mn_status walk_fully_connected(mn_kernel_arguments *a, mn_arena *arena,
                                      const mn_graph *graph, const mn_op *op, int32_t moved,
                                      mn_error *error) {
  MN_TRY(mn_walk_fully_connected(a, arena, graph, op, error));
  const mn_fully_connected *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->outputs,
                      .terms = p->inputs,
                      .channel_step = p->inputs,
                      .term_step = 1,
                      .zero_point = p->weight_zero_point,
                      .folded = p->input_zero_point + moved};
  a->scratch_bytes = p->inputs;
  int8_t *packed = weights_begin(a, arena, &s, MN_DTYPE_UINT8, (int64_t)s.outputs * s.terms);
  if (packed == NULL || !fold_bias(a, arena, &s, s.outputs)) return mn_walk_no_memory(error, op);
  uint8_t *to = (uint8_t *)packed;
  for (int32_t o = 0, group; o < s.outputs && s.weights != NULL; o += group) {
    group = o + COLUMNS <= s.outputs ? COLUMNS : 1;
    for (int32_t k = 0; k < s.terms; k++)
      for (int32_t c = 0; c < group; c++) *to++ = (uint8_t)(weight_at(&s, o + c, k) + MOVED);
  }
  return MN_OK;
}

mn_status mn_block_walk_fully_connected_moved(mn_kernel_arguments *a, mn_arena *arena,
                                              const mn_graph *graph, const mn_op *op,
                                              mn_error *error) {
  return walk_fully_connected(a, arena, graph, op, MOVED, error);
}

mn_status mn_block_walk_fully_connected_signed(mn_kernel_arguments *a, mn_arena *arena,
                                               const mn_graph *graph, const mn_op *op,
                                               mn_error *error) {
  return walk_fully_connected(a, arena, graph, op, 0, error);
}
