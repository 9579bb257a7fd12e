/* models.c - see models.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include <string.h>

model model_begin(mn_arena *arena, uint64_t seed, mn_dtype values, mn_dtype weights) {
  model m = {.arena = arena, .rng = mn_rng_seed(seed), .values = values, .weights = weights};
  assert_int_equal(mn_builder_create(&m.builder, arena), MN_OK);
  return m;
}

static mn_tensor_id add_tensor(model *m, const mn_tensor *tensor) {
  mn_tensor_id id = -1;
  mn_error error = {{0}};
  assert_ok(mn_builder_tensor(m->builder, &id, tensor, &error), &error);
  return id;
}

static mn_tensor_id add_op(model *m, const mn_op *op, mn_dtype dtype) {
  mn_tensor_id output = -1;
  mn_error error = {{0}};
  assert_ok(mn_builder_add(m->builder, &output, op, dtype, &error), &error);
  return output;
}

static mn_tensor_id add_constant(model *m, const char *owner, const char *role, mn_dtype dtype,
                                 mn_shape shape) {
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "%s.%s", owner, role),
                      .dtype = dtype,
                      .shape = shape,
                      .constant = true};
  return add_tensor(m, &tensor);
}

static mn_tensor_id add_numbers(model *m, const char *owner, const int32_t *numbers,
                                mn_shape shape) {
  size_t bytes = (size_t)mn_shape_elements(&shape) * sizeof *numbers;
  mn_tensor tensor = {.name = mn_arena_text(m->arena, "%s.numbers", owner),
                      .dtype = MN_DTYPE_INT32,
                      .shape = shape,
                      .constant = true};
  tensor.data = mn_arena_copy(m->arena, numbers, bytes);
  tensor.data_bytes = bytes;
  return add_tensor(m, &tensor);
}

static mn_op new_op(mn_op_kind kind, const char *name, mn_tensor_id x) {
  return (mn_op){.kind = kind,
                 .name = name,
                 .origin = -1,
                 .decision = -1,
                 .inputs = 1,
                 .input = {x, -1, -1, -1, -1}};
}

mn_tensor_id model_input(model *m, const char *name, mn_shape shape) {
  return add_tensor(m, &(mn_tensor){.name = name, .dtype = m->values, .shape = shape});
}

/* x and weights are there; a bias follows. */
static mn_tensor_id add_layer(model *m, mn_op op, mn_shape weights, int32_t channels, bool bias) {
  op.inputs = 3;
  op.input[1] = add_constant(m, op.name, "weights", m->weights, weights);
  mn_dtype sums = m->values == MN_DTYPE_INT16 ? MN_DTYPE_INT64 : MN_DTYPE_INT32;
  op.input[2] = bias ? add_constant(m, op.name, "bias", sums, (mn_shape){1, {channels}}) : -1;
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_conv(model *m, const char *name, mn_tensor_id x, int32_t channels,
                        mn_window window, mn_activation activation) {
  mn_op op = new_op(MN_OP_CONV_2D, name, x);
  op.window = window;
  op.activation = activation;
  int32_t depth = mn_builder_tensor_get(m->builder, x)->shape.dim[3];
  mn_shape weights = {4, {channels, window.kernel_h, window.kernel_w, depth}};
  return add_layer(m, op, weights, channels, true);
}

mn_tensor_id model_depthwise(model *m, const char *name, mn_tensor_id x, mn_window window,
                             mn_activation activation) {
  mn_op op = new_op(MN_OP_DEPTHWISE_CONV_2D, name, x);
  op.window = window;
  op.activation = activation;
  int32_t channels = mn_builder_tensor_get(m->builder, x)->shape.dim[3] * window.multiplier;
  return add_layer(m, op, (mn_shape){4, {1, window.kernel_h, window.kernel_w, channels}}, channels,
                   true);
}

mn_tensor_id model_fully_connected(model *m, const char *name, mn_tensor_id x, int32_t channels,
                                   bool bias, mn_activation activation) {
  mn_op op = new_op(MN_OP_FULLY_CONNECTED, name, x);
  op.activation = activation;
  int64_t depth = mn_shape_elements(&mn_builder_tensor_get(m->builder, x)->shape);
  return add_layer(m, op, (mn_shape){2, {channels, (int32_t)depth}}, channels, bias);
}

mn_tensor_id model_pool(model *m, const char *name, mn_tensor_id x, mn_op_kind kind,
                        mn_window window) {
  mn_op op = new_op(kind, name, x);
  op.window = window;
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_add(model *m, const char *name, mn_tensor_id a, mn_tensor_id b,
                       mn_activation activation) {
  mn_op op = new_op(MN_OP_ADD, name, a);
  op.inputs = 2;
  op.input[1] = b;
  op.activation = activation;
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_pad(model *m, const char *name, mn_tensor_id x, const int32_t paddings[8]) {
  mn_op op = new_op(MN_OP_PAD, name, x);
  op.inputs = 2;
  op.input[1] = add_numbers(m, name, paddings, (mn_shape){2, {4, 2}});
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_mean(model *m, const char *name, mn_tensor_id x, bool keep_dims) {
  mn_op op = new_op(MN_OP_MEAN, name, x);
  op.inputs = 2;
  op.keep_dims = keep_dims;
  op.input[1] = add_numbers(m, name, (const int32_t[]){1, 2}, (mn_shape){1, {2}});
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_reshape(model *m, const char *name, mn_tensor_id x, mn_shape shape,
                           bool as_tensor) {
  mn_op op = new_op(MN_OP_RESHAPE, name, x);
  mn_error error = {{0}};
  if (as_tensor) {
    op.inputs = 2;
    op.input[1] = add_numbers(m, name, shape.dim, (mn_shape){1, {shape.rank}});
    return add_op(m, &op, MN_DTYPE_COUNT);
  }
  op.output = add_tensor(
      m, &(mn_tensor){
             .name = name, .dtype = mn_builder_tensor_get(m->builder, x)->dtype, .shape = shape});
  assert_ok(mn_builder_add_checked(m->builder, &op, &error), &error);
  return op.output;
}

mn_tensor_id model_softmax(model *m, const char *name, mn_tensor_id x) {
  mn_op op = new_op(MN_OP_SOFTMAX, name, x);
  op.beta = 1;
  return add_op(m, &op, MN_DTYPE_COUNT);
}

mn_tensor_id model_quantize(model *m, const char *name, mn_tensor_id x, mn_dtype dtype) {
  mn_op op = new_op(MN_OP_QUANTIZE, name, x);
  return add_op(m, &op, dtype);
}

const mn_graph *model_finish(model *m, const mn_tensor_id *inputs, int32_t input_count,
                             const mn_tensor_id *outputs, int32_t output_count) {
  const mn_graph *graph = NULL;
  mn_error error = {{0}};
  assert_ok(
      mn_builder_finish(&graph, m->builder, inputs, input_count, outputs, output_count, &error),
      &error);
  return graph;
}

/* ---- Freezing ------------------------------------------------------------------------------*/
static float *random_floats(model *m, int64_t count, double low, double high) {
  float *values = mn_arena_array(m->arena, (size_t)count, sizeof *values);
  assert_non_null(values);
  for (int64_t i = 0; i < count; i++) values[i] = (float)mn_rng_range(&m->rng, low, high);
  return values;
}

static void random_parameters(model *m, const mn_graph *bare, const mn_op *op,
                              mn_parameters *parameters) {
  if (op->kind > MN_OP_FULLY_CONNECTED) return;
  const mn_tensor *weights = &bare->tensors[op->input[1]];
  int32_t channels = weights->shape.dim[op->kind == MN_OP_DEPTHWISE_CONV_2D ? 3 : 0];
  double largest = weights->dtype == MN_DTYPE_INT4 ? 7 : 127;
  parameters->weights = random_floats(m, mn_shape_elements(&weights->shape), -0.5, 0.5);
  parameters->bias = random_floats(m, channels, -0.5, 0.5);
  float *scale = random_floats(m, channels, 0.3 / largest, 0.6 / largest);
  for (int32_t o = 1; o < channels && op->kind == MN_OP_FULLY_CONNECTED; o++) scale[o] = scale[0];
  parameters->weight_scale = scale;
}

const mn_graph *model_freeze(model *m, const mn_graph *bare) {
  mn_parameters *parameters = mn_arena_array(m->arena, (size_t)bare->op_count, sizeof *parameters);
  mn_range *ranges = mn_arena_array(m->arena, (size_t)bare->tensor_count, sizeof *ranges);
  assert_non_null(parameters);
  assert_non_null(ranges);
  for (int32_t o = 0; o < bare->op_count; o++)
    random_parameters(m, bare, &bare->ops[o], &parameters[o]);
  for (int32_t t = 0; t < bare->tensor_count; t++) {
    bool wide = bare->tensors[t].dtype == MN_DTYPE_INT16;
    ranges[t].scale = (float)mn_rng_range(&m->rng, 2, 6) / (wide ? 65536.0f : 256.0f);
    ranges[t].zero_point = wide ? 0 : (int32_t)mn_rng_below(&m->rng, 256) - 128;
  }
  const mn_graph *frozen = NULL;
  mn_error error = {{0}};
  assert_ok(mn_graph_freeze(&frozen, m->arena, bare, parameters, ranges, &error), &error);
  return frozen;
}

/* ---- Ready-made ----------------------------------------------------------------------------*/
const char *const model_names[MODEL_COUNT] = {"conv", "residual", "int4", "int16", "dense", "svdf"};

static const mn_window window_3x3 = {3, 3, 1, 1, 1, 1, 1, MN_PADDING_SAME};
static const mn_window window_3x3_stride_2 = {3, 3, 2, 2, 1, 1, 1, MN_PADDING_SAME};
static const mn_window window_1x1 = {1, 1, 1, 1, 1, 1, 1, MN_PADDING_VALID};

/* conv, depthwise, pointwise, pool, reshape, fully connected, softmax: the shape of a spotter */
static const mn_graph *make_spotter(model *m) {
  mn_window stem = {4, 3, 2, 2, 1, 1, 1, MN_PADDING_SAME}, twice = window_3x3,
            pool = {5, 4, 1, 1, 1, 1, 1, MN_PADDING_VALID};
  twice.multiplier = 2;
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 10, 8, 1}});
  mn_tensor_id y = model_conv(m, "conv1", x, 8, stem, MN_ACTIVATION_RELU6);
  y = model_depthwise(m, "ds2.depthwise", y, twice, MN_ACTIVATION_RELU6);
  y = model_conv(m, "ds2.conv", y, 12, window_1x1, MN_ACTIVATION_RELU);
  y = model_pool(m, "pool3", y, MN_OP_AVERAGE_POOL_2D, pool);
  y = model_reshape(m, "flatten4", y, (mn_shape){2, {1, 12}}, false);
  y = model_fully_connected(m, "fc5", y, 5, true, MN_ACTIVATION_NONE);
  if (m->values == MN_DTYPE_INT8) y = model_softmax(m, "softmax6", y);
  return model_finish(m, &x, 1, &y, 1);
}

/* two inputs, two outputs, pad, dilation, max pool, residual sum, mean, reshape by tensor */
static const mn_graph *make_residual(model *m) {
  mn_window dilated = window_3x3, max = {2, 2, 2, 2, 1, 1, 1, MN_PADDING_VALID};
  dilated.dilation_h = dilated.dilation_w = 2;
  mn_tensor_id ends[2] = {model_input(m, "left", (mn_shape){4, {1, 7, 9, 3}}),
                          model_input(m, "right", (mn_shape){4, {1, 4, 5, 6}})};
  mn_tensor_id y = model_pad(m, "pad1", ends[0], (const int32_t[]){0, 0, 1, 0, 1, 2, 0, 0});
  y = model_conv(m, "conv2", y, 6, window_3x3_stride_2, MN_ACTIVATION_NONE);
  mn_tensor_id pooled = model_pool(m, "pool3", y, MN_OP_MAX_POOL_2D, max);
  mn_tensor_id right = model_conv(m, "conv4", ends[1], 6, dilated, MN_ACTIVATION_RELU);
  right = model_pool(m, "pool5", right, MN_OP_AVERAGE_POOL_2D, max);
  mn_tensor_id cut =
      model_conv(m, "conv6", pooled, 6, (mn_window){1, 2, 1, 1, 1, 1, 1, MN_PADDING_VALID},
                 MN_ACTIVATION_RELU6);
  y = model_add(m, "add7", cut, right, MN_ACTIVATION_RELU);
  mn_tensor_id outputs[2] = {model_mean(m, "mean8", y, false),
                             model_quantize(m, "quantize9", y, MN_DTYPE_INT8)};
  outputs[1] = model_reshape(m, "flatten10", outputs[1], (mn_shape){2, {1, 24}}, true);
  return model_finish(m, ends, 2, outputs, 2);
}

static const mn_graph *make_dense(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){2, {1, 20}});
  mn_tensor_id y = model_fully_connected(m, "fc1", x, 16, true, MN_ACTIVATION_RELU);
  y = model_fully_connected(m, "fc2", y, 8, false, MN_ACTIVATION_NONE);
  return model_finish(m, &x, 1, &y, 1);
}

