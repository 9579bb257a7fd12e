/* Building, shapes, counts and freezing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "graph/infer.h"
#include "graph/quantization.h"

static mn_arena *arena;
static mn_builder *builder;
static mn_error error;

static int fresh(void **state) {
  (void)state;
  error = (mn_error){{0}};
  return mn_arena_create(&arena) != MN_OK || mn_builder_create(&builder, arena) != MN_OK;
}

static int done(void **state) {
  (void)state;
  mn_arena_destroy(arena);
  return 0;
}

static mn_tensor_id tensor(const char *name, mn_shape shape, bool constant) {
  mn_tensor t = {.name = name, .dtype = MN_DTYPE_INT8, .shape = shape, .constant = constant};
  mn_tensor_id id = -1;
  assert_ok(mn_builder_tensor(builder, &id, &t, &error), &error);
  return id;
}

static mn_tensor_id numbers(const char *name, mn_shape shape, const int32_t *values) {
  mn_tensor t = {.name = name,
                 .dtype = MN_DTYPE_INT32,
                 .shape = shape,
                 .constant = true,
                 .data = values,
                 .data_bytes = (size_t)mn_shape_elements(&shape) * 4};
  mn_tensor_id id = -1;
  assert_ok(mn_builder_tensor(builder, &id, &t, &error), &error);
  return id;
}

#define SHAPE(...) ((mn_shape){sizeof((int32_t[]){__VA_ARGS__}) / 4, {__VA_ARGS__}})

static const mn_shape *shape_of(mn_tensor_id id) {
  return &mn_builder_tensor_get(builder, id)->shape;
}

static void expect_shape(const mn_op *op, mn_shape expected) {
  mn_tensor_id y = -1;
  assert_ok(mn_builder_add(builder, &y, op, MN_DTYPE_COUNT, &error), &error);
  assert_string_equal(mn_shape_print(shape_of(y)).text, mn_shape_print(&expected).text);
}

static void expect_refused(const mn_op *op, const char *text) {
  mn_tensor_id y = -1;
  assert_int_equal(mn_builder_add(builder, &y, op, MN_DTYPE_COUNT, &error), MN_ERR_FORMAT);
  if (strstr(error.text, text) == NULL) fail_msg("'%s' lacks '%s'", error.text, text);
}

static void every_op_and_type_has_its_facts(void **state) {
  (void)state;
  assert_string_equal(mn_op_info_get(MN_OP_CONV_2D)->text, "CONV_2D");
  assert_int_equal(mn_op_info_get(MN_OP_SOFTMAX)->tflite_code, 25);
  assert_int_equal(mn_op_info_get(MN_OP_SOFTMAX)->scale_rule, MN_SCALE_FIXED);
  assert_int_equal(mn_op_info_get(MN_OP_PAD)->scale_rule, MN_SCALE_SAME);
  assert_int_equal(mn_dtype_bits(MN_DTYPE_INT4), 4);
  assert_int_equal(mn_dtype_tflite(MN_DTYPE_INT4), 17);
  mn_tensor odd = {.dtype = MN_DTYPE_INT4, .shape = SHAPE(3, 3)};
  assert_int_equal(mn_tensor_bytes(&odd), 5);
  /* every row of the shape table is there: an op without inputs is refused, not crashed on */
  for (int kind = 0; kind < MN_OP_COUNT; kind++) {
    expect_refused(&(mn_op){.kind = (mn_op_kind)kind, .name = "x"}, "inputs");
  }
}

