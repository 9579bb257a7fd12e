/* The plain, m0 and host kernels against the definition: odd shapes, windows, zero points and scales; whole,
 * by slabs of rows, and in one buffer where their rows of the table allow it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/outputs.h"
#include "kernels/requantize.h"
#include "kernel_check.h"

typedef struct layer {
  mn_op_kind kind;
  int32_t h, w, c, outputs; /* fully connected: h batch, c inputs */
  mn_window window;
  bool bias, per_channel;
  bool dead;     /* every other output channel has no weights */
  double factor; /* of the requantization, about */
} layer;

static int32_t pick(mn_rng *rng, int32_t low, int32_t high) {
  return low + (int32_t)mn_rng_below(rng, (uint32_t)(high - low + 1));
}

/* ---- A graph of one layer ------------------------------------------------------------------------*/
/* Output channel o without weights: a bias of any size, and a scale that may bring it down. */
static void make_dead(int8_t *weights, int32_t *bias, float *scale, const layer *l, int32_t o,
                      int64_t terms, mn_rng *rng) {
  bool depthwise = l->kind == MN_OP_DEPTHWISE_CONV_2D;
  for (int64_t k = 0; k < terms; k++) weights[depthwise ? k * l->outputs + o : o * terms + k] = 0;
  bias[o] = (int32_t)mn_rng_next(rng);
  scale[o] = (float)exp2(mn_rng_range(rng, -31, -20));
}

static mn_tensor_id add(mn_builder *builder, mn_arena *arena, const char *name, mn_shape shape,
                        const void *data, mn_dtype dtype, const float *scale, int32_t scales,
                        int32_t zero_point) {
  int32_t *zero = mn_arena_array(arena, (size_t)scales, sizeof *zero);
  for (int32_t i = 0; i < scales; i++) zero[i] = zero_point;
  mn_tensor tensor = {.name = name,
                      .dtype = dtype,
                      .shape = shape,
                      .constant = data != NULL,
                      .data = data,
                      .quantization = {scales, 0, scale, zero}};
  if (scales > 1 && shape.rank == 4 && shape.dim[0] == 1) tensor.quantization.axis = 3;
  if (data != NULL) tensor.data_bytes = mn_tensor_bytes(&tensor);
  mn_tensor_id id = -1;
  mn_error error = {{0}};
  assert_ok(mn_builder_tensor(builder, &id, &tensor, &error), &error);
  return id;
}

