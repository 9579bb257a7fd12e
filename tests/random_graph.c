/* random_graph.c - see random_graph.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "random_graph.h"

#include <math.h>
#include <string.h>

#include "support.h"

enum { MOST_TENSORS = 64 };

typedef struct maker {
  mn_arena *arena;
  mn_builder *builder;
  mn_rng rng;
  mn_shape shape[MOST_TENSORS]; /* of activations made so far */
  mn_tensor_id id[MOST_TENSORS];
  int32_t count;
  int32_t ops;
  mn_dtype values, weights; /* of activations and of weights */
  mn_error error;
} maker;

static int32_t between(maker *m, int32_t low, int32_t high) {
  return low + (int32_t)mn_rng_below(&m->rng, (uint32_t)(high - low + 1));
}

static mn_tensor_id add_tensor(maker *m, const char *role, mn_dtype dtype, mn_shape shape,
                               const int32_t *values) {
  size_t elements = (size_t)mn_shape_elements(&shape);
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "t%d_%s", m->ops, role),
                      .dtype = dtype,
                      .shape = shape,
                      .constant = true};
  if (values != NULL) {
    tensor.data = mn_arena_copy(m->arena, values, elements * sizeof *values);
    tensor.data_bytes = elements * sizeof *values;
  }
  mn_tensor_id id = -1;
  assert_ok(mn_builder_tensor(m->builder, &id, &tensor, &m->error), &m->error);
  return id;
}

/* Rows and columns of the most recent activation. */
static mn_shape *last(maker *m) {
  return &m->shape[m->count - 1];
}

static mn_window random_window(maker *m, int32_t kernel_h, int32_t kernel_w, bool dilate) {
  mn_window w = {.kernel_h = kernel_h,
                 .kernel_w = kernel_w,
                 .stride_h = between(m, 1, 3),
                 .stride_w = between(m, 1, 3),
                 .dilation_h = 1,
                 .dilation_w = 1,
                 .padding = between(m, 0, 1) ? MN_PADDING_SAME : MN_PADDING_VALID};
  if (dilate && between(m, 0, 4) == 0) {
    w.stride_h = w.stride_w = 1;
    w.dilation_h = between(m, 1, 2);
    w.dilation_w = between(m, 1, 3);
  }
  bool too_large = (kernel_h - 1) * w.dilation_h >= last(m)->dim[1] ||
                   (kernel_w - 1) * w.dilation_w >= last(m)->dim[2];
  if (too_large) w.padding = MN_PADDING_SAME;
  return w;
}

static mn_activation random_activation(maker *m) {
  return (mn_activation)between(m, 0, 2);
}

static mn_op start(maker *m, mn_op_kind kind) {
  mn_op op = {.kind = kind,
              .name = mn_arena_text(m->arena, "op%d", m->ops),
              .origin = -1,
              .decision = -1,
              .inputs = 1,
              .input = {m->id[m->count - 1], -1, -1, -1, -1}};
  return op;
}

static void set_weights(maker *m, mn_op *op, mn_shape weights, int32_t outputs) {
  op->inputs = 3;
  /* only a convolution of int16 takes a narrow bias too */
  bool wide = m->values == MN_DTYPE_INT16 && (op->kind != MN_OP_CONV_2D || between(m, 0, 2) > 0);
  op->input[1] = add_tensor(m, "weights", m->weights, weights, NULL);
  op->input[2] =
      add_tensor(m, "bias", wide ? MN_DTYPE_INT64 : MN_DTYPE_INT32, (mn_shape){1, {outputs}}, NULL);
  op->activation = random_activation(m);
}

static mn_op random_conv(maker *m) {
  mn_op op = start(m, MN_OP_CONV_2D);
  int32_t kh = between(m, 0, 1) ? 1 : between(m, 1, 5), kw = kh == 1 ? 1 : between(m, 1, 5);
  int32_t outputs = between(m, 0, 3) == 0 ? between(m, 1, 80) : between(m, 1, 20);
  set_weights(m, &op, (mn_shape){4, {outputs, kh, kw, last(m)->dim[3]}}, outputs);
  op.window = random_window(m, kh, kw, true);
  return op;
}

