/* Clean-up of graphs: what goes, what must stay, and that nothing changes by a bit.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/exec.h"
#include "models.h"
#include "random_graph.h"

/* ---- Planting ------------------------------------------------------------------------------*/
/* A copy whose tensors may be changed. */
static mn_tensor *own(mn_arena *arena, const mn_graph **graph) {
  mn_graph *copy = mn_arena_copy(arena, *graph, sizeof *copy);
  mn_tensor *tensors =
      mn_arena_copy(arena, copy->tensors, (size_t)copy->tensor_count * sizeof *tensors);
  copy->tensors = tensors;
  *graph = copy;
  return tensors;
}

/* Zero weights for one output channel of a layer of 8-bit weights; `bias` on top where not 0. */
static void plant(mn_arena *arena, const mn_graph **graph, int32_t index, int32_t channel,
                  int32_t bias) {
  const mn_op *op = &(*graph)->ops[index];
  mn_tensor *tensors = own(arena, graph), *k = &tensors[op->input[1]];
  int8_t *weights = mn_arena_copy(arena, k->data, k->data_bytes);
  bool depthwise = op->kind == MN_OP_DEPTHWISE_CONV_2D;
  int32_t channels = k->shape.dim[depthwise ? 3 : 0];
  int64_t elements = mn_shape_elements(&k->shape), inner = depthwise ? 1 : elements / channels;
  for (int64_t e = 0; e < elements; e++)
    if (e / inner % channels == channel) weights[e] = 0;
  k->data = weights;
  if (bias == 0) return;
  mn_tensor *b = &tensors[op->input[2]];
  int32_t *values = mn_arena_copy(arena, b->data, b->data_bytes);
  values[channel] = bias;
  b->data = values;
}

/* ---- Comparing -----------------------------------------------------------------------------*/
typedef struct side {
  const mn_graph *graph;
  uint8_t *tensor[64];
} side;

static void on_rows(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                    size_t bytes) {
  side *s = context;
  memcpy(s->tensor[op] + (size_t)first_row * (bytes / (size_t)rows), data, bytes);
}

static mn_exec *open_side(mn_arena *arena, side *s, const mn_graph *graph) {
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  mn_error error = {{0}};
  s->graph = graph;
  for (int32_t o = 0; o < graph->op_count; o++)
    s->tensor[o] = mn_arena_alloc(arena, mn_tensor_bytes(&graph->tensors[graph->ops[o].output]));
  assert_ok(mn_plan_make(&plan, arena, graph, NULL, NULL, &error), &error);
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  return exec;
}

static void compare(const side *old, const side *new, const mn_clean *clean) {
  for (int32_t o = 0; o < new->graph->op_count; o++) {
    const mn_shape *y = &new->graph->tensors[new->graph->ops[o].output].shape;
    int32_t from = clean->source[o];
    const mn_shape *x = &old->graph->tensors[old->graph->ops[from].output].shape;
    int32_t few = y->rank > 0 ? y->dim[y->rank - 1] : 1, many = few;
    if (clean->channels[o] != NULL) many = x->dim[x->rank - 1];
    size_t width = mn_tensor_bytes(&new->graph->tensors[new->graph->ops[o].output]) /
                   (size_t)mn_shape_elements(y);
    for (int64_t e = 0; e < mn_shape_elements(y); e++) {
      int32_t channel =
          clean->channels[o] != NULL ? clean->channels[o][e % few] : (int32_t)(e % few);
      assert_memory_equal(new->tensor[o] + (size_t)e *width,
                          old->tensor[from] + (size_t)(e / few * many + channel) * width, width);
    }
  }
}

/* Cleans up and runs both on a few inputs. */
static mn_clean clean_and_compare(mn_arena *arena, const mn_graph *graph) {
  mn_clean clean;
  mn_error error = {{0}};
  side old = {0}, new = {0};
  assert_ok(mn_clean_graph(&clean, arena, graph, &error), &error);
  mn_exec *a = open_side(arena, &old, graph), *b = open_side(arena, &new, clean.graph);
  for (uint64_t run = 0; run < 3; run++) {
    for (int32_t i = 0; i < graph->input_count; i++) {
      size_t bytes = mn_tensor_bytes(&graph->tensors[graph->inputs[i]]);
      test_random_bytes(mn_exec_input(a, i), bytes, run * 8 + (uint64_t)i);
      memcpy(mn_exec_input(b, i), mn_exec_input(a, i), bytes);
    }
    mn_exec_run(a, &(mn_watch){on_rows, &old});
    mn_exec_run(b, &(mn_watch){on_rows, &new});
    compare(&old, &new, &clean);
    for (int32_t i = 0; i < graph->output_count; i++)
      assert_memory_equal(mn_exec_output(a, i), mn_exec_output(b, i),
                          mn_tensor_bytes(&graph->tensors[graph->outputs[i]]));
  }
  mn_exec_destroy(a);
  mn_exec_destroy(b);
  return clean;
}

