/* Every unit's gradients against finite differences, on every instruction set that runs here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "train_support.h"

enum { ITEMS = 11 }; /* not a multiple of the shards */

static const float *taught; /* scores of a teacher, for the trainers that follow */
static bool remakes;        /* wide maps: made anew by the trainers that follow */

static mn_trainer *make(const mn_graph *graph, const char *isa, mn_loss kind, mn_pool *pool) {
  mn_error error = {{0}};
  mn_trainer *t = NULL;
  mn_train_config config = mn_train_defaults();
  config.pool = pool, config.batch = ITEMS, config.isa = isa, config.loss = kind;
  config.distill = 0.4, config.temperature = 3;
  if (remakes) config.remake_bytes = 1;
  assert_ok(mn_trainer_create(&t, graph, &config, &error), &error);
  mn_trainer_teach(t, taught);
  return t;
}

static double loss_of(mn_trainer *t, const mn_batch *batch, const mn_gates *gates) {
  mn_error error = {{0}};
  double loss;
  assert_ok(mn_trainer_step(t, &loss, batch, gates, false, &error), &error);
  return loss;
}

/* Gradients of the weights too, which a step without update leaves out. */
static void run_backward(mn_trainer *t, const mn_batch *batch, const mn_gates *gates) {
  t->batch = batch, t->gates = gates, t->training = t->updates = true;
  mn_engine_forward(t);
  mn_loss_run(t);
  mn_engine_backward(t);
}

/* Along a random direction: (L(p + e d) - L(p - e d)) / 2e against the sum of gradient * d. */
static void check_parameter(mn_trainer *t, mn_parameter *p, const mn_batch *batch,
                            const mn_gates *gates, const char *what) {
  const size_t size = (size_t)mn_parameter_size(p);
  float *gradient = malloc(size * sizeof *gradient), *value = malloc(size * sizeof *value);
  float *moved = malloc(size * sizeof *moved), *direction = malloc(size * sizeof *direction);
  float *padded = malloc(((size_t)p->count + 64) * sizeof *padded);
  mn_rng rng = mn_rng_seed(size);
  run_backward(t, batch, gates);
  mn_parameter_gradient(t, p, gradient, padded);
  mn_parameter_get(p, value, p->value);
  double expected = 0, magnitude = 0;
  for (size_t i = 0; i < size; i++) {
    direction[i] = (float)mn_rng_normal(&rng) + (gradient[i] > 0.0f ? 1.0f : -1.0f);
    expected += (double)gradient[i] * (double)direction[i];
    magnitude += (double)direction[i] * (double)direction[i];
  }
  const double e = 3e-4 / sqrt(magnitude);
  double loss[2];
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < size; i++)
      moved[i] = value[i] + (float)(side == 0 ? e : -e) * direction[i];
    mn_parameter_set(p, p->value, moved);
    loss[side] = loss_of(t, batch, gates);
  }
  mn_parameter_set(p, p->value, value);
  const double found = (loss[0] - loss[1]) / (2 * e);
  if (fabs(found - expected) > 0.02 * fabs(expected) + 2e-4 / e * 1e-3)
    fail_msg("%s, %s: %s kind %d: gradient %g, finite difference %g", what, t->lanes->name, p->op,
             (int)p->kind, expected, found);
  free(gradient), free(value), free(moved), free(direction), free(padded);
}

static void check_graph(const mn_graph *graph, const mn_batch *batch, const mn_gates *gates,
                        mn_loss kind, const char *what) {
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  mn_pool *pool;
  assert_int_equal(mn_pool_create(&pool, 2), MN_OK);
  for (size_t i = 0; i < MN_COUNT(isas); i++) {
    if (mn_lanes_get(isas[i]) == NULL) continue;
    mn_trainer *t = make(graph, isas[i], kind, pool);
    for (int32_t p = 0; p < t->parameter_count; p++)
      if (t->parameters[p].gradient != NULL && t->parameters[p].kind != MN_PARAMETER_RANGE)
        check_parameter(t, &t->parameters[p], batch, gates, what);
    mn_trainer_destroy(t);
  }
  mn_pool_destroy(pool);
}

