/* Requantization at its edges: the integer rule against its definition, and the vector units against
 * the integer rule.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/requantize.h"
#include "micronets/exec.h"
#include "plan/kernel_table.h"
#include "support.h"

/* TFLite's words: the doubled product's high half, rounded to nearest with ties away from the side of
 * its sign's nudge; then a division by 2^e rounded to nearest, ties away from zero. */
static int32_t defined(int32_t x, int32_t multiplier, int32_t shift) {
  int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
  int64_t product = (int64_t)(int32_t)((uint32_t)x << left) * multiplier;
  int64_t nudge = product >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30);
  int64_t high = (product + nudge) / ((int64_t)1 << 31);
  double scaled = (double)high / exp2(right); /* exact: 32 bits and a power of two */
  return (int32_t)(scaled < 0 ? -floor(-scaled + 0.5) : floor(scaled + 0.5));
}

static int32_t random_sum(mn_rng *rng) {
  static const int32_t edges[] = {0,       1,         -1, INT32_MAX, INT32_MIN, INT32_MIN + 1,
                                  1 << 30, -(1 << 30)};
  if (mn_rng_below(rng, 4) == 0) return edges[mn_rng_below(rng, MN_COUNT(edges))];
  return (int32_t)mn_rng_next(rng) >> mn_rng_below(rng, 31);
}

static void requantize_should_follow_its_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(5);
  for (int i = 0; i < 2000000; i++) {
    int32_t x = random_sum(&rng);
    int32_t multiplier = (int32_t)(((uint32_t)1 << 30) + mn_rng_below(&rng, 1u << 30));
    if (mn_rng_below(&rng, 50) == 0) multiplier = 0;
    int32_t shift = (int32_t)mn_rng_below(&rng, 62) - 31;
    int32_t got = mn_requantize(x, multiplier, shift), want = defined(x, multiplier, shift);
    if (got != want) fail_msg("%d * %d >> %d: %d, defined %d", x, multiplier, shift, got, want);
  }
}

/* ---- One layer with any bias and any scale -----------------------------------------------------*/
enum { OUTPUTS = 150, PRODUCT = 65536 }; /* the product joins the bias: the sum must not wrap */

static mn_tensor_id add_tensor(mn_builder *builder, mn_arena *arena, const char *name,
                               mn_dtype dtype, mn_shape shape, const void *data, const float *scale,
                               int32_t scales, int32_t zero_point) {
  int32_t *zero = mn_arena_array(arena, (size_t)scales, sizeof *zero);
  for (int32_t i = 0; i < scales; i++) zero[i] = zero_point;
  mn_tensor tensor = {.name = name,
                      .dtype = dtype,
                      .shape = shape,
                      .constant = data != NULL,
                      .data = data,
                      .quantization = {scales, 0, scale, zero}};
  if (data != NULL) tensor.data_bytes = mn_tensor_bytes(&tensor);
  mn_tensor_id id = -1;
  mn_error error = {{0}};
  assert_ok(mn_builder_tensor(builder, &id, &tensor, &error), &error);
  return id;
}

static const mn_graph *make_layer(mn_arena *arena, mn_rng *rng) {
  mn_builder *builder = NULL;
  mn_error error = {{0}};
  int8_t *weights = mn_arena_array(arena, OUTPUTS, 1);
  int32_t *bias = mn_arena_array(arena, OUTPUTS, sizeof *bias);
  float *scale = mn_arena_array(arena, OUTPUTS, sizeof *scale);
  float *one = mn_arena_array(arena, 1, sizeof *one);
  *one = 1;
  for (int32_t o = 0; o < OUTPUTS; o++) {
    weights[o] = (int8_t)((int32_t)mn_rng_below(rng, 255) - 127);
    bias[o] = mn_clamp(random_sum(rng), INT32_MIN + PRODUCT, INT32_MAX - PRODUCT);
    scale[o] = (float)exp2(mn_rng_range(rng, -33, 28));
  }
  assert_int_equal(mn_builder_create(&builder, arena), MN_OK);
  mn_op op = {
      .kind = MN_OP_FULLY_CONNECTED, .name = "layer", .inputs = 3, .origin = -1, .decision = -1};
  int32_t zero = (int32_t)mn_rng_below(rng, 256) - 128;
  mn_shape in = {2, {1, 1}}, out = {2, {1, OUTPUTS}}, matrix = {2, {OUTPUTS, 1}},
           vector = {1, {OUTPUTS}};
  op.input[0] = add_tensor(builder, arena, "x", MN_DTYPE_INT8, in, NULL, one, 1, zero);
  op.input[1] = add_tensor(builder, arena, "w", MN_DTYPE_INT8, matrix, weights, scale, OUTPUTS, 0);
  op.input[2] = add_tensor(builder, arena, "b", MN_DTYPE_INT32, vector, bias, scale, OUTPUTS, 0);
  op.output = add_tensor(builder, arena, "y", MN_DTYPE_INT8, out, NULL, one, 1, -zero / 2);
  assert_ok(mn_builder_add_checked(builder, &op, &error), &error);
  const mn_graph *graph = NULL;
  assert_ok(mn_builder_finish(&graph, builder, &op.input[0], 1, &op.output, 1, &error), &error);
  return graph;
}

static void run(int8_t *y, mn_arena *arena, const mn_graph *graph, const char *family, int8_t x) {
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  mn_error error = {{0}};
  mn_plan_options options = {.kernels = family};
  assert_ok(mn_plan_make(&plan, arena, graph, NULL, &options, &error), &error);
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  memcpy(mn_exec_input(exec, 0), &x, 1);
  mn_exec_run(exec, NULL);
  memcpy(y, mn_exec_output(exec, 0), OUTPUTS);
  mn_exec_destroy(exec);
}

static void vector_units_should_requantize_as_the_reference_at_any_scale_and_bias(void **state) {
  (void)state;
  static const char *const families[] = {"host", "avx2"};
  mn_rng rng = mn_rng_seed(6);
  int inside = 0;
  for (int i = 0; i < 300; i++) {
    mn_arena *arena = NULL;
    int8_t want[OUTPUTS], got[OUTPUTS];
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph = make_layer(arena, &rng);
    int8_t x = (int8_t)mn_rng_next(&rng);
    run(want, arena, graph, "ref", x);
    for (size_t f = 0; f < MN_COUNT(families); f++) {
      run(got, arena, graph, families[f], x);
      assert_memory_equal(got, want, OUTPUTS);
    }
    for (int32_t o = 0; o < OUTPUTS; o++) inside += want[o] > -128 && want[o] < 127;
    mn_arena_destroy(arena);
  }
  assert_true(inside > 5000); /* not all clamped */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requantize_should_follow_its_definition),
      cmocka_unit_test(vector_units_should_requantize_as_the_reference_at_any_scale_and_bias),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