/* ---- One case per pass -----------------------------------------------------------------------*/
static const mn_window one = {1, 1, 1, 1, 1, 1, 1, MN_PADDING_SAME};
static const mn_window same3 = {3, 3, 1, 1, 1, 1, 1, MN_PADDING_SAME};
static const mn_window valid3 = {3, 3, 1, 1, 1, 1, 1, MN_PADDING_VALID};
static const mn_window valid3_stride2 = {3, 3, 2, 2, 1, 1, 1, MN_PADDING_VALID};

static const mn_graph *freeze(model *m, mn_tensor_id x, mn_tensor_id y) {
  return model_freeze(m, model_finish(m, &x, 1, &y, 1));
}

/* conv 1x1 (op 0), depthwise (op 1), conv 1x1 (op 2) */
static const mn_graph *separable(model *m, mn_window depthwise) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 5, 3}});
  mn_tensor_id y = model_conv(m, "first", x, 7, one, MN_ACTIVATION_NONE);
  y = model_depthwise(m, "middle", y, depthwise, MN_ACTIVATION_NONE);
  return freeze(m, x, model_conv(m, "last", y, 4, one, MN_ACTIVATION_NONE));
}

static const mn_graph *dead_at_the_zero_point(model *m) {
  const mn_graph *graph = separable(m, same3);
  plant(m->arena, &graph, 0, 2, 1); /* 1 step of the bias: rounds to the zero point */
  return graph;
}

static const mn_graph *constant_without_border(model *m) {
  const mn_graph *graph = separable(m, valid3);
  plant(m->arena, &graph, 0, 2, 3000);
  return graph;
}

static const mn_graph *constant_at_the_border(model *m) {
  const mn_graph *graph = separable(m, same3);
  plant(m->arena, &graph, 0, 2, 3000);
  return graph;
}

static const mn_graph *dead_depthwise(model *m) {
  const mn_graph *graph = separable(m, same3);
  plant(m->arena, &graph, 1, 5, 2000); /* hides channel 5 of the first layer */
  return graph;
}

/* a sum of two branches: a channel goes only where both are constant */
static const mn_graph *residual(model *m, int32_t second) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 5, 3}});
  mn_tensor_id a = model_conv(m, "a", x, 6, same3, MN_ACTIVATION_RELU);
  mn_tensor_id b = model_conv(m, "b", a, 6, one, MN_ACTIVATION_RELU);
  mn_tensor_id y = model_add(m, "sum", a, b, MN_ACTIVATION_NONE);
  const mn_graph *graph = freeze(m, x, model_conv(m, "last", y, 4, one, MN_ACTIVATION_NONE));
  plant(m->arena, &graph, 0, 3, 2500);
  plant(m->arena, &graph, 1, second, 1500);
  return graph;
}

static const mn_graph *constant_sum(model *m) {
  return residual(m, 3);
}

static const mn_graph *sum_of_different_channels(model *m) {
  return residual(m, 4);
}

static const mn_graph *dead_in_a_vector(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 5, 3}});
  mn_tensor_id y = model_conv(m, "first", x, 8, same3, MN_ACTIVATION_RELU);
  y = model_pool(m, "pool", y, MN_OP_AVERAGE_POOL_2D, (mn_window){6, 5, 1, 1, 1, 1, 1, 1});
  y = model_reshape(m, "flat", y, (mn_shape){2, {1, 8}}, true);
  const mn_graph *graph =
      freeze(m, x, model_fully_connected(m, "last", y, 4, true, MN_ACTIVATION_NONE));
  plant(m->arena, &graph, 0, 0, 5000);
  plant(m->arena, &graph, 0, 6, -5000);
  return graph;
}

