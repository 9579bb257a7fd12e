/* arguments_block.c - see arguments_block.h; the layouts are those of kernels/conv_2d_block.h,
 * depthwise_conv_2d_strip.h and fully_connected_block.h. SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_block.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/requantize.h"

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

/* A channel whose weights are all their zero point has one output, whatever its bias and scale. */
static bool is_constant(const mn_tensor *k, int64_t channels, int64_t o, bool last_axis) {
  const int8_t *weights = k->data;
  int64_t terms = mn_shape_elements(&k->shape) / channels;
  int32_t zero_point = k->quantization.zero_point != NULL ? k->quantization.zero_point[0] : 0;
  for (int64_t i = 0; i < terms; i++)
    if (weights[last_axis ? i * channels + o : o * terms + i] != zero_point) return false;
  return true;
}

/* Sums with the bias below 2^bits in size: what the writers of outputs need. Channels that are constant
 * are given a bias of their own where they have a scale of their own. On a bare graph biases are taken to be
 * small. */
static const char *refuses_large_sums(const mn_graph *graph, const mn_op *op, int32_t bits) {
  const mn_tensor *k = mn_op_operand(graph, op, 1), *bias = mn_op_operand(graph, op, 2);
  bool depthwise = op->kind == MN_OP_DEPTHWISE_CONV_2D, own = k->quantization.count > 1;
  int64_t channels = depthwise ? k->shape.dim[3] : k->shape.dim[0], limit = (int64_t)1 << bits;
  int64_t most = mn_shape_elements(&k->shape) / channels * 255 * 255;
  const uint8_t *values = bias != NULL ? bias->data : NULL;
  for (int64_t o = 0; values != NULL && o < channels; o++) {
    int32_t value;
    memcpy(&value, values + (size_t)o * sizeof value, sizeof value);
    if (most + llabs((long long)value) < limit) continue;
    if (!own || !is_constant(k, channels, o, depthwise)) return "sums may be too large";
  }
  return most < limit ? NULL : "sums may be too large";
}

#define BOUNDED(family, bits, op_kind)                                                  \
  const char *mn_##family##_refuses_##op_kind(const mn_graph *graph, const mn_op *op) { \
    const char *reason = mn_refuses_##op_kind(graph, op);                               \
    return reason != NULL ? reason : refuses_large_sums(graph, op, bits);               \
  }
#define BOTH(op_kind) BOUNDED(plain, 30, op_kind) BOUNDED(m0, 29, op_kind)
BOTH(pointwise)
BOTH(conv_2d)
BOTH(one_channel)
BOTH(depthwise_in_place)
BOTH(depthwise_conv_2d)
BOTH(fully_connected)

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

/* The output of a constant channel as a bias of four times it, which a quarter scales: multiplier 2^30,
 * shift -1. What leaves the range of an int8 with any zero point is held there. */
static void fold_constant(int32_t *bias, int32_t *multiplier, int8_t *shift) {
  *bias = 4 * mn_clamp(mn_requantize(*bias, *multiplier, *shift), -255, 255);
  *multiplier = 1 << 30;
  *shift = -1;
}

/* Channels that are constant, after fold_bias(), where each has a scale of its own. */
static bool fold_constants(mn_kernel_arguments *a, mn_arena *arena, const mn_pack_source *s) {
  size_t outputs = (size_t)s->outputs;
  if (s->weights == NULL || a->constant[3].bytes != outputs) return true;
  int32_t *bias = mn_arena_copy(arena, a->constant[1].data, a->constant[1].bytes);
  int32_t *multiplier = mn_arena_copy(arena, a->constant[2].data, a->constant[2].bytes);
  int8_t *shift = mn_arena_copy(arena, a->constant[3].data, a->constant[3].bytes);
  if (bias == NULL || multiplier == NULL || shift == NULL) return false;
  for (int32_t o = 0; o < s->outputs; o++) {
    int32_t k = 0;
    while (k < s->terms && weight_at(s, o, k) == s->zero_point) k++;
    if (k == s->terms) fold_constant(&bias[o], &multiplier[o], &shift[o]);
  }
  a->constant[1].data = bias;
  a->constant[2].data = multiplier;
  a->constant[3].data = shift;
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
  MN_TRY(mn_pack_rows(a, arena, op, s, rows, (s->outputs + rows - 1) / rows * rows, error));
  return fold_constants(a, arena, s) ? MN_OK : mn_walk_no_memory(error, op);
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
mn_status mn_block_walk_fully_connected(mn_kernel_arguments *a, mn_arena *arena,
                                        const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_fully_connected(a, arena, graph, op, error));
  const mn_fully_connected *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->outputs,
                      .terms = p->inputs,
                      .channel_step = p->inputs,
                      .term_step = 1,
                      .zero_point = p->weight_zero_point,
                      .folded = p->input_zero_point + MOVED};
  a->scratch_bytes = p->inputs;
  int8_t *packed = weights_begin(a, arena, &s, MN_DTYPE_UINT8, (int64_t)s.outputs * s.terms);
  if (packed == NULL || !fold_bias(a, arena, &s, s.outputs) || !fold_constants(a, arena, &s))
    return mn_walk_no_memory(error, op);
  uint8_t *to = (uint8_t *)packed;
  for (int32_t o = 0, group; o < s.outputs && s.weights != NULL; o += group) {
    group = o + COLUMNS <= s.outputs ? COLUMNS : 1;
    for (int32_t k = 0; k < s.terms; k++)
      for (int32_t c = 0; c < group; c++) *to++ = (uint8_t)(weight_at(&s, o + c, k) + MOVED);
  }
  return MN_OK;
}