static mn_op random_depthwise(maker *m) {
  mn_op op = start(m, MN_OP_DEPTHWISE_CONV_2D);
  int32_t multiplier = between(m, 0, 2) ? 1 : between(m, 2, 4);
  int32_t kh = between(m, 0, 2) ? 3 : between(m, 1, 5),
          kw = between(m, 0, 2) ? 3 : between(m, 1, 5);
  int32_t outputs = last(m)->dim[3] * multiplier;
  set_weights(m, &op, (mn_shape){4, {1, kh, kw, outputs}}, outputs);
  op.window = random_window(m, kh, kw, true);
  op.window.multiplier = multiplier;
  return op;
}

static mn_op random_pool(maker *m) {
  mn_op op = start(m, between(m, 0, 1) ? MN_OP_AVERAGE_POOL_2D : MN_OP_MAX_POOL_2D);
  bool whole = between(m, 0, 3) == 0;
  int32_t kh = whole ? last(m)->dim[1] : between(m, 1, 4);
  int32_t kw = whole ? last(m)->dim[2] : between(m, 1, 4);
  op.window = random_window(m, kh, kw, false);
  op.activation = random_activation(m);
  return op;
}

static mn_op random_pad(maker *m) {
  if (mn_shape_elements(last(m)) > 4000)
    return start(m, MN_OP_QUANTIZE); /* small nets stay small */
  mn_op op = start(m, MN_OP_PAD);
  int32_t rank = last(m)->rank, paddings[2 * MN_MAX_RANK];
  for (int32_t i = 0; i < 2 * rank; i++) paddings[i] = i < 2 && rank == 4 ? 0 : between(m, 0, 2);
  op.inputs = 2;
  op.input[1] = add_tensor(m, "paddings", MN_DTYPE_INT32, (mn_shape){2, {rank, 2}}, paddings);
  return op;
}

static mn_op random_mean(maker *m) {
  mn_op op = start(m, MN_OP_MEAN);
  int32_t both[2] = {1, 2}, one[1] = {between(m, 1, 3)};
  bool usual = between(m, 0, 1);
  op.inputs = 2;
  op.input[1] =
      add_tensor(m, "axes", MN_DTYPE_INT32, (mn_shape){1, {usual ? 2 : 1}}, usual ? both : one);
  op.keep_dims = between(m, 0, 1);
  return op;
}

static mn_op random_fully_connected(maker *m) {
  mn_op op = start(m, MN_OP_FULLY_CONNECTED);
  int32_t inputs = (int32_t)mn_shape_elements(last(m)), outputs = between(m, 1, 40);
  if (last(m)->rank == 2) inputs = last(m)->dim[1];
  set_weights(m, &op, (mn_shape){2, {outputs, inputs}}, outputs);
  return op;
}

static mn_op random_reshape(maker *m) {
  mn_op op = start(m, MN_OP_RESHAPE);
  int32_t elements = (int32_t)mn_shape_elements(last(m));
  int32_t flat[2] = {1, elements}, image[4] = {1, 1, elements, 1};
  bool to_image = last(m)->rank != 4 || between(m, 0, 3) == 0;
  for (int32_t d = 2; d < 12; d++)
    if (image[2] % d == 0 && between(m, 0, 1)) image[1] *= d, image[2] /= d;
  op.inputs = 2;
  op.input[1] = add_tensor(m, "shape", MN_DTYPE_INT32, (mn_shape){1, {to_image ? 4 : 2}},
                           to_image ? image : flat);
  return op;
}