/* every channel is read once per position of the map */
static const mn_graph *dead_in_a_map(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 5, 3}});
  mn_tensor_id y = model_conv(m, "first", x, 8, one, MN_ACTIVATION_RELU);
  y = model_reshape(m, "flat", y, (mn_shape){2, {1, 240}}, true);
  const mn_graph *graph =
      freeze(m, x, model_fully_connected(m, "last", y, 4, true, MN_ACTIVATION_NONE));
  plant(m->arena, &graph, 0, 0, 5000);
  plant(m->arena, &graph, 0, 6, -5000);
  return graph;
}

static const mn_graph *padded(model *m, int32_t before, int32_t after) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 8, 3}});
  mn_tensor_id y = model_pad(m, "pad", x, (int32_t[8]){0, 0, before, after, before, after, 0, 0});
  return freeze(m, x, model_conv(m, "last", y, 4, valid3_stride2, MN_ACTIVATION_NONE));
}

static const mn_graph *padding_as_same(model *m) {
  return padded(m, 0, 1);
}

static const mn_graph *padding_unlike_same(model *m) {
  return padded(m, 1, 1);
}

static const mn_graph *empty_ops(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 6, 8, 3}});
  mn_tensor_id y = model_pool(m, "pool", x, MN_OP_MAX_POOL_2D, one);
  y = model_reshape(m, "same", y, (mn_shape){4, {1, 6, 8, 3}}, true);
  y = model_reshape(m, "flat", y, (mn_shape){2, {1, 144}}, true);
  y = model_reshape(m, "again", y, (mn_shape){4, {1, 12, 4, 3}}, true);
  return freeze(m, x, model_conv(m, "last", y, 4, one, MN_ACTIVATION_NONE));
}

/* int8 to int16 and back: with a finer scale between, nothing is lost */
static const mn_graph *quantize_pair(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 4, 4, 3}});
  mn_tensor_id wide = model_quantize(m, "wide", x, MN_DTYPE_INT16);
  mn_tensor_id back = model_quantize(m, "back", wide, MN_DTYPE_INT8);
  const mn_graph *graph = freeze(m, x, model_conv(m, "last", back, 4, one, MN_ACTIVATION_NONE));
  mn_tensor *tensors = own(m->arena, &graph);
  static float fine = 0.001f;
  static int32_t zero = 0;
  tensors[wide].quantization = (mn_quantization){1, 0, &fine, &zero};
  static float scale = 0.02f;
  static int32_t zero_point = 7;
  tensors[x].quantization = (mn_quantization){1, 0, &scale, &zero_point};
  tensors[back].quantization = tensors[x].quantization;
  return graph;
}

static const mn_graph *twins(model *m) {
  mn_tensor_id x = model_input(m, "input", (mn_shape){4, {1, 4, 4, 3}});
  mn_tensor_id y = model_conv(m, "first", x, 3, one, MN_ACTIVATION_NONE);
  const mn_graph *graph = freeze(m, x, model_conv(m, "last", y, 3, one, MN_ACTIVATION_NONE));
  mn_tensor *tensors = own(m->arena, &graph);
  tensors[graph->ops[1].input[1]] = tensors[graph->ops[0].input[1]];
  return graph;
}

static void every_pass_should_take_what_it_can_and_no_more(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const mn_graph *(*make)(model *m);
    mn_pass pass;
    int64_t removed, ops;
  } cases[] = {
      {"zero point", dead_at_the_zero_point, MN_PASS_dead_channels, 1, 3},
      {"constant, no border", constant_without_border, MN_PASS_dead_channels, 1, 3},
      {"constant, border", constant_at_the_border, MN_PASS_dead_channels, 0, 3},
      {"dead depthwise", dead_depthwise, MN_PASS_dead_channels, 1, 3},
      {"constant sum", constant_sum, MN_PASS_dead_channels, 1, 4},
      {"different channels", sum_of_different_channels, MN_PASS_dead_channels, 0, 4},
      {"vector", dead_in_a_vector, MN_PASS_dead_channels, 2, 4},
      {"map", dead_in_a_map, MN_PASS_dead_channels, 2, 3},
      {"pad like SAME", padding_as_same, MN_PASS_pads, 1, 1},
      {"pad unlike SAME", padding_unlike_same, MN_PASS_pads, 0, 2},
      {"empty ops", empty_ops, MN_PASS_no_ops, 3, 2},
      {"pair", quantize_pair, MN_PASS_no_ops, 1, 1},
      {"twins", twins, MN_PASS_duplicate_constants, 1, 2},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 31, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_clean clean = clean_and_compare(arena, cases[i].make(&m));
    if (clean.removed[cases[i].pass] != cases[i].removed || clean.graph->op_count != cases[i].ops)
      fail_msg("%s: %lld removed, %d ops left", cases[i].name,
               (long long)clean.removed[cases[i].pass], clean.graph->op_count);
    mn_arena_destroy(arena);
  }
}