/* ---- The table of networks: each ends in a classifier of 5 classes ----------------------------*/
static const mn_activation none = MN_ACTIVATION_NONE, relu = MN_ACTIVATION_RELU,
                           relu6 = MN_ACTIVATION_RELU6;

static void net_conv_3x3(sketch *s) {
  sketch_conv(s, 3, (layer){20, 3, 3, 1, 1, relu});
  sketch_conv(s, 20, (layer){18, 3, 3, 2, 2, none});
}
static void net_conv_odd(sketch *s) {
  sketch_conv(s, 3, (layer){17, 5, 2, 2, 1, relu6, .valid = true});
  sketch_conv(s, 17, (layer){16, 2, 3, 1, 2, none, .no_norm = true});
}
static void net_conv_dilated(sketch *s) {
  sketch_conv(s, 3, (layer){16, 3, 3, 1, 1, none, .dilation = 2});
  sketch_conv(s, 16, (layer){12, 2, 2, 1, 1, none, .dilation = 2, .valid = true});
}
static void net_pointwise_stride(sketch *s) {
  sketch_conv(s, 3, (layer){40, 1, 1, 1, 1, relu});
  sketch_conv(s, 40, (layer){33, 1, 1, 2, 2, none});
}
static void net_depthwise(sketch *s) {
  sketch_conv(s, 3, (layer){70, 1, 1, 1, 1, none});
  sketch_depthwise(s, (layer){70, 3, 3, 1, 1, relu});
  sketch_depthwise(s, (layer){70, 3, 3, 2, 2, none});
}
static void net_depthwise_strips(sketch *s) { /* too wide for an item at once */
  sketch_conv(s, 3, (layer){600, 1, 1, 1, 1, none});
  sketch_depthwise(s, (layer){600, 3, 3, 1, 1, relu});
  sketch_depthwise(s, (layer){600, 3, 3, 2, 2, none});
  sketch_conv(s, 600, (layer){8, 1, 1, 1, 1, none});
}
static void net_depthwise_odd(sketch *s) {
  sketch_conv(s, 3, (layer){20, 1, 1, 1, 1, none});
  sketch_depthwise(s, (layer){20, 5, 2, 2, 1, none, .no_norm = true});
  sketch_depthwise(s, (layer){20, 2, 2, 1, 1, none, .dilation = 2, .valid = true});
}
static void net_depthwise_multiplier(sketch *s) {
  sketch_conv(s, 3, (layer){6, 1, 1, 1, 1, none});
  sketch_depthwise(s, (layer){18, 3, 3, 2, 1, none, .multiplier = 3});
}
static void net_depthwise_input(sketch *s) {
  sketch_depthwise(s, (layer){3, 3, 3, 1, 1, none});
}
static void net_depthwise_one_channel(sketch *s) {
  sketch_conv(s, 3, (layer){1, 1, 1, 1, 1, none});
  sketch_depthwise(s, (layer){9, 3, 2, 2, 1, none, .multiplier = 9});
}
static void net_average(sketch *s) {
  sketch_conv(s, 3, (layer){20, 1, 1, 1, 1, relu});
  sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, 3, 2, 2, 1});
}
static void net_max(sketch *s) {
  sketch_conv(s, 3, (layer){20, 1, 1, 1, 1, none});
  sketch_pool(s, MN_OP_MAX_POOL_2D, (layer){0, 2, 3, 2, 2});
}
static void net_residual(sketch *s) {
  const mn_tensor_id a = sketch_conv(s, 3, (layer){20, 3, 3, 1, 1, none});
  sketch_conv(s, 20, (layer){24, 1, 1, 1, 1, relu});
  const mn_tensor_id b = sketch_conv(s, 24, (layer){20, 1, 1, 1, 1, none});
  s->at = sketch_join(s, MN_OP_ADD, a, b);
  sketch_conv(s, 20, (layer){16, 1, 1, 1, 1, none});
}
static void net_unequal_residual(sketch *s) {
  static const int32_t channels[8] = {0, 0, 0, 0, 0, 0, 0, 7};
  sketch_conv(s, 3, (layer){12, 3, 3, 1, 1, relu});
  const mn_tensor_id a = s->at, b = sketch_conv(s, 12, (layer){19, 1, 1, 1, 1, none});
  s->at = a;
  s->at = sketch_join(s, MN_OP_ADD, b, sketch_pad(s, channels));
}
static void net_pooled_skip(sketch *s) {
  const mn_tensor_id a = sketch_conv(s, 3, (layer){20, 1, 1, 1, 1, relu});
  sketch_depthwise(s, (layer){20, 3, 3, 2, 2, relu});
  const mn_tensor_id b = sketch_conv(s, 20, (layer){20, 1, 1, 1, 1, relu});
  s->at = a;
  s->at =
      sketch_join(s, MN_OP_MIX, b, sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, 2, 2, 2, 2}));
  sketch_conv(s, 20, (layer){24, 1, 1, 1, 1, none});
}
static void net_pad_pixels(sketch *s) {
  static const int32_t pixels[8] = {0, 0, 1, 2, 0, 1, 0, 0};
  sketch_conv(s, 3, (layer){12, 1, 1, 1, 1, none});
  sketch_pad(s, pixels);
  sketch_conv(s, 12, (layer){8, 3, 3, 2, 2, none, .valid = true});
}
static void net_reshape(sketch *s) {
  sketch_conv(s, 3, (layer){12, 1, 1, 1, 1, none});
  sketch_reshape(s, (mn_shape){4, {1, 6, 7, 12}});
  sketch_reshape(s, (mn_shape){4, {1, 7, 8, 9}});
  sketch_conv(s, 9, (layer){8, 3, 3, 1, 1, none});
}