/* The most recent activation and another of its shape, maybe itself. */
static mn_op random_add(maker *m) {
  mn_op op = start(m, MN_OP_ADD);
  int32_t other = m->count - 1;
  for (int32_t i = 0; i < m->count - 1; i++)
    if (mn_shape_equal(&m->shape[i], last(m))) other = i;
  op.inputs = 2;
  op.input[1] = m->id[other];
  op.activation = random_activation(m);
  return op;
}

static mn_op random_op(maker *m) {
  if (last(m)->rank != 4) {
    switch (between(m, 0, 5)) {
      case 0: return random_reshape(m);
      case 1: return random_add(m);
      case 2: return start(m, MN_OP_QUANTIZE);
      case 3: return random_fully_connected(m);
      case 4: return random_pad(m);
      default: break;
    }
    mn_op op = start(m, MN_OP_SOFTMAX);
    op.beta = 1;
    return last(m)->dim[last(m)->rank - 1] < 400 ? op : random_fully_connected(m);
  }
  switch (between(m, 0, 15)) {
    case 0:
    case 1:
    case 2:
    case 3: return random_conv(m);
    case 4:
    case 5:
    case 6: return random_depthwise(m);
    case 7:
    case 8: return random_pool(m);
    case 9: return random_pad(m);
    case 10:
    case 11: return random_add(m);
    case 12: return random_reshape(m);
    case 13: return random_mean(m);
    case 14: return start(m, MN_OP_QUANTIZE);
    default: return random_fully_connected(m);
  }
}

static void add_op(maker *m) {
  mn_op op = random_op(m);
  mn_tensor_id y = -1;
  assert_ok(mn_builder_add(m->builder, &y, &op, MN_DTYPE_COUNT, &m->error), &m->error);
  m->ops++;
  m->id[m->count++] = y;
}

/* QUANTIZE of the last activation, in whose place its output stands. */
static void convert(maker *m, mn_dtype dtype) {
  mn_op op = start(m, MN_OP_QUANTIZE);
  assert_ok(mn_builder_add(m->builder, &m->id[m->count - 1], &op, dtype, &m->error), &m->error);
  m->ops++;
}

const mn_graph *test_random_bare(mn_arena *arena, uint64_t seed, int32_t most_ops) {
  return test_random_typed(arena, seed, most_ops, MN_DTYPE_INT8, MN_DTYPE_INT8);
}

const mn_graph *test_random_typed(mn_arena *arena, uint64_t seed, int32_t most_ops, mn_dtype values,
                                  mn_dtype weights) {
  maker m = {.arena = arena,
             .rng = mn_rng_stream(seed, 1, 0),
             .values = values == MN_DTYPE_UINT8 ? MN_DTYPE_INT8 : values,
             .weights = weights};
  assert_int_equal(mn_builder_create(&m.builder, arena), MN_OK);
  mn_shape input = {4, {1, between(&m, 1, 13), between(&m, 1, 13), between(&m, 1, 17)}};
  if (between(&m, 0, 5) == 0) input.dim[3] = between(&m, 60, 140);
  mn_tensor tensor = {.name = "input", .dtype = values, .shape = input};
  assert_ok(mn_builder_tensor(m.builder, &m.id[0], &tensor, &m.error), &m.error);
  m.shape[0] = input;
  m.count = 1;
  mn_tensor_id first = m.id[0];
  if (values == MN_DTYPE_UINT8) convert(&m, MN_DTYPE_INT8);
  int32_t ops = between(&m, 1, most_ops);
  const mn_graph *graph = NULL;
  while (m.ops < ops) {
    add_op(&m);
    m.shape[m.count - 1] = mn_builder_tensor_get(m.builder, m.id[m.count - 1])->shape;
  }
  if (values == MN_DTYPE_UINT8) convert(&m, MN_DTYPE_UINT8);
  assert_ok(mn_builder_finish(&graph, m.builder, &first, 1, &m.id[m.count - 1], 1, &m.error),
            &m.error);
  return graph;
}