static void windows_have_tflite_sizes_and_padding(void **state) {
  (void)state;
  static const struct {
    int32_t input, kernel, stride, dilation;
    mn_padding padding;
    int32_t output, before;
  } cases[] = {
      {49, 10, 1, 1, MN_PADDING_SAME, 49, 4}, {10, 4, 2, 1, MN_PADDING_SAME, 5, 1},
      {49, 10, 2, 1, MN_PADDING_SAME, 25, 4}, {96, 3, 2, 1, MN_PADDING_SAME, 48, 0},
      {25, 3, 2, 1, MN_PADDING_SAME, 13, 1},  {30, 3, 1, 1, MN_PADDING_VALID, 28, 0},
      {10, 3, 2, 1, MN_PADDING_VALID, 4, 0},  {10, 3, 1, 2, MN_PADDING_VALID, 6, 0},
      {10, 3, 1, 2, MN_PADDING_SAME, 10, 2},  {2, 3, 1, 1, MN_PADDING_VALID, 0, 0},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    assert_int_equal(mn_window_output(cases[i].input, cases[i].kernel, cases[i].stride,
                                      cases[i].dilation, cases[i].padding),
                     cases[i].output);
    assert_int_equal(mn_window_pad_before(cases[i].input, cases[i].kernel, cases[i].stride,
                                          cases[i].dilation, cases[i].padding),
                     cases[i].before);
  }
}

static void layers_with_weights_have_the_shapes_of_tflite(void **state) {
  (void)state;
  mn_tensor_id x = tensor("x", SHAPE(1, 49, 10, 2), false);
  mn_tensor_id w = tensor("w", SHAPE(8, 10, 4, 2), true);
  mn_tensor_id dw = tensor("dw", SHAPE(1, 3, 3, 6), true);
  mn_tensor_id fw = tensor("fw", SHAPE(5, 490), true);
  expect_shape(&(mn_op){.kind = MN_OP_CONV_2D,
                        .name = "a",
                        .inputs = 2,
                        .input = {x, w},
                        .window = {.stride_h = 2, .stride_w = 1}},
               SHAPE(1, 25, 10, 8));
  expect_shape(&(mn_op){.kind = MN_OP_CONV_2D,
                        .name = "a",
                        .inputs = 2,
                        .input = {x, w},
                        .window = {.padding = MN_PADDING_VALID}},
               SHAPE(1, 40, 7, 8));
  expect_shape(
      &(mn_op){.kind = MN_OP_DEPTHWISE_CONV_2D, .name = "b", .inputs = 2, .input = {x, dw}},
      SHAPE(1, 49, 10, 6));
  expect_shape(&(mn_op){.kind = MN_OP_FULLY_CONNECTED, .name = "c", .inputs = 2, .input = {x, fw}},
               SHAPE(2, 5));
}

static void layers_without_weights_have_the_shapes_of_tflite(void **state) {
  (void)state;
  static const int32_t axes[] = {1, -2}, paddings[] = {0, 0, 0, 0, 1, 2, 0, 6}, flat[] = {1, -1};
  mn_tensor_id x = tensor("x", SHAPE(1, 8, 6, 2), false);
  mn_tensor_id z = tensor("z", SHAPE(1, 8, 6, 7), false);
  mn_tensor_id ax = numbers("ax", SHAPE(2), axes), pad = numbers("p", SHAPE(4, 2), paddings);
  mn_tensor_id to = numbers("to", SHAPE(2), flat);
  mn_window whole = {.kernel_h = 8, .kernel_w = 6, .padding = MN_PADDING_VALID};
  expect_shape(
      &(mn_op){
          .kind = MN_OP_AVERAGE_POOL_2D, .name = "a", .inputs = 1, .input = {x}, .window = whole},
      SHAPE(1, 1, 1, 2));
  expect_shape(&(mn_op){.kind = MN_OP_MEAN, .name = "m", .inputs = 2, .input = {x, ax}},
               SHAPE(1, 2));
  expect_shape(
      &(mn_op){.kind = MN_OP_MEAN, .name = "m", .inputs = 2, .input = {x, ax}, .keep_dims = true},
      SHAPE(1, 1, 1, 2));
  expect_shape(&(mn_op){.kind = MN_OP_PAD, .name = "p", .inputs = 2, .input = {x, pad}},
               SHAPE(1, 8, 9, 8));
  expect_shape(&(mn_op){.kind = MN_OP_RESHAPE, .name = "r", .inputs = 2, .input = {x, to}},
               SHAPE(1, 96));
  expect_shape(&(mn_op){.kind = MN_OP_ADD, .name = "s", .inputs = 2, .input = {x, x}},
               SHAPE(1, 8, 6, 2));
  expect_shape(&(mn_op){.kind = MN_OP_MIX, .name = "mix", .inputs = 2, .input = {x, z}},
               SHAPE(1, 8, 6, 7));
}