static void net_reshaped_input(sketch *s) {
  sketch_reshape(s, (mn_shape){4, {1, 6, 7, 3}});
  sketch_conv(s, 3, (layer){12, 3, 2, 1, 1, none});
}

static const struct {
  const char *name;
  void (*body)(sketch *s);
} nets[] = {
    {"conv 3x3", net_conv_3x3},
    {"conv of odd sizes", net_conv_odd},
    {"dilated conv", net_conv_dilated},
    {"1x1 with stride", net_pointwise_stride},
    {"depthwise 3x3", net_depthwise},
    {"depthwise of odd sizes", net_depthwise_odd},
    {"depthwise by strips", net_depthwise_strips},
    {"depthwise with multiplier", net_depthwise_multiplier},
    {"depthwise on the input", net_depthwise_input},
    {"depthwise of one channel", net_depthwise_one_channel},
    {"average pool", net_average},
    {"max pool", net_max},
    {"residual", net_residual},
    {"unequal residual", net_unequal_residual},
    {"pooled skip", net_pooled_skip},
    {"padded pixels", net_pad_pixels},
    {"reshape", net_reshape},
    {"reshaped input", net_reshaped_input},
};

static const mn_graph *finish_net(sketch *s, void (*body)(sketch *)) {
  *s = sketch_begin(7, 6, 3);
  body(s);
  mn_error error = {{0}};
  const mn_graph *graph;
  mn_tensor_id at = s->at;
  /* The classifier's inputs: every element of the last map. */
  assert_ok(mn_builder_finish(&graph, s->builder, &s->input, 1, &at, 1, &error), &error);
  const int32_t inputs = (int32_t)mn_shape_elements(&graph->tensors[at].shape);
  sketch again = sketch_begin(7, 6, 3);
  body(&again);
  mn_arena_destroy(s->arena);
  *s = again;
  sketch_reshape(s, (mn_shape){2, {1, inputs}});
  sketch_dense(s, inputs, (layer){5, .no_norm = true});
  return sketch_finish(s);
}

static void gradients_of_every_unit_should_match_finite_differences(void **state) {
  (void)state;
  for (size_t i = 0; i < MN_COUNT(nets); i++) {
    sketch s;
    const mn_graph *graph = finish_net(&s, nets[i].body);
    const toy y = toy_make(s.arena, ITEMS, 7 * 6 * 3, 5, i);
    check_graph(graph, &y.batch, NULL, MN_LOSS_CROSS_ENTROPY, nets[i].name);
    mn_arena_destroy(s.arena);
  }
}