static const mn_graph *make(mn_arena *arena, const layer *l, mn_rng *rng) {
  mn_builder *builder = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_builder_create(&builder, arena), MN_OK);
  const mn_window *win = &l->window;
  bool fc = l->kind == MN_OP_FULLY_CONNECTED, depthwise = l->kind == MN_OP_DEPTHWISE_CONV_2D;
  mn_shape in = {4, {1, l->h, l->w, l->c}}, out = in,
           k = {4, {l->outputs, win->kernel_h, win->kernel_w, l->c}};
  if (depthwise) k = (mn_shape){4, {1, win->kernel_h, win->kernel_w, l->outputs}};
  if (fc) in = (mn_shape){2, {l->h, l->c}}, k = (mn_shape){2, {l->outputs, l->c}};
  out =
      fc ? (mn_shape){2, {l->h, l->outputs}}
         : (mn_shape){
               4,
               {1,
                mn_window_output(l->h, win->kernel_h, win->stride_h, win->dilation_h, win->padding),
                mn_window_output(l->w, win->kernel_w, win->stride_w, win->dilation_w, win->padding),
                l->outputs}};
  int64_t count = mn_shape_elements(&k);
  int8_t *weights = mn_arena_array(arena, (size_t)count, 1);
  int32_t *bias = mn_arena_array(arena, (size_t)l->outputs, sizeof *bias);
  float *scale = mn_arena_array(arena, (size_t)l->outputs, sizeof *scale);
  float *one = mn_arena_array(arena, 1, sizeof *one);
  *one = 1;
  int32_t extreme = pick(rng, 0, 3); /* all weights alike, or any */
  for (int64_t i = 0; i < count; i++)
    weights[i] = (int8_t)(extreme == 0 ? 127 : extreme == 1 ? -128 : pick(rng, -128, 127));
  for (int32_t o = 0; o < l->outputs; o++) {
    bias[o] = pick(rng, -30000, 30000);
    scale[o] = (float)(l->factor * exp2(mn_rng_range(rng, -2, 2)));
    if (o % 2 == 0 && l->dead) make_dead(weights, bias, scale, l, o, count / l->outputs, rng);
  }
  int32_t scales = l->per_channel ? l->outputs : 1;
  mn_op op = {.kind = l->kind,
              .name = "layer",
              .inputs = l->bias ? 3 : 2,
              .origin = -1,
              .decision = -1,
              .window = *win};
  for (int32_t i = 0; i < 5; i++) op.input[i] = -1;
  op.input[0] = add(builder, arena, "x", in, NULL, MN_DTYPE_INT8, one, 1, pick(rng, -128, 127));
  op.input[1] = add(builder, arena, "w", k, weights, MN_DTYPE_INT8, scale, scales,
                    fc && !l->per_channel ? pick(rng, -128, 127) : 0);
  if (l->bias)
    op.input[2] = add(builder, arena, "b", (mn_shape){1, {l->outputs}}, bias, MN_DTYPE_INT32, scale,
                      scales, 0);
  op.output = add(builder, arena, "y", out, NULL, MN_DTYPE_INT8, one, 1, pick(rng, -128, 127));
  assert_ok(mn_builder_add_checked(builder, &op, &error), &error);
  const mn_graph *graph = NULL;
  assert_ok(mn_builder_finish(&graph, builder, &op.input[0], 1, &op.output, 1, &error), &error);
  return graph;
}

/* Counts the rows of the families that ran; `second` may be NULL. */
static int run_families(const layer *l, uint64_t seed, const char *first, const char *second) {
  mn_arena *arena = NULL;
  mn_rng rng = mn_rng_seed(seed);
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  const mn_graph *graph = make(arena, l, &rng);
  int ran = kernel_check(arena, graph, first, &rng);
  if (second != NULL) ran += kernel_check(arena, graph, second, &rng);
  mn_arena_destroy(arena);
  return ran;
}

static int run_layer(const layer *l, uint64_t seed) {
  return run_families(l, seed, "plain", "m0");
}

/* ---- Outputs -------------------------------------------------------------------------------------*/
/* Sums with the bias, below 2^bits - 1000 in size. */
static void outputs_should_equal_requantize(mn_outputs_write *write, int32_t bits) {
  mn_rng rng = mn_rng_seed(3);
  for (int i = 0; i < 500000; i++) {
    int32_t sum = (int32_t)mn_rng_next(&rng) >> mn_rng_below(&rng, 32) >> (31 - bits);
    if (sum > INT32_MAX - 1000 || sum < -INT32_MAX + 1000) sum = 0;
    if (i % 50 == 0) sum = (int32_t)((1u << bits) - 1000) * (pick(&rng, 0, 1) ? 1 : -1);
    int32_t bias = pick(&rng, -1000, 1000), start = pick(&rng, -1000, 1000);
    int32_t multiplier = (int32_t)((1u << 30) + mn_rng_below(&rng, 1u << 30));
    if (i % 7 == 0) multiplier = 1 << 30;
    if (i % 200 == 0) multiplier = i % 400 == 0 ? 0 : INT32_MAX;
    int8_t shift = (int8_t)pick(&rng, -31, 30), got[3] = {0};
    if (shift >= 0) sum >>= shift + 1; /* no sum leaves 32 bits */
    mn_outputs q = {.bias = &bias,
                    .multiplier = &multiplier,
                    .shift = &shift,
                    .start = start,
                    .zero_point = pick(&rng, -128, 127),
                    .min = -128,
                    .max = 127,
                    .step = 2};
    int32_t sums[2] = {(int32_t)((uint32_t)sum - (uint32_t)bias - (uint32_t)start), 0};
    sums[1] = sums[0];
    write(&q, got, sums, 0, 1, 2);
    int32_t want = mn_clamp(mn_requantize(sum, multiplier, shift) + q.zero_point, q.min, q.max);
    if (got[0] != want || got[2] != want || got[1] != 0)
      fail_msg("%d * %d, shift %d: %d, defined %d", sum, multiplier, shift, got[0], want);
  }
}