static void svdf_has_the_shape_of_tflite(void **state) {
  (void)state;
  mn_tensor s = {.name = "state", .dtype = MN_DTYPE_INT16, .shape = SHAPE(1, 24), .variable = true};
  mn_tensor_id memory = -1;
  assert_ok(mn_builder_tensor(builder, &memory, &s, &error), &error);
  mn_tensor_id x = tensor("x", SHAPE(1, 10), false), f = tensor("f", SHAPE(8, 10), true);
  mn_tensor_id t = tensor("t", SHAPE(8, 3), true);
  expect_shape(
      &(mn_op){
          .kind = MN_OP_SVDF, .name = "v", .inputs = 5, .input = {x, f, t, -1, memory}, .rank = 2},
      SHAPE(1, 4));
}

static void what_does_not_fit_is_refused_with_names_and_shapes(void **state) {
  (void)state;
  static const int32_t wrong[] = {7, 7}, far[] = {9}, minus[] = {0, 0, -1, 0, 0, 0, 0, 0};
  mn_tensor_id x = tensor("x", SHAPE(1, 8, 8, 3), false);
  mn_tensor_id w = tensor("w", SHAPE(4, 3, 3, 2), true);
  mn_tensor_id good = tensor("good", SHAPE(4, 3, 3, 3), true);
  mn_tensor_id bias = tensor("bias", SHAPE(5), true);
  mn_tensor_id flat = tensor("flat", SHAPE(4, 7), true);
  mn_tensor_id other = tensor("other", SHAPE(1, 8, 8, 4), false);
  mn_tensor_id to = numbers("to", SHAPE(2), wrong), axis = numbers("axis", SHAPE(1), far);
  mn_tensor_id pad = numbers("pad", SHAPE(4, 2), minus);
  expect_refused(&(mn_op){.kind = MN_OP_CONV_2D, .name = "ds4.conv", .inputs = 2, .input = {x, w}},
                 "op ds4.conv (CONV_2D): the weights take another number of channels; input "
                 "[1, 8, 8, 3], second operand [4, 3, 3, 2]");
  expect_refused(&(mn_op){.kind = MN_OP_CONV_2D, .inputs = 3, .input = {x, good, bias}}, "bias");
  expect_refused(
      &(mn_op){.kind = MN_OP_CONV_2D, .inputs = 2, .input = {x, good}, .window = {.kernel_h = 5}},
      "window differs");
  expect_refused(&(mn_op){.kind = MN_OP_FULLY_CONNECTED, .inputs = 2, .input = {x, flat}},
                 "values");
  expect_refused(&(mn_op){.kind = MN_OP_ADD, .inputs = 2, .input = {x, other}}, "same shape");
  expect_refused(&(mn_op){.kind = MN_OP_RESHAPE, .inputs = 2, .input = {x, to}},
                 "[1, 8, 8, 3] holds 192 values, [7, 7] holds 49");
  expect_refused(&(mn_op){.kind = MN_OP_MEAN, .inputs = 2, .input = {x, axis}}, "outside");
  expect_refused(&(mn_op){.kind = MN_OP_PAD, .inputs = 2, .input = {x, pad}}, "out of range");
  expect_refused(&(mn_op){.kind = MN_OP_AVERAGE_POOL_2D, .inputs = 1, .input = {x}}, "no size");
  expect_refused(&(mn_op){.kind = MN_OP_AVERAGE_POOL_2D,
                          .inputs = 1,
                          .input = {x},
                          .window = {.kernel_h = 9, .kernel_w = 1, .padding = MN_PADDING_VALID}},
                 "larger than the input");
  expect_refused(&(mn_op){.kind = MN_OP_SOFTMAX, .inputs = 1, .input = {99}}, "there are");
}

