/* layers.c - see layers.h. Shapes are those of small networks: every draw is a layer that could
 * stand in one, narrow or wide, with and without padding and strides.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/layers.h"

#include <string.h>

enum { DRAWS_PER_LAYER = 12, MOST_WORK = 500000, MOST_ELEMENTS = 9000 };

/* One layer, as drawn. */
typedef struct layer {
  int32_t h, w, c, outputs, kernel_h, kernel_w, stride, multiplier;
  mn_padding padding;
} layer;

typedef struct maker {
  mn_arena *arena;
  mn_builder *builder;
  mn_op_kind kind;
  mn_dtype activations, weights, output; /* output COUNT: as the op has it */
  mn_rng rng;
  mn_error *error;
  int32_t index;
  bool with_data; /* constants get values, so that the graph can be frozen */
} maker;

static int32_t pick(mn_rng *rng, const int32_t *from, size_t count) {
  return from[mn_rng_below(rng, (uint32_t)count)];
}
#define PICK(rng, ...)                      \
  pick(rng, (const int32_t[]){__VA_ARGS__}, \
       sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static int32_t draw_channels(mn_rng *rng) {
  return PICK(rng, 1, 2, 3, 4, 6, 8, 9, 12, 16, 16, 20, 24, 28, 32, 32, 48, 64, 64, 84, 96, 112,
              128, 140, 196);
}

static void draw_window(layer *l, mn_rng *rng, mn_op_kind kind) {
  static const int32_t windows[][2] = {{3, 3}, {3, 3}, {10, 4}, {5, 5}, {2, 2}, {1, 3}, {3, 1}};
  bool point = kind == MN_OP_CONV_2D && mn_rng_below(rng, 2) == 0;
  bool usual = kind == MN_OP_DEPTHWISE_CONV_2D && mn_rng_below(rng, 4) != 0;
  const int32_t *window = windows[usual ? 0 : mn_rng_below(rng, MN_COUNT(windows))];
  bool pool = kind == MN_OP_AVERAGE_POOL_2D || kind == MN_OP_MAX_POOL_2D;
  l->kernel_h = point ? 1 : window[0];
  l->kernel_w = point ? 1 : window[1];
  l->stride = mn_rng_below(rng, 4) == 0 ? 2 : 1;
  l->padding = mn_rng_below(rng, 4) == 0 ? MN_PADDING_VALID : MN_PADDING_SAME;
  if (!pool || mn_rng_below(rng, 2) == 0) return;
  l->kernel_h = l->h; /* the whole map, as before a classifier */
  l->kernel_w = l->w;
  l->padding = MN_PADDING_VALID;
}

static layer draw(mn_rng *rng, mn_op_kind kind) {
  layer l = {.h = PICK(rng, 1, 3, 4, 5, 6, 8, 12, 16, 24, 25, 48, 49),
             .w = PICK(rng, 1, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32),
             .c = draw_channels(rng),
             .outputs = draw_channels(rng),
             .multiplier = mn_rng_below(rng, 6) == 0 ? 2 : 1};
  draw_window(&l, rng, kind);
  bool flat = kind == MN_OP_FULLY_CONNECTED || kind == MN_OP_SOFTMAX;
  if (flat) {
    l.h = l.w = 1;
    if (kind == MN_OP_FULLY_CONNECTED) l.c *= PICK(rng, 1, 1, 2, 4, 8);
  }
  return l;
}

/* Small enough to be counted quickly, and a window that fits. */
static bool is_sensible(const layer *l, mn_op_kind kind) {
  int64_t outputs = kind == MN_OP_CONV_2D || kind == MN_OP_FULLY_CONNECTED ? l->outputs : 1;
  int64_t work = (int64_t)l->h * l->w * l->c * outputs;
  if (kind <= MN_OP_DEPTHWISE_CONV_2D) work *= l->kernel_h * l->kernel_w;
  bool fits = l->kernel_h <= l->h && l->kernel_w <= l->w;
  bool small = (int64_t)l->h * l->w * l->c <= MOST_ELEMENTS;
  return small && work <= MOST_WORK &&
         (fits || kind >= MN_OP_MEAN || kind == MN_OP_FULLY_CONNECTED);
}

/* ---- Tensors --------------------------------------------------------------------------------*/

static mn_status add_tensor(maker *m, mn_tensor_id *id, const char *role, mn_dtype dtype,
                            mn_shape shape, const int32_t *values) {
  static const float scale = 0.05f;
  static const int32_t zero_point = 0;
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "l%d_%s", m->index, role),
                      .dtype = dtype,
                      .shape = shape,
                      .constant = true};
  size_t bytes = mn_tensor_bytes(&tensor);
  if (tensor.name == NULL) return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
  if (values != NULL || m->with_data) {
    uint8_t *data = mn_arena_alloc(m->arena, bytes + 1);
    if (data == NULL) return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < bytes && values == NULL; i++) data[i] = (uint8_t)mn_rng_next(&m->rng);
    if (values != NULL) memcpy(data, values, bytes);
    tensor.data = data;
    tensor.data_bytes = bytes;
    tensor.quantization = (mn_quantization){1, 0, &scale, &zero_point};
  }
  return mn_builder_tensor(m->builder, id, &tensor, m->error);
}