static void outputs_should_equal_requantize_for_sums_below_2_to_30(void **state) {
  (void)state;
  outputs_should_equal_requantize(mn_outputs_write_plain, 30);
}

static void outputs_of_m0_should_equal_requantize_for_sums_below_2_to_29(void **state) {
  (void)state;
  outputs_should_equal_requantize(mn_outputs_write_m0, 29);
}

/* ---- Cases ---------------------------------------------------------------------------------------*/
static mn_window random_window(mn_rng *rng) {
  mn_window w = {.kernel_h = pick(rng, 1, 5),
                 .kernel_w = pick(rng, 1, 5),
                 .stride_h = pick(rng, 1, 3),
                 .stride_w = pick(rng, 1, 3),
                 .dilation_h = 1,
                 .dilation_w = 1,
                 .multiplier = 1,
                 .padding = pick(rng, 0, 1) ? MN_PADDING_SAME : MN_PADDING_VALID};
  if (pick(rng, 0, 3) == 0) w.dilation_h = pick(rng, 1, 3), w.dilation_w = pick(rng, 1, 3);
  if (w.dilation_h > 1 || w.dilation_w > 1) w.stride_h = w.stride_w = 1;
  return w;
}

static layer random_layer(mn_op_kind kind, mn_rng *rng) {
  layer l = {.kind = kind,
             .h = pick(rng, 13, 17),
             .w = pick(rng, 13, 17),
             .c = pick(rng, 1, 9),
             .outputs = pick(rng, 1, 9),
             .window = random_window(rng),
             .bias = pick(rng, 0, 3) > 0,
             .per_channel = pick(rng, 0, 1),
             .factor = exp2(mn_rng_range(rng, -12, 3))};
  if (kind == MN_OP_FULLY_CONNECTED) l.h = pick(rng, 1, 3), l.c = pick(rng, 1, 600);
  return l;
}

static void convolutions_should_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(11);
  int ran = 0;
  for (uint64_t i = 0; i < 150; i++) {
    layer l = random_layer(MN_OP_CONV_2D, &rng);
    ran += run_layer(&l, i);
  }
  assert_true(ran >= 300);
}

static void pointwise_ones_should_equal_it_over_their_own_input(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(12);
  int ran = 0;
  for (uint64_t i = 0; i < 100; i++) {
    layer l = random_layer(MN_OP_CONV_2D, &rng);
    l.window = (mn_window){1, 1, 1, 1, 1, 1, 1, MN_PADDING_SAME};
    l.h = pick(&rng, 1, 6), l.w = pick(&rng, 1, 6), l.c = pick(&rng, 1, 40),
    l.outputs = pick(&rng, 1, 40);
    ran += run_layer(&l, i);
  }
  assert_int_equal(ran, 400); /* two families, two rows each */
}

static void depthwise_ones_should_equal_it_over_their_own_input(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(13);
  int ran = 0;
  for (uint64_t i = 0; i < 200; i++) {
    layer l = random_layer(MN_OP_DEPTHWISE_CONV_2D, &rng);
    l.window.multiplier = i % 3 == 0 ? pick(&rng, 1, 4) : 1;
    if (i % 2 == 0) l.window.kernel_h = l.window.kernel_w = 3;
    if (i % 4 == 0) l.window.stride_h = l.window.stride_w = 1, l.window.padding = MN_PADDING_SAME;
    if (i % 8 == 0) l.w = pick(&rng, 3, 200), l.h = pick(&rng, 3, 40);
    l.outputs = l.c * l.window.multiplier;
    ran += run_layer(&l, i);
  }
  assert_true(ran > 400);
}