/* MobileNetV2's blocks; 600 channels are more than one strip. */
static void net_expansions(sketch *s) {
  const mn_tensor_id a = sketch_conv(s, 3, (layer){13, 3, 3, 1, 1, none});
  sketch_conv(s, 13, (layer){600, 1, 1, 1, 1, relu6});
  sketch_depthwise(s, (layer){600, 3, 3, 1, 1, relu6});
  const mn_tensor_id b = sketch_conv(s, 600, (layer){13, 1, 1, 1, 1, none});
  s->at = sketch_join(s, MN_OP_ADD, a, b);
  sketch_conv(s, 13, (layer){40, 1, 1, 1, 1, relu});
  sketch_depthwise(s, (layer){40, 3, 3, 2, 2, none});
  sketch_conv(s, 40, (layer){8, 1, 1, 1, 1, none});
}

static int32_t count_remade(const mn_graph *graph) {
  mn_pool *pool;
  int32_t count = 0;
  assert_int_equal(mn_pool_create(&pool, 1), MN_OK);
  mn_trainer *t = make(graph, NULL, MN_LOSS_CROSS_ENTROPY, pool);
  for (int32_t i = 0; i < t->value_count; i++) count += t->values[i].maker != NULL;
  mn_trainer_destroy(t);
  mn_pool_destroy(pool);
  return count;
}

static void gradients_through_a_map_made_anew_should_match_finite_differences(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = finish_net(&s, net_expansions);
  const toy y = toy_make(s.arena, ITEMS, 7 * 6 * 3, 5, 2);
  assert_int_equal(count_remade(graph), 0);
  check_graph(graph, &y.batch, NULL, MN_LOSS_CROSS_ENTROPY, "expansions");
  remakes = true;
  assert_int_equal(count_remade(graph), 2);
  check_graph(graph, &y.batch, NULL, MN_LOSS_CROSS_ENTROPY, "expansions made anew");
  remakes = false;
  mn_arena_destroy(s.arena);
}

static void gradients_of_the_mean_squared_head_should_match_finite_differences(void **state) {
  (void)state;
  sketch s = sketch_begin(1, 1, 30);
  sketch_reshape(&s, (mn_shape){2, {1, 30}});
  sketch_dense(&s, 30, (layer){20, .activation = relu});
  sketch_dense(&s, 20, (layer){5, .no_norm = true});
  const mn_graph *graph = sketch_finish(&s);
  const toy y = toy_make(s.arena, ITEMS, 30, 5, 1);
  check_graph(graph, &y.batch, NULL, MN_LOSS_MEAN_SQUARED, "mean squared");
  mn_arena_destroy(s.arena);
}

static void gradients_of_a_taught_and_weighted_loss_should_match_finite_differences(void **state) {
  (void)state;
  float scores[ITEMS * 5], target[ITEMS * 5];
  mn_rng rng = mn_rng_seed(9);
  sketch s = sketch_begin(1, 1, 30);
  sketch_reshape(&s, (mn_shape){2, {1, 30}});
  sketch_dense(&s, 30, (layer){20, .activation = relu});
  sketch_dense(&s, 20, (layer){5, .no_norm = true});
  const mn_graph *graph = sketch_finish(&s);
  const toy y = toy_make(s.arena, ITEMS, 30, 5, 1);
  mn_batch batch = y.batch;
  for (int32_t i = 0; i < ITEMS * 5; i++) {
    scores[i] = (float)mn_rng_normal(&rng) * 3;
    target[i] = batch.target[i] * (i / 5 % 2 == 0 ? 1.7f : 0.4f);
  }
  batch.target = target;
  check_graph(graph, &batch, NULL, MN_LOSS_CROSS_ENTROPY, "weighted");
  taught = scores;
  check_graph(graph, &batch, NULL, MN_LOSS_CROSS_ENTROPY, "taught");
  taught = NULL;
  mn_arena_destroy(s.arena);
}