static mn_status add_weights(maker *m, mn_op *op, mn_shape shape, int32_t outputs) {
  bool wide = m->activations == MN_DTYPE_INT16;
  bool with_data = m->with_data;
  m->with_data = false; /* freezing gives these their values */
  op->inputs = 3;
  mn_status status = add_tensor(m, &op->input[1], "weights", m->weights, shape, NULL);
  if (status == MN_OK)
    status = add_tensor(m, &op->input[2], "bias", wide ? MN_DTYPE_INT64 : MN_DTYPE_INT32,
                        (mn_shape){1, {outputs}}, NULL);
  m->with_data = with_data;
  op->activation = MN_ACTIVATION_RELU6;
  return status;
}

/* The second term of an ADD is no constant: an op of its own, which is not measured, makes it. */
static mn_status add_term(maker *m, mn_tensor_id *term, const layer *l) {
  mn_op op = {.kind = MN_OP_QUANTIZE,
              .name = mn_arena_text(m->arena, "l%d_q", m->index),
              .origin = -1,
              .inputs = 1,
              .input = {-1, -1, -1, -1, -1},
              .decision = -1};
  MN_TRY(
      add_tensor(m, &op.input[0], "q", m->activations, (mn_shape){4, {1, l->h, l->w, l->c}}, NULL));
  return mn_builder_add(m->builder, term, &op, MN_DTYPE_COUNT, m->error);
}

/* What an op has besides its input. */
static mn_status add_operands(maker *m, mn_op *op, const layer *l) {
  static const int32_t axes[] = {1, 2}, paddings[] = {0, 0, 1, 1, 1, 1, 0, 2};
  int32_t flat[] = {1, l->h * l->w * l->c};
  op->window = (mn_window){.kernel_h = l->kernel_h,
                           .kernel_w = l->kernel_w,
                           .stride_h = l->stride,
                           .stride_w = l->stride,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .multiplier = l->multiplier,
                           .padding = l->padding};
  switch (op->kind) {
    case MN_OP_CONV_2D:
      return add_weights(m, op, (mn_shape){4, {l->outputs, l->kernel_h, l->kernel_w, l->c}},
                         l->outputs);
    case MN_OP_DEPTHWISE_CONV_2D:
      return add_weights(m, op, (mn_shape){4, {1, l->kernel_h, l->kernel_w, l->c * l->multiplier}},
                         l->c * l->multiplier);
    case MN_OP_FULLY_CONNECTED:
      return add_weights(m, op, (mn_shape){2, {l->outputs, l->c}}, l->outputs);
    case MN_OP_ADD: op->inputs = 2; return add_term(m, &op->input[1], l);
    case MN_OP_MEAN:
      op->inputs = 2;
      return add_tensor(m, &op->input[1], "axes", MN_DTYPE_INT32, (mn_shape){1, {2}}, axes);
    case MN_OP_PAD:
      op->inputs = 2;
      return add_tensor(m, &op->input[1], "paddings", MN_DTYPE_INT32, (mn_shape){2, {4, 2}},
                        paddings);
    case MN_OP_RESHAPE:
      op->inputs = 2;
      return add_tensor(m, &op->input[1], "shape", MN_DTYPE_INT32, (mn_shape){1, {2}}, flat);
    default: return MN_OK;
  }
}