static void tensors_of_files_are_checked(void **state) {
  (void)state;
  static const float scales[] = {1, 2, 0};
  static const int32_t zeros[3] = {0};
  const mn_tensor bad[] = {
      {.name = "rank", .shape = {.rank = 7}},
      {.name = "zero", .shape = SHAPE(1, 0)},
      {.name = "huge", .shape = SHAPE(65536, 65536)},
      {.name = "scales", .shape = SHAPE(2, 2), .quantization = {3, 0, scales, zeros}},
      {.name = "scale", .shape = SHAPE(3, 2), .quantization = {3, 0, scales, zeros}},
      {.name = "data", .shape = SHAPE(3), .dtype = MN_DTYPE_INT8, .data = zeros, .data_bytes = 4},
  };
  for (size_t i = 0; i < MN_COUNT(bad); i++) {
    mn_tensor_id id;
    assert_int_equal(mn_builder_tensor(builder, &id, &bad[i], &error), MN_ERR_FORMAT);
    assert_non_null(strstr(error.text, bad[i].name));
  }
}

static void a_finished_graph_is_in_execution_order(void **state) {
  (void)state;
  const mn_graph *graph = NULL;
  mn_tensor_id x = tensor("x", SHAPE(1, 4), false), y = tensor("y", SHAPE(1, 4), false);
  mn_tensor_id z = tensor("z", SHAPE(1, 4), false);
  mn_op second = {.kind = MN_OP_SOFTMAX, .name = "second", .inputs = 1, .input = {y}, .output = z};
  mn_op first = {.kind = MN_OP_QUANTIZE, .name = "first", .inputs = 1, .input = {x}, .output = y};
  assert_ok(mn_builder_add_checked(builder, &second, &error), &error);
  assert_ok(mn_builder_add_checked(builder, &first, &error), &error);
  assert_int_equal(mn_builder_add_checked(builder, &first, &error), MN_ERR_FORMAT);
  assert_int_equal(mn_builder_finish(&graph, builder, &x, 1, &z, 1, &error), MN_ERR_FORMAT);
  assert_string_equal(error.text, "op second reads tensor y before it has a value");
  assert_int_equal(mn_builder_finish(&graph, builder, &x, 1, &x, 0, &error), MN_ERR_FORMAT);
}

/* conv 3x3 -> depthwise -> pool -> fully connected -> softmax, with weights that tell their place */
typedef struct small_net {
  const mn_graph *graph;
  mn_parameters parameters[6];
  mn_range ranges[16];
  float weights[6][64], bias[6][8], scale[6][8];
} small_net;

static mn_tensor_id layer(mn_op_kind kind, const char *name, mn_tensor_id x, mn_shape weights,
                          int32_t channels, mn_dtype bits) {
  mn_tensor w = {.name = "w", .dtype = bits, .shape = weights, .constant = true};
  mn_tensor b = {.name = "b", .dtype = MN_DTYPE_INT32, .shape = SHAPE(channels), .constant = true};
  mn_op op = {.kind = kind, .name = name, .inputs = 3, .input = {x}, .batch_norm = true};
  mn_tensor_id y = -1;
  assert_ok(mn_builder_tensor(builder, &op.input[1], &w, &error), &error);
  assert_ok(mn_builder_tensor(builder, &op.input[2], &b, &error), &error);
  assert_ok(mn_builder_add(builder, &y, &op, MN_DTYPE_COUNT, &error), &error);
  return y;
}