/* ---- Gates ---------------------------------------------------------------------------------------*/
enum { OPS = 16, WIDEST = 40 };
typedef struct gate_values {
  float mask[OPS][WIDEST], mask_gradient[OPS][WIDEST], mix[OPS][2], mix_gradient[OPS][2];
  const float *mask_of[OPS];
  float *mask_gradient_of[OPS];
} gate_values;

/* A mask on every normalized convolution, its last channels closed; depthwise layers follow. */
static mn_gates gates_make(gate_values *g, const mn_graph *graph) {
  mn_rng rng = mn_rng_seed(3);
  memset(g, 0, sizeof *g);
  for (int32_t i = 0; i < graph->op_count; i++) {
    for (int32_t c = 0; c < WIDEST; c++)
      g->mask[i][c] = c > 14 ? 0.0f : (float)mn_rng_range(&rng, 0.3, 1);
    g->mix[i][0] = 0.6f, g->mix[i][1] = 0.4f;
    if (!graph->ops[i].batch_norm || graph->ops[i].kind != MN_OP_CONV_2D) continue;
    g->mask_of[i] = g->mask[i];
    g->mask_gradient_of[i] = g->mask_gradient[i];
  }
  return (mn_gates){g->mask_of, g->mask_gradient_of, &g->mix[0][0], &g->mix_gradient[0][0]};
}

static void check_gate(mn_trainer *t, const mn_batch *batch, const mn_gates *gates, float *value,
                       const float *gradient, const char *what, int32_t op, int32_t index) {
  const float e = 2e-3f, kept = *value;
  loss_of(t, batch, gates);
  const double expected = (double)*gradient;
  *value = kept + e;
  const double up = loss_of(t, batch, gates);
  *value = kept - e;
  const double found = (up - loss_of(t, batch, gates)) / (2 * (double)e);
  *value = kept;
  if (fabs(found - expected) > 0.02 * fabs(expected) + 6e-4)
    fail_msg("%s of op %d, %d: gradient %g, finite difference %g", what, op, index, expected,
             found);
}

static void net_supernet(sketch *s) {
  const mn_tensor_id stem = sketch_conv(s, 3, (layer){17, 3, 3, 1, 1, relu});
  sketch_depthwise(s, (layer){17, 3, 3, 1, 1, relu6});
  const mn_tensor_id on =
      sketch_conv(s, 17, (layer){40, 1, 1, 1, 1, relu}); /* wider than its shortcut */
  const mn_tensor_id mixed = sketch_join(s, MN_OP_MIX, on, stem);
  s->at = mixed;
  sketch_depthwise(s, (layer){40, 3, 3, 2, 2, relu});
  const mn_tensor_id second = sketch_conv(s, 40, (layer){40, 1, 1, 1, 1, none});
  s->at = mixed;
  s->at = sketch_join(s, MN_OP_MIX, second,
                      sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, 2, 2, 2, 2}));
}

static void check_supernet(void (*body)(sketch *)) {
  sketch s;
  const mn_graph *graph = finish_net(&s, body);
  const toy y = toy_make(s.arena, ITEMS, 7 * 6 * 3, 5, 9);
  gate_values g;
  const mn_gates gates = gates_make(&g, graph);
  check_graph(graph, &y.batch, &gates, MN_LOSS_CROSS_ENTROPY, "supernet");
  mn_pool *pool;
  assert_int_equal(mn_pool_create(&pool, 2), MN_OK);
  mn_trainer *t = make(graph, NULL, MN_LOSS_CROSS_ENTROPY, pool);
  for (int32_t op = 0; op < graph->op_count; op++) {
    for (int32_t k = 0; k < 2 && graph->ops[op].kind == MN_OP_MIX; k++)
      check_gate(t, &y.batch, &gates, &g.mix[op][k], &g.mix_gradient[op][k], "mix", op, k);
    for (int32_t c = 0; c < 14 && g.mask_of[op] != NULL; c += 5)
      check_gate(t, &y.batch, &gates, &g.mask[op][c], &g.mask_gradient[op][c], "mask", op, c);
  }
  mn_trainer_destroy(t);
  mn_pool_destroy(pool);
  mn_arena_destroy(s.arena);
}