/* ---- Freezing ------------------------------------------------------------------------------*/
typedef struct freezing {
  mn_arena *arena;
  const mn_graph *bare;
  mn_rng rng;
  mn_range *ranges;
  mn_parameters *parameters;
} freezing;

/* Mostly near `scale`, now and then far from it. */
static mn_range random_range(freezing *f, double scale) {
  bool extreme = mn_rng_below(&f->rng, 8) == 0;
  double factor = exp2(extreme ? mn_rng_range(&f->rng, -10, 10) : mn_rng_range(&f->rng, -2, 1));
  int32_t zero_point = (int32_t)mn_rng_below(&f->rng, 256) - 128;
  if (mn_rng_below(&f->rng, 6) == 0) zero_point = mn_rng_below(&f->rng, 2) ? 127 : -128;
  double steps = scale * factor;
  if (f->bare->tensors[f->bare->inputs[0]].dtype == MN_DTYPE_INT16) {
    zero_point = 0;
    steps = fmin(steps, 1); /* softmax takes no coarser ones */
  }
  return (mn_range){(float)steps, zero_point};
}

/* Weights and biases of one op; returns a fitting scale for its output. */
static double random_layer(freezing *f, const mn_op *op) {
  const mn_tensor *weights = &f->bare->tensors[op->input[1]];
  int64_t elements = mn_shape_elements(&weights->shape);
  int32_t channels = weights->shape.dim[op->kind == MN_OP_DEPTHWISE_CONV_2D ? 3 : 0];
  int64_t inner = op->kind == MN_OP_DEPTHWISE_CONV_2D ? 1 : elements / channels;
  float *w = mn_arena_array(f->arena, (size_t)elements, sizeof *w);
  float *bias = mn_arena_array(f->arena, (size_t)channels, sizeof *bias);
  float *scale = mn_arena_array(f->arena, (size_t)channels, sizeof *scale);
  float typical = (float)exp2(mn_rng_range(&f->rng, -12, 2)), x = f->ranges[op->input[0]].scale;
  bool one_scale = mn_rng_below(&f->rng, 2) == 0;
  bool narrow = weights->dtype == MN_DTYPE_INT4;
  int32_t limit = narrow ? 7 : 127;
  if (narrow && op->kind == MN_OP_FULLY_CONNECTED) one_scale = true; /* all that TFLM takes */
  for (int32_t o = 0; o < channels; o++) {
    scale[o] = one_scale ? typical : typical * (float)exp2(mn_rng_range(&f->rng, -4, 1));
    bias[o] = (float)mn_rng_range(&f->rng, -3000, 3000) * scale[o] * x;
  }
  for (int64_t i = 0; i < elements; i++)
    w[i] = (float)((int32_t)mn_rng_below(&f->rng, (uint32_t)(2 * limit + 1)) - limit) *
           scale[i / inner % channels];
  f->parameters[op - f->bare->ops] = (mn_parameters){w, bias, scale};
  double terms = (double)elements / channels;
  return (double)x * (double)typical * sqrt(terms) * 73 * 73 * 3 / 128 * limit / 127;
}

static mn_range output_range(freezing *f, const mn_op *op) {
  mn_range x = f->ranges[op->input[0]];
  switch (mn_op_info_get(op->kind)->scale_rule) {
    case MN_SCALE_SAME: return x;
    case MN_SCALE_FIXED:
      if (f->bare->tensors[op->output].dtype == MN_DTYPE_INT16) return (mn_range){1.0f / 32768, 0};
      return (mn_range){1.0f / 256, -128};
    default: break;
  }
  if (op->kind <= MN_OP_FULLY_CONNECTED) return random_range(f, random_layer(f, op));
  double scale = (double)x.scale;
  if (op->kind == MN_OP_ADD) scale = fmax(scale, (double)f->ranges[op->input[1]].scale) * 1.5;
  if (f->bare->tensors[op->input[0]].dtype == MN_DTYPE_UINT8) x.zero_point -= 128;
  mn_range y = mn_rng_below(&f->rng, 4) == 0 ? x : random_range(f, scale);
  if (f->bare->tensors[op->output].dtype == MN_DTYPE_UINT8) y.zero_point += 128;
  /* the runtimes refuse a sum with an output scale 2^-19 or less of its inputs' */
  if (op->kind == MN_OP_ADD) y.scale = (float)fmax((double)y.scale, scale / 1000);
  return y;
}