static void build_small(small_net *net, mn_dtype bits) {
  mn_tensor_id x = tensor("x", SHAPE(1, 4, 4, 1), false), y;
  y = layer(MN_OP_CONV_2D, "conv1", x, SHAPE(2, 3, 3, 1), 2, bits);
  y = layer(MN_OP_DEPTHWISE_CONV_2D, "dw1", y, SHAPE(1, 3, 3, 2), 2, bits);
  mn_op pool = {.kind = MN_OP_AVERAGE_POOL_2D,
                .name = "pool1",
                .inputs = 1,
                .input = {y},
                .window = {.kernel_h = 4, .kernel_w = 4, .padding = MN_PADDING_VALID}};
  assert_ok(mn_builder_add(builder, &y, &pool, MN_DTYPE_COUNT, &error), &error);
  y = layer(MN_OP_FULLY_CONNECTED, "fc1", y, SHAPE(3, 2), 3, bits);
  mn_op softmax = {.kind = MN_OP_SOFTMAX, .name = "softmax1", .inputs = 1, .input = {y}, .beta = 1};
  assert_ok(mn_builder_add(builder, &y, &softmax, MN_DTYPE_COUNT, &error), &error);
  assert_ok(mn_builder_finish(&net->graph, builder, &x, 1, &y, 1, &error), &error);
  for (int32_t op = 0; op < 6; op++) {
    for (int i = 0; i < 64; i++) net->weights[op][i] = (float)(i - 9) * 0.1f;
    for (int i = 0; i < 8; i++) net->bias[op][i] = (float)i - 1;
    for (int i = 0; i < 8; i++) net->scale[op][i] = 0.01f * (float)(i + 1);
    net->parameters[op] = (mn_parameters){net->weights[op], net->bias[op], net->scale[op]};
  }
  for (int i = 0; i < 16; i++) net->ranges[i] = (mn_range){0.01f * (float)(i + 1), -i};
}

static void counting_is_that_of_the_paper(void **state) {
  (void)state;
  small_net net;
  build_small(&net, MN_DTYPE_INT8);
  assert_int_equal(mn_op_macs(net.graph, 0), 16 * 2 * 9);
  assert_int_equal(mn_op_macs(net.graph, 1), 16 * 2 * 9);
  assert_int_equal(mn_op_macs(net.graph, 2), 0);
  assert_int_equal(mn_op_macs(net.graph, 3), 6);
  mn_counts counts = mn_graph_counts(net.graph);
  assert_int_equal(counts.ops, 2 * counts.macs);
  assert_int_equal(counts.weights, 18 + 18 + 6);
  assert_int_equal(counts.biases, 7);
  assert_int_equal(counts.params, 49);
}

static void freezing_ties_and_fixes_scales_as_the_op_list_says(void **state) {
  (void)state;
  small_net net;
  const mn_graph *frozen = NULL;
  build_small(&net, MN_DTYPE_INT8);
  assert_false(net.graph->frozen);
  assert_ok(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error), &error);
  assert_true(frozen->frozen);
  assert_int_equal(frozen->op_count, net.graph->op_count);
  assert_false(frozen->ops[0].batch_norm);
  const mn_tensor *t = frozen->tensors;
  const mn_op *op = frozen->ops;
  assert_true(t[op[2].output].quantization.scale[0] == t[op[1].output].quantization.scale[0]);
  assert_true(t[op[4].output].quantization.scale[0] == 1.0f / 256.0f);
  assert_int_equal(t[op[4].output].quantization.zero_point[0], -128);
  /* depthwise: scale along the last axis; conv: along the first */
  assert_int_equal(t[op[1].input[1]].quantization.axis, 3);
  assert_int_equal(t[op[0].input[1]].quantization.count, 2);
  const int8_t *conv = t[op[0].input[1]].data, *dw = t[op[1].input[1]].data;
  assert_int_equal(conv[0], -90);
  assert_int_equal(conv[10], 5); /* second channel: 0.1 / 0.02 */
  assert_int_equal(dw[0], -90);
  assert_int_equal(dw[1], -40); /* second channel: -0.8 / 0.02 */
  const mn_tensor *bias = &t[op[0].input[2]];
  float x_scale = t[frozen->inputs[0]].quantization.scale[0];
  assert_true(bias->quantization.scale[1] == x_scale * 0.02f);
  assert_int_equal(((const int32_t *)bias->data)[0], -10000);
}

static void freezing_packs_4_bit_weights_low_nibble_first(void **state) {
  (void)state;
  small_net net;
  const mn_graph *frozen = NULL;
  build_small(&net, MN_DTYPE_INT4);
  assert_int_equal(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error),
                   MN_ERR_UNSUPPORTED); /* fully connected, one scale per channel */
  for (int i = 0; i < 8; i++) net.scale[3][i] = net.scale[0][i] = 0.3f;
  assert_ok(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error), &error);
  const mn_tensor *w = &frozen->tensors[frozen->ops[0].input[1]];
  assert_int_equal(w->data_bytes, 9);
  assert_int_equal(((const uint8_t *)w->data)[0], 0xD | 0xD << 4); /* -0.9 -> -3, -0.8 -> -3 */
  assert_int_equal(frozen->tensors[frozen->ops[3].input[1]].quantization.count, 1);
}

