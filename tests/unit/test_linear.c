/* Kernels without weights that are not the definition: ADD as a linear function, average pools by words,
 * PAD by stretches; each against the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernel_check.h"
#include "models.h"

#define SAME MN_PADDING_SAME
#define VALID MN_PADDING_VALID

static void check_found(const mn_graph *graph, const char *symbol) {
  const char *reason = NULL;
  const mn_kernel_row *row = mn_kernel_find(graph, &graph->ops[0], "dsp", &reason);
  assert_non_null(row);
  if (symbol != NULL) assert_string_equal(row->symbol, symbol);
}

static const mn_graph *freeze(mn_arena *arena, const mn_graph *bare, const mn_range *ranges) {
  const mn_graph *frozen = NULL;
  mn_error error = {{0}};
  assert_ok(mn_graph_freeze(&frozen, arena, bare, NULL, ranges, &error), &error);
  return frozen;
}

/* ---- ADD -----------------------------------------------------------------------------------*/
static const struct sum {
  float a, b, y;
  int32_t a_zero, b_zero, y_zero;
  mn_activation activation;
  const char *symbol; /* NULL: any */
} sums[] = {
    {0.0233107f, 0.0617213f, 0.0301954f, -128, 5, -128, MN_ACTIVATION_RELU, "mn_add_linear_s8_dsp"},
    {0.0952371f, 0.0532213f, 0.1000481f, 3, -8, 8, MN_ACTIVATION_NONE, "mn_add_linear_s8_dsp"},
    {0.1f, 0.1f, 0.1f, 0, 0, 0, MN_ACTIVATION_NONE, NULL},
    {0.1f, 0.1f, 0.2f, 127, -128, 0, MN_ACTIVATION_NONE, NULL},
    {0.01f, 0.1f, 0.09f, -20, 30, -7, MN_ACTIVATION_RELU, NULL},
    {0.1f, 0.03f, 0.09f, -128, 127, -128, MN_ACTIVATION_RELU6, NULL},
    {0.001f, 0.1f, 0.02f, -128, 127, 0, MN_ACTIVATION_NONE, NULL},
};

static void sums_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(1);
  int found = 0;
  for (size_t i = 0; i < MN_COUNT(sums) + 20; i++) {
    struct sum s = sums[i % MN_COUNT(sums)];
    if (i >= MN_COUNT(sums)) {
      s = (struct sum){(float)mn_rng_range(&rng, 0.01, 0.1),
                       (float)mn_rng_range(&rng, 0.01, 0.1),
                       (float)mn_rng_range(&rng, 0.02, 0.1),
                       0,
                       0,
                       0,
                       MN_ACTIVATION_NONE,
                       NULL};
      s.a_zero = (int32_t)mn_rng_below(&rng, 256) - 128;
      s.y_zero = (int32_t)mn_rng_below(&rng, 256) - 128;
    }
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x[2] = {model_input(&m, "a", (mn_shape){4, {1, 5, 7, 9}}),
                         model_input(&m, "b", (mn_shape){4, {1, 5, 7, 9}})};
    mn_tensor_id y = model_add(&m, "sum", x[0], x[1], s.activation);
    const mn_graph *bare = model_finish(&m, x, 2, &y, 1);
    mn_range *ranges = mn_arena_array(arena, (size_t)bare->tensor_count, sizeof *ranges);
    ranges[x[0]] = (mn_range){s.a, s.a_zero};
    ranges[x[1]] = (mn_range){s.b, s.b_zero};
    ranges[y] = (mn_range){s.y, s.y_zero};
    const mn_graph *graph = freeze(arena, bare, ranges);
    check_found(graph, s.symbol);
    for (int32_t round = 0; round < 3; round++)
      found += kernel_check(arena, graph, "dsp", &rng) > 0;
    mn_arena_destroy(arena);
  }
  assert_true(found > 60); /* of 81: a linear function is there for most scales */
}

/* ---- Pools, PAD ------------------------------------------------------------------------------*/
static const struct pool {
  int32_t h, w, c;
  mn_window window;
} pools[] = {
    {25, 5, 64, {25, 5, 1, 1, 1, 1, 1, VALID}}, {15, 17, 6, {15, 17, 1, 1, 1, 1, 1, VALID}},
    {6, 6, 7, {3, 3, 1, 1, 1, 1, 1, SAME}},     {7, 9, 5, {2, 3, 2, 2, 1, 1, 1, SAME}},
    {3, 3, 3, {3, 3, 3, 3, 1, 1, 1, VALID}},    {1, 1, 9, {1, 1, 1, 1, 1, 1, 1, VALID}},
};

static void average_pools_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(2);
  for (size_t i = 0; i < MN_COUNT(pools); i++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, pools[i].h, pools[i].w, pools[i].c}});
    mn_tensor_id y = model_pool(&m, "pool", x, MN_OP_AVERAGE_POOL_2D, pools[i].window);
    const mn_graph *graph = model_freeze(&m, model_finish(&m, &x, 1, &y, 1));
    check_found(graph, "mn_average_pool_2d_s8_dsp");
    for (int32_t round = 0; round < 4; round++) kernel_check(arena, graph, "dsp", &rng);
    mn_arena_destroy(arena);
  }
}

/* Rows are where they were: padding above and below is left to the tests of plans. */
static void pads_equal_the_definition(void **state) {
  (void)state;
  static const int32_t paddings[][8] = {{0, 0, 0, 0, 0, 0, 0, 12},
                                        {0, 0, 0, 0, 3, 2, 0, 0},
                                        {0, 0, 0, 0, 0, 1, 1, 1},
                                        {0, 0, 0, 0, 0, 0, 0, 0}};
  mn_rng rng = mn_rng_seed(3);
  for (size_t i = 0; i < MN_COUNT(paddings); i++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, 5, 4, 7}});
    mn_tensor_id y = model_pad(&m, "pad", x, paddings[i]);
    const mn_graph *graph = model_freeze(&m, model_finish(&m, &x, 1, &y, 1));
    check_found(graph, "mn_pad_s8_plain");
    kernel_check(arena, graph, "dsp", &rng);
    mn_arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_equal_the_definition),
      cmocka_unit_test(average_pools_equal_the_definition),
      cmocka_unit_test(pads_equal_the_definition),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