const mn_graph *test_random_frozen(mn_arena *arena, const mn_graph *bare, uint64_t seed) {
  freezing f = {.arena = arena, .bare = bare, .rng = mn_rng_stream(seed, 2, 0)};
  mn_error error = {{0}};
  const mn_graph *frozen = NULL;
  f.ranges = mn_arena_array(arena, (size_t)bare->tensor_count, sizeof *f.ranges);
  f.parameters = mn_arena_array(arena, (size_t)bare->op_count, sizeof *f.parameters);
  f.ranges[bare->inputs[0]] = random_range(&f, exp2(mn_rng_range(&f.rng, -8, 2)));
  if (bare->tensors[bare->inputs[0]].dtype == MN_DTYPE_UINT8)
    f.ranges[bare->inputs[0]].zero_point += 128;
  for (int32_t op = 0; op < bare->op_count; op++)
    f.ranges[bare->ops[op].output] = output_range(&f, &bare->ops[op]);
  assert_ok(mn_graph_freeze(&frozen, arena, bare, f.parameters, f.ranges, &error), &error);
  return frozen;
}

void test_random_bytes(void *data, size_t size, uint64_t seed) {
  mn_rng rng = mn_rng_stream(seed, 3, 0);
  for (size_t i = 0; i < size; i++) ((uint8_t *)data)[i] = (uint8_t)mn_rng_next(&rng);
}

/* ---- SVDF ----------------------------------------------------------------------------------*/
static mn_tensor_id add_values(maker *m, const char *role, mn_dtype dtype, mn_shape shape,
                               float scale, int32_t zero_point) {
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "t%d_%s", m->ops, role),
                      .dtype = dtype,
                      .shape = shape,
                      .quantization = {1, 0, &scale, &zero_point},
                      .variable = role[0] == 's'};
  mn_tensor_id id = -1;
  assert_ok(mn_builder_tensor(m->builder, &id, &tensor, &m->error), &m->error);
  return id;
}

static mn_tensor_id add_random(maker *m, const char *role, mn_dtype dtype, mn_shape shape,
                               float scale, int32_t most) {
  size_t width = (size_t)mn_dtype_bits(dtype) / 8, count = (size_t)mn_shape_elements(&shape);
  uint8_t *data = mn_arena_array(m->arena, count, width);
  for (size_t i = 0; i < count; i++) {
    int32_t value = between(m, -most, most); /* little-endian, as every host of ours */
    memcpy(data + i * width, &value, width);
  }
  int32_t zero_point = 0;
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "t%d_%s", m->ops, role),
                      .dtype = dtype,
                      .shape = shape,
                      .quantization = {1, 0, &scale, &zero_point},
                      .constant = true,
                      .data = data,
                      .data_bytes = count * width};
  mn_tensor_id id = -1;
  assert_ok(mn_builder_tensor(m->builder, &id, &tensor, &m->error), &m->error);
  return id;
}