static void freezing_refuses_impossible_ranges(void **state) {
  (void)state;
  small_net net;
  const mn_graph *frozen = NULL;
  build_small(&net, MN_DTYPE_INT8);
  net.ranges[net.graph->inputs[0]].scale = 0;
  assert_int_equal(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error),
                   MN_ERR_ARGUMENT);
  net.ranges[net.graph->inputs[0]].scale = 1;
  net.scale[1][1] = -1;
  assert_int_equal(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error),
                   MN_ERR_ARGUMENT);
  net.parameters[0].bias = NULL;
  assert_int_equal(mn_graph_freeze(&frozen, arena, net.graph, net.parameters, net.ranges, &error),
                   MN_ERR_ARGUMENT);
  assert_null(frozen);
}

/* 4,000 ops and the freezing of them outgrow any first chunk of an arena. */
static mn_status build_and_freeze(void) {
  mn_arena *own = NULL;
  mn_builder *made = NULL;
  const mn_graph *graph = NULL, *frozen = NULL;
  mn_tensor x = {.name = "x", .dtype = MN_DTYPE_INT8, .shape = SHAPE(1, 4)};
  mn_tensor_id first = -1, y = -1;
  MN_TRY(mn_arena_create(&own));
  mn_status status = mn_builder_create(&made, own);
  if (status == MN_OK) status = mn_builder_tensor(made, &first, &x, NULL);
  y = first;
  for (int i = 0; status == MN_OK && i < 4000; i++) {
    mn_op op = {.kind = MN_OP_SOFTMAX, .name = "softmax", .inputs = 1, .input = {y}, .beta = 1};
    status = mn_builder_add(made, &y, &op, MN_DTYPE_COUNT, NULL);
  }
  if (status == MN_OK) status = mn_builder_finish(&graph, made, &first, 1, &y, 1, NULL);
  mn_parameters *none = mn_arena_array(own, 4000, sizeof *none);
  mn_range *ranges = mn_arena_array(own, 4001, sizeof *ranges);
  if (status == MN_OK && (none == NULL || ranges == NULL)) status = MN_ERR_MEMORY;
  if (status == MN_OK) {
    ranges[first] = (mn_range){1, 0};
    status = mn_graph_freeze(&frozen, own, graph, none, ranges, NULL);
  }
  mn_arena_destroy(own);
  return status;
}

static void every_failed_allocation_is_reported(void **state) {
  (void)state;
  mn_status status = MN_ERR_MEMORY;
  int failures = 0;
  for (int n = 0; status != MN_OK && n < 1000; n++) {
    int64_t left = n;
    mn_heap heap = test_failing_heap(&left);
    mn_heap_set(&heap);
    status = build_and_freeze();
    mn_heap_set(NULL);
    if (status != MN_OK) {
      assert_int_equal(status, MN_ERR_MEMORY);
      failures++;
    }
  }
  assert_int_equal(status, MN_OK);
  assert_true(failures > 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_op_and_type_has_its_facts),
      TEST(windows_have_tflite_sizes_and_padding),
      TEST(layers_with_weights_have_the_shapes_of_tflite),
      TEST(layers_without_weights_have_the_shapes_of_tflite),
      TEST(svdf_has_the_shape_of_tflite),
      TEST(what_does_not_fit_is_refused_with_names_and_shapes),
      TEST(tensors_of_files_are_checked),
      TEST(a_finished_graph_is_in_execution_order),
      TEST(counting_is_that_of_the_paper),
      TEST(freezing_ties_and_fixes_scales_as_the_op_list_says),
      TEST(freezing_packs_4_bit_weights_low_nibble_first),
      TEST(freezing_refuses_impossible_ranges),
      TEST(every_failed_allocation_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