static mn_status add_layer(maker *m, mn_tensor_id *y, const layer *l) {
  bool flat = m->kind == MN_OP_FULLY_CONNECTED || m->kind == MN_OP_SOFTMAX;
  mn_shape x = flat ? (mn_shape){2, {1, l->c}} : (mn_shape){4, {1, l->h, l->w, l->c}};
  mn_op op = {.kind = m->kind,
              .name = mn_arena_text(m->arena, "l%d", m->index),
              .origin = -1,
              .inputs = 1,
              .input = {-1, -1, -1, -1, -1},
              .beta = 1,
              .decision = -1};
  if (op.name == NULL) return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(add_tensor(m, &op.input[0], "x", m->activations, x, NULL));
  MN_TRY(add_operands(m, &op, l));
  MN_TRY(mn_builder_add(m->builder, y, &op, m->output, m->error));
  m->index++;
  return MN_OK;
}

/* A graph of these layers; its input is read by none of them. */
static mn_status build(const mn_graph **graph, maker *m, const layer *layers, int32_t count) {
  mn_tensor_id input, y = -1;
  mn_tensor tensor = {.name = "input", .dtype = m->activations, .shape = {2, {1, 16}}};
  m->index = 0;
  MN_TRY(mn_builder_create(&m->builder, m->arena));
  MN_TRY(mn_builder_tensor(m->builder, &input, &tensor, m->error));
  for (int32_t i = 0; i < count; i++) MN_TRY(add_layer(m, &y, &layers[i]));
  return mn_builder_finish(graph, m->builder, &input, 1, &y, 1, m->error);
}

/* ---- Values ---------------------------------------------------------------------------------*/

static mn_status no_memory(maker *m) {
  return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
}

static mn_status draw_parameters(mn_parameters *to, maker *m, const mn_graph *bare,
                                 const mn_op *op) {
  const mn_tensor *weights = &bare->tensors[op->input[1]];
  int64_t elements = mn_shape_elements(&weights->shape);
  int32_t channels = (int32_t)mn_shape_elements(&bare->tensors[op->input[2]].shape);
  int32_t limit = weights->dtype == MN_DTYPE_INT4 ? 7 : 127;
  float *w = mn_arena_array(m->arena, (size_t)elements, sizeof *w);
  float *bias = mn_arena_array(m->arena, (size_t)channels, sizeof *bias);
  float *scale = mn_arena_array(m->arena, (size_t)channels, sizeof *scale);
  if (w == NULL || bias == NULL || scale == NULL) return no_memory(m);
  for (int64_t i = 0; i < elements; i++)
    w[i] = 0.01f * (float)((int32_t)mn_rng_below(&m->rng, (uint32_t)(2 * limit + 1)) - limit);
  for (int32_t i = 0; i < channels; i++) {
    bias[i] = (float)mn_rng_range(&m->rng, -1, 1);
    scale[i] = 0.01f;
  }
  *to = (mn_parameters){w, bias, scale};
  return MN_OK;
}