/* One SVDF layer: freezing does not know it, so it is built frozen. */
static mn_tensor_id add_random(model *m, const char *name, mn_dtype dtype, mn_shape shape,
                               float scale, uint32_t spread) {
  int64_t count = mn_shape_elements(&shape);
  mn_tensor tensor = {.name = name,
                      .dtype = dtype,
                      .shape = shape,
                      .constant = true,
                      .quantization = {1, 0, &scale, &(int32_t){0}}};
  tensor.data_bytes = mn_tensor_bytes(&tensor);
  uint8_t *data = mn_arena_alloc(m->arena, tensor.data_bytes);
  assert_non_null(data);
  size_t width = tensor.data_bytes / (size_t)count;
  for (int64_t i = 0; i < count; i++) {
    int32_t value = (int32_t)mn_rng_below(&m->rng, 2 * spread + 1) - (int32_t)spread;
    memcpy(data + (size_t)i * width, &value, width); /* little endian */
  }
  tensor.data = data;
  return add_tensor(m, &tensor);
}

static mn_tensor_id add_values(model *m, const char *name, mn_dtype dtype, mn_shape shape,
                               mn_range range, bool state) {
  mn_tensor tensor = {.name = name,
                      .dtype = dtype,
                      .shape = shape,
                      .variable = state,
                      .quantization = {1, 0, &range.scale, &range.zero_point}};
  return add_tensor(m, &tensor);
}