static void fully_connected_ones_should_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(14);
  int ran = 0;
  for (uint64_t i = 0; i < 100; i++) {
    layer l = random_layer(MN_OP_FULLY_CONNECTED, &rng);
    ran += run_layer(&l, i);
  }
  assert_int_equal(ran, 200);
}

static void channels_without_weights_may_have_any_bias(void **state) {
  (void)state;
  static const mn_op_kind kinds[] = {MN_OP_CONV_2D, MN_OP_DEPTHWISE_CONV_2D, MN_OP_FULLY_CONNECTED};
  mn_rng rng = mn_rng_seed(15);
  for (uint64_t i = 0; i < 60; i++) {
    layer l = random_layer(kinds[i % MN_COUNT(kinds)], &rng);
    l.c = l.outputs = pick(&rng, 2, 20);
    l.bias = l.per_channel = l.dead = true;
    l.window.multiplier = 1;
    assert_true(run_layer(&l, i) >= 2); /* both families take it */
  }
}

static void sums_of_many_terms_should_be_taken_apart_in_time(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(16);
  for (uint64_t i = 0; i < 12; i++) {
    layer l = {.kind = MN_OP_CONV_2D,
               .h = 3,
               .w = 4,
               .c = pick(&rng, 250, 600),
               .outputs = pick(&rng, 1, 9),
               .window = {1, 1, 1, 1, 1, 1, 1, MN_PADDING_SAME},
               .bias = true,
               .factor = 1e-4};
    assert_int_equal(run_layer(&l, i), 4);
    l.kind = MN_OP_FULLY_CONNECTED;
    l.outputs = pick(&rng, 1, 40);
    assert_int_equal(run_layer(&l, i), 2);
  }
}

static void m0_should_leave_sums_that_may_be_large_to_plain(void **state) {
  (void)state;
  layer l = {
      .kind = MN_OP_FULLY_CONNECTED, .h = 1, .w = 1, .c = 9000, .outputs = 3, .factor = 1e-7};
  assert_int_equal(run_layer(&l, 1), 1);
}

/* Channels that the vector kernels take 4 positions or several columns at a time for, and others. */
static void host_ones_should_equal_the_definition(void **state) {
  (void)state;
  static const mn_op_kind kinds[] = {MN_OP_CONV_2D, MN_OP_DEPTHWISE_CONV_2D, MN_OP_FULLY_CONNECTED};
  static const int32_t channels[] = {4, 8, 12, 16, 32, 64, 70};
  mn_rng rng = mn_rng_seed(15);
  int ran = 0;
  for (uint64_t i = 0; i < 300; i++) {
    layer l = random_layer(kinds[i % 3], &rng);
    l.factor = exp2(mn_rng_range(&rng, -14, -6));
    if (l.kind != MN_OP_CONV_2D || i % 2 == 0) l.c = channels[mn_rng_below(&rng, 7)];
    l.outputs = l.kind == MN_OP_DEPTHWISE_CONV_2D ? l.c : channels[mn_rng_below(&rng, 7)];
    ran += run_families(&l, i, "host", NULL);
  }
#if defined(__x86_64__)
  assert_true(ran > 200); /* each on the units that this machine has */
#else
  assert_int_equal(ran, 0);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(outputs_should_equal_requantize_for_sums_below_2_to_30),
      cmocka_unit_test(outputs_of_m0_should_equal_requantize_for_sums_below_2_to_29),
      cmocka_unit_test(convolutions_should_equal_the_definition),
      cmocka_unit_test(pointwise_ones_should_equal_it_over_their_own_input),
      cmocka_unit_test(depthwise_ones_should_equal_it_over_their_own_input),
      cmocka_unit_test(fully_connected_ones_should_equal_the_definition),
      cmocka_unit_test(host_ones_should_equal_the_definition),
      cmocka_unit_test(channels_without_weights_may_have_any_bias),
      cmocka_unit_test(sums_of_many_terms_should_be_taken_apart_in_time),
      cmocka_unit_test(m0_should_leave_sums_that_may_be_large_to_plain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