/* Outputs have the range that training gives a ReLU6, all of int8: fast kernels may insist on it. */
static mn_status freeze(const mn_graph **frozen, maker *m, const mn_graph *bare) {
  static const mn_range relu6 = {6.0f / 255, -128};
  mn_parameters *parameters = mn_arena_array(m->arena, (size_t)bare->op_count, sizeof *parameters);
  mn_range *ranges = mn_arena_array(m->arena, (size_t)bare->tensor_count, sizeof *ranges);
  if (parameters == NULL || ranges == NULL) return no_memory(m);
  for (int32_t i = 0; i < bare->op_count; i++)
    if (bare->ops[i].kind <= MN_OP_FULLY_CONNECTED)
      MN_TRY(draw_parameters(&parameters[i], m, bare, &bare->ops[i]));
  for (int32_t i = 0; i < bare->tensor_count; i++)
    ranges[i] = m->activations == MN_DTYPE_INT16 ? (mn_range){0.1f, 0} : relu6;
  return mn_graph_freeze(frozen, m->arena, bare, parameters, ranges, m->error);
}

/* ---- Choosing -------------------------------------------------------------------------------*/

/* Draws layers and keeps those that the row takes. */
static mn_status choose(layer *kept, int32_t *kept_count, maker *m, const mn_kernel_row *row,
                        int32_t count) {
  int32_t draws = DRAWS_PER_LAYER * count, sensible = 0;
  layer *drawn = mn_arena_array(m->arena, (size_t)draws, sizeof *drawn);
  const mn_graph *graph = NULL;
  if (drawn == NULL) return no_memory(m);
  for (int32_t i = 0; i < draws; i++) {
    layer l = draw(&m->rng, m->kind);
    if (is_sensible(&l, m->kind)) drawn[sensible++] = l;
  }
  *kept_count = 0;
  if (sensible == 0) return MN_OK;
  MN_TRY(build(&graph, m, drawn, sensible));
  for (int32_t op = 0, i = 0; op < graph->op_count && *kept_count < count; op++) {
    if (graph->ops[op].kind != m->kind) continue;
    if (row->refuses(graph, &graph->ops[op]) == NULL) kept[(*kept_count)++] = drawn[i];
    i++;
  }
  return MN_OK;
}

mn_status mn_layers_make(const mn_graph **graph, mn_arena *arena, const mn_kernel_row *row,
                         int32_t count, uint64_t seed, mn_error *error) {
  static const mn_dtype types[][3] = {{MN_DTYPE_INT8, MN_DTYPE_INT8, MN_DTYPE_COUNT},
                                      {MN_DTYPE_INT16, MN_DTYPE_INT8, MN_DTYPE_COUNT},
                                      {MN_DTYPE_INT8, MN_DTYPE_INT4, MN_DTYPE_COUNT},
                                      {MN_DTYPE_INT8, MN_DTYPE_INT8, MN_DTYPE_INT16}};
  layer *kept = mn_arena_array(arena, (size_t)count, sizeof *kept);
  const mn_graph *bare = NULL;
  int32_t kept_count = 0;
  maker m = {.arena = arena, .kind = row->op, .error = error};
  *graph = NULL;
  if (kept == NULL) return no_memory(&m);
  if (row->op == MN_OP_SVDF) return mn_layers_make_svdf(graph, arena, row, count, seed, error);
  bool drawn = row->op < MN_OP_COUNT && row->op != MN_OP_MIX;
  if (!drawn) return MN_OK;
  for (size_t i = 0; i < MN_COUNT(types) && kept_count == 0; i++) {
    m.rng = mn_rng_stream(seed, (uint64_t)row->op, i);
    m.activations = types[i][0];
    m.weights = types[i][1];
    m.output = types[i][2];
    if (m.output != MN_DTYPE_COUNT && row->op != MN_OP_SOFTMAX) break; /* no other op widens */
    m.with_data = false;
    MN_TRY(choose(kept, &kept_count, &m, row, count));
  }
  if (kept_count == 0) return MN_OK;
  m.with_data = true;
  MN_TRY(build(&bare, &m, kept, kept_count));
  return freeze(graph, &m, bare);
}