static const mn_graph *make_svdf(model *m) {
  mn_op op = new_op(MN_OP_SVDF, "svdf1", -1);
  mn_error error = {{0}};
  op.inputs = 5;
  op.rank = 2;
  op.activation = MN_ACTIVATION_RELU;
  op.input[0] =
      add_values(m, "input", MN_DTYPE_INT8, (mn_shape){2, {1, 6}}, (mn_range){0.05f, -3}, false);
  op.input[1] = add_random(m, "svdf1.weights", MN_DTYPE_INT8, (mn_shape){2, {8, 6}}, 0.01f, 127);
  op.input[2] = add_random(m, "svdf1.time", MN_DTYPE_INT16, (mn_shape){2, {8, 5}}, 0.001f, 3000);
  op.input[3] = add_random(m, "svdf1.bias", MN_DTYPE_INT32, (mn_shape){1, {4}}, 0.000004f, 5000);
  op.input[4] = add_values(m, "svdf1.state", MN_DTYPE_INT16, (mn_shape){2, {1, 40}},
                           (mn_range){0.004f, 0}, true);
  op.output =
      add_values(m, "svdf1", MN_DTYPE_INT8, (mn_shape){2, {1, 4}}, (mn_range){0.1f, -128}, false);
  assert_ok(mn_builder_add_checked(m->builder, &op, &error), &error);
  return model_finish(m, &op.input[0], 1, &op.output, 1);
}

const mn_graph *model_make(mn_arena *arena, int32_t index, const mn_graph **bare) {
  mn_dtype values = index == 3 ? MN_DTYPE_INT16 : MN_DTYPE_INT8;
  model m =
      model_begin(arena, (uint64_t)index + 1, values, index == 2 ? MN_DTYPE_INT4 : MN_DTYPE_INT8);
  const mn_graph *made = NULL;
  if (index == 1) made = make_residual(&m);
  if (index == 4) made = make_dense(&m);
  if (index == 5) made = make_svdf(&m);
  if (made == NULL) made = make_spotter(&m);
  if (bare != NULL) *bare = made;
  return made->frozen ? made : model_freeze(&m, made);
}