/* One SVDF behind `x` of `inputs` values; scales such that memories and outputs are mostly in range. */
static mn_tensor_id add_svdf(maker *m, mn_tensor_id x, int32_t inputs, float *x_scale,
                             int32_t *units) {
  int32_t rank = between(m, 1, 3), memory = between(m, 1, 9), filters = rank * between(m, 1, 9);
  bool wide = between(m, 0, 2) > 0;
  mn_dtype type = wide ? MN_DTYPE_INT16 : MN_DTYPE_INT8;
  int32_t most = wide ? 32767 : 127;
  float weights = 0.01f, time = wide ? 0.00003f : 0.008f;
  float state = *x_scale * weights * 127 * 73 * 3 * sqrtf((float)inputs) / (float)most;
  float y = state * time * (float)most * (float)most * sqrtf((float)(memory * rank)) / 128;
  mn_op op = {.kind = MN_OP_SVDF,
              .name = mn_arena_text(m->arena, "op%d", m->ops),
              .origin = -1,
              .decision = -1,
              .inputs = 5,
              .rank = rank,
              .activation = MN_ACTIVATION_RELU};
  op.input[0] = x;
  op.input[1] =
      add_random(m, "weights", MN_DTYPE_INT8, (mn_shape){2, {filters, inputs}}, weights, 127);
  op.input[2] = add_random(m, "time", type, (mn_shape){2, {filters, memory}}, time, most);
  op.input[3] = add_random(m, "bias", MN_DTYPE_INT32, (mn_shape){1, {filters / rank}}, state * time,
                           most * 100);
  op.input[4] = add_values(m, "state", type, (mn_shape){2, {1, filters * memory}}, state, 0);
  *units = filters / rank;
  op.output =
      add_values(m, "y", MN_DTYPE_INT8, (mn_shape){2, {1, *units}}, y, between(m, -128, 127));
  assert_ok(mn_builder_add_checked(m->builder, &op, &m->error), &m->error);
  m->ops++;
  *x_scale = y;
  return op.output;
}

static mn_tensor_id add_plain(maker *m, mn_op_kind kind, mn_tensor_id x, mn_dtype dtype,
                              mn_shape shape, float scale, int32_t zero_point) {
  mn_op op = {.kind = kind,
              .name = mn_arena_text(m->arena, "op%d", m->ops),
              .origin = -1,
              .decision = -1,
              .inputs = 1,
              .beta = 1};
  op.input[0] = x;
  op.output = add_values(m, "y", dtype, shape, scale, zero_point);
  assert_ok(mn_builder_add_checked(m->builder, &op, &m->error), &m->error);
  m->ops++;
  return op.output;
}

/* QUANTIZE from int16, SVDFs, SOFTMAX to int16 or int8, QUANTIZE to int32 or int16. */
const mn_graph *test_random_svdf(mn_arena *arena, uint64_t seed) {
  maker m = {.arena = arena, .rng = mn_rng_stream(seed, 5, 0)};
  assert_int_equal(mn_builder_create(&m.builder, arena), MN_OK);
  int32_t units = between(&m, 1, 40), layers = between(&m, 1, 3);
  float scale = 0.02f;
  mn_shape shape = {2, {1, units}};
  mn_tensor_id x = add_values(&m, "x", MN_DTYPE_INT16, shape, scale / 200, 0);
  mn_tensor_id y =
      add_plain(&m, MN_OP_QUANTIZE, x, MN_DTYPE_INT8, shape, scale, between(&m, -99, 99));
  for (int32_t i = 0; i < layers; i++) y = add_svdf(&m, y, units, &scale, &units);
  shape.dim[1] = units;
  bool wide = between(&m, 0, 1);
  y = add_plain(&m, MN_OP_SOFTMAX, y, wide ? MN_DTYPE_INT16 : MN_DTYPE_INT8, shape,
                wide ? 1.0f / 65536 : 1.0f / 256, wide ? -32768 : -128);
  y = add_plain(&m, MN_OP_QUANTIZE, y, between(&m, 0, 1) ? MN_DTYPE_INT32 : MN_DTYPE_INT16, shape,
                1.0f / 32767, 0);
  const mn_graph *graph = NULL;
  assert_ok(mn_builder_finish(&graph, m.builder, &x, 1, &y, 1, &m.error), &m.error);
  return graph;
}