/* ---- Anything else -------------------------------------------------------------------------*/
static void plant_somewhere(mn_arena *arena, const mn_graph **graph, mn_rng *rng) {
  for (int32_t o = 0; o < (*graph)->op_count; o++) {
    const mn_op *op = &(*graph)->ops[o];
    if (op->kind > MN_OP_FULLY_CONNECTED) continue;
    bool depthwise = op->kind == MN_OP_DEPTHWISE_CONV_2D;
    int32_t channels = (*graph)->tensors[op->input[1]].shape.dim[depthwise ? 3 : 0];
    for (int32_t c = 0; c < channels; c++) {
      int32_t bias = (int32_t)mn_rng_below(rng, 4000) - 2000;
      if (mn_rng_below(rng, 3) == 0) plant(arena, graph, o, c, mn_rng_below(rng, 2) ? bias : 0);
    }
  }
}

static void random_networks_with_dead_channels_should_keep_every_bit(void **state) {
  (void)state;
  int64_t removed = 0;
  for (uint64_t seed = 1; seed <= 250; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    mn_rng rng = mn_rng_stream(seed, 4, 0);
    const mn_graph *graph = test_random_frozen(arena, test_random_bare(arena, seed, 8), seed);
    plant_somewhere(arena, &graph, &rng);
    mn_clean clean = clean_and_compare(arena, graph);
    removed += clean.removed[MN_PASS_dead_channels];
    mn_arena_destroy(arena);
  }
  assert_true(removed > 200);
}

static void ready_made_models_should_keep_every_bit(void **state) {
  (void)state;
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    clean_and_compare(arena, model_make(arena, i, NULL));
    mn_arena_destroy(arena);
  }
}

static void a_clean_graph_should_stay_as_it_is(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  model m = model_begin(arena, 31, MN_DTYPE_INT8, MN_DTYPE_INT8);
  mn_clean once = clean_and_compare(arena, constant_sum(&m));
  mn_clean twice = clean_and_compare(arena, once.graph);
  for (int32_t p = 0; p < MN_PASS_COUNT; p++) assert_int_equal(twice.removed[p], 0);
  mn_arena_destroy(arena);
}

/* A factor that cannot be requantized is refused in words, by the planner and so by the clean-up. */
static void scales_out_of_reach_should_be_refused(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_clean clean;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  model m = model_begin(arena, 31, MN_DTYPE_INT8, MN_DTYPE_INT8);
  const mn_graph *graph = quantize_pair(&m);
  mn_tensor *tensors = own(arena, &graph);
  static float huge = 1e20f;
  static int32_t zero = 0;
  tensors[graph->inputs[0]].quantization = (mn_quantization){1, 0, &huge, &zero};
  assert_int_equal(mn_clean_graph(&clean, arena, graph, &error), MN_ERR_UNSUPPORTED);
  assert_non_null(strstr(error.text, "2^30 times"));
  mn_arena_destroy(arena);
}

static void memory_that_runs_out_should_be_told(void **state) {
  (void)state;
  for (int64_t given = 0; given < 200; given += 7) {
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    mn_clean clean;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 31, MN_DTYPE_INT8, MN_DTYPE_INT8);
    const mn_graph *graph = constant_sum(&m);
    int64_t left = given;
    mn_heap heap = test_failing_heap(&left);
    mn_heap_set(&heap);
    mn_status status = mn_clean_graph(&clean, arena, graph, &error);
    mn_heap_set(NULL);
    assert_true(status == MN_OK || status == MN_ERR_MEMORY);
    mn_arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pass_should_take_what_it_can_and_no_more),
      cmocka_unit_test(random_networks_with_dead_channels_should_keep_every_bit),
      cmocka_unit_test(ready_made_models_should_keep_every_bit),
      cmocka_unit_test(a_clean_graph_should_stay_as_it_is),
      cmocka_unit_test(scales_out_of_reach_should_be_refused),
      cmocka_unit_test(memory_that_runs_out_should_be_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