static void net_masked_expansion(sketch *s) {
  sketch_conv(s, 3, (layer){8, 3, 3, 1, 1, relu});
  sketch_conv(s, 8, (layer){40, 1, 1, 1, 1, relu6});
  sketch_depthwise(s, (layer){40, 3, 3, 2, 2, relu});
  sketch_conv(s, 40, (layer){20, 1, 1, 1, 1, none});
}

static void gradients_of_masks_and_mixes_should_match_finite_differences(void **state) {
  (void)state;
  check_supernet(net_supernet);
  remakes = true;
  check_supernet(net_masked_expansion);
  remakes = false;
}

/* 0 and 1 only: the wide network with closed channels must be the narrow one. */
static const mn_graph *chain(sketch *s, int32_t width) {
  *s = sketch_begin(7, 6, 3);
  sketch_conv(s, 3, (layer){width, 3, 3, 1, 1, relu, .name = "a"});
  sketch_depthwise(s, (layer){width, 3, 3, 2, 2, relu6, .name = "b"});
  sketch_conv(s, width, (layer){width + 3, 1, 1, 1, 1, relu, .name = "c"});
  sketch_depthwise(s, (layer){width + 3, 3, 3, 1, 1, none, .name = "d"});
  sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, 4, 3, 1, 1, .valid = true});
  sketch_conv(s, width + 3, (layer){5, 1, 1, 1, 1, .no_norm = true, .name = "e"});
  return sketch_finish(s);
}

static void closed_channels_should_leave_exactly_the_narrower_network(void **state) {
  (void)state;
  enum { WIDE = 30, NARROW = 13 };
  sketch s, n;
  const mn_graph *wide = chain(&s, WIDE), *narrow = chain(&n, NARROW);
  mn_pool *pool;
  assert_int_equal(mn_pool_create(&pool, 2), MN_OK);
  mn_trainer *from = make(wide, NULL, MN_LOSS_CROSS_ENTROPY, pool);
  mn_trainer *to = make(narrow, NULL, MN_LOSS_CROSS_ENTROPY, pool);
  mn_rng rng = mn_rng_seed(4);
  for (int32_t i = 0; i < from->parameter_count;
       i++) { /* beta too: a closed channel must not show it */
    mn_parameter *p = &from->parameters[i];
    for (int32_t o = 0; p->kind == MN_PARAMETER_BIAS && o < p->outer; o++)
      p->value[o] = (float)mn_rng_normal(&rng);
  }
  mn_error error = {{0}};
  int32_t layers;
  assert_ok(mn_trainer_inherit(to, &layers, from, &error), &error);
  assert_int_equal(layers, 5);
  gate_values g;
  const mn_gates gates = gates_make(&g, wide);
  for (int32_t c = 0; c < WIDEST; c++) {
    g.mask[0][c] = c < NARROW ? 1.0f : 0.0f;
    g.mask[2][c] = c < NARROW + 3 ? 1.0f : 0.0f;
  }
  const toy y = toy_make(s.arena, ITEMS, 7 * 6 * 3, 5, 9);
  const double expected = loss_of(to, &y.batch, NULL), found = loss_of(from, &y.batch, &gates);
  if (fabs(found - expected) > 1e-5) fail_msg("loss %g, of the narrow network %g", found, expected);
  mn_trainer_destroy(from), mn_trainer_destroy(to);
  mn_pool_destroy(pool);
  mn_arena_destroy(s.arena), mn_arena_destroy(n.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_of_every_unit_should_match_finite_differences),
      cmocka_unit_test(gradients_through_a_map_made_anew_should_match_finite_differences),
      cmocka_unit_test(gradients_of_the_mean_squared_head_should_match_finite_differences),
      cmocka_unit_test(gradients_of_a_taught_and_weighted_loss_should_match_finite_differences),
      cmocka_unit_test(gradients_of_masks_and_mixes_should_match_finite_differences),
      cmocka_unit_test(closed_channels_should_leave_exactly_the_narrower_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
