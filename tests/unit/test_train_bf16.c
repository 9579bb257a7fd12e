/* Products with factors of bf16: kernels of every instruction set against doubles on rounded factors,
 * gradients of whole networks beside those of float, which processors multiply so.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "train/bf16.h"
#include "train_support.h"

enum { MOST = 80 };

typedef void check(const mn_lanes *lanes, const mn_bf16 *bf16);

/* On every set of instructions that runs here. */
static void on_all(check *run) {
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  for (size_t i = 0; i < MN_COUNT(isas); i++) {
    const mn_lanes *lanes = mn_lanes_get(isas[i]);
    if (lanes == NULL) {
      print_message("%s: this processor has none of it; left out\n", isas[i]);
      continue;
    }
    run(lanes, mn_bf16_get(lanes));
  }
}

static float number(mn_rng *rng) {
  return (float)mn_rng_normal(rng);
}

static double widened(uint16_t half) {
  union {
    uint32_t bits;
    float value;
  } u = {(uint32_t)half << 16};
  return (double)u.value;
}

static double rounded(float x) {
  return widened(mn_bf16_round(x));
}

/* ---- Rounding -----------------------------------------------------------------------------------*/
static void rounding_should_go_to_the_nearest_and_ties_to_even(void **state) {
  (void)state;
  static const struct {
    float x, expected;
  } cases[] = {{1.0f, 1.0f},
               {0x1.01p0f, 1.0f}, /* half way, 1 is even */
               {0x1.0101p0f, 0x1.02p0f},
               {0x1.03p0f, 0x1.04p0f}, /* half way, the other neighbour is even */
               {-0x1.01p0f, -1.0f},
               {0x1.ffp3f, 0x1p4f},
               {0.0f, 0.0f},
               {INFINITY, INFINITY}};
  for (size_t i = 0; i < MN_COUNT(cases); i++)
    if (rounded(cases[i].x) != (double)cases[i].expected)
      fail_msg("%a became %a, expected %a", (double)cases[i].x, rounded(cases[i].x),
               (double)cases[i].expected);
}

enum { ROWS = 5, WIDE = 48, APART = 64 };

static void check_read(const mn_lanes *lanes, const mn_bf16 *bf16) {
  static float z[ROWS * WIDE], expected[ROWS * APART], scale[WIDE], shift[WIDE], low[WIDE],
      high[WIDE];
  static uint16_t half[ROWS * APART];
  mn_rng rng = mn_rng_seed(3);
  for (int i = 0; i < ROWS * WIDE; i++) z[i] = number(&rng);
  for (int c = 0; c < WIDE; c++)
    scale[c] = number(&rng), shift[c] = number(&rng), low[c] = -0.5f, high[c] = 1.5f;
  const mn_view views[] = {
      {.scale = NULL}, {scale, shift, low, high, 0, 0}, {scale, shift, low, high, 0.0625f, 16}};
  for (size_t k = 0; k < MN_COUNT(views); k++)
    for (int32_t channels = 16; channels <= WIDE; channels += 16) {
      const mn_walk w = {
          .rows = ROWS, .lines = 1, .channels = channels, .from_row = channels, .to_row = APART};
      lanes->read(expected, z, &views[k], &w);
      bf16->read(half, z, &views[k], &w);
      for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < channels; c++)
          assert_int_equal(half[r * APART + c], mn_bf16_round(expected[r * APART + c]));
    }
}

static void check_unnormalize(const mn_lanes *lanes, const mn_bf16 *bf16) {
  static float g[ROWS * WIDE], z[ROWS * WIDE], k[3][WIDE], expected[ROWS * WIDE];
  static uint16_t half[ROWS * WIDE];
  mn_rng rng = mn_rng_seed(4);
  for (int i = 0; i < ROWS * WIDE; i++) g[i] = number(&rng), z[i] = number(&rng);
  for (int i = 0; i < 3 * WIDE; i++) k[i / WIDE][i % WIDE] = number(&rng);
  const mn_unnormalize u = {k[0], k[1], k[2]};
  const mn_walk w = {.rows = ROWS, .lines = 1, .channels = WIDE, .from_row = WIDE, .to_row = WIDE};
  lanes->unnormalize(expected, g, z, &u, &w);
  bf16->unnormalize(half, g, z, &u, ROWS, WIDE);
  for (int i = 0; i < ROWS * WIDE; i++) assert_int_equal(half[i], mn_bf16_round(expected[i]));
}

static void rows_should_be_floats_rows_rounded(void **state) {
  (void)state;
  on_all(check_read);
  on_all(check_unnormalize);
}

/* ---- Products -----------------------------------------------------------------------------------*/
typedef struct shape {
  int32_t m, vectors, k;
} shape;
static const shape shapes[] = {{1, 1, 1},  {5, 2, 7},  {6, 4, 8},   {13, 3, 33},
                               {7, 5, 40}, {24, 4, 9}, {17, 6, 75}, {8, 1, 2}};

static float a[MOST * MOST], b[MOST * 16 * 8], c[MOST * 16 * 8];
static uint16_t half_a[MOST * (MOST + 1)], half_b[MOST * 16 * 8];
static uint32_t woven_a[MOST * MOST], pairs_b[MOST * 16 * 8];

static void fill(mn_rng *rng, int32_t n) {
  for (int i = 0; i < MOST * MOST; i++) a[i] = number(rng), half_a[i] = mn_bf16_round(a[i]);
  for (int i = 0; i < MOST * n; i++) b[i] = number(rng), half_b[i] = mn_bf16_round(b[i]);
}

static void assert_near(double got, double expected, double size, const char *name, shape s) {
  if (fabs(got - expected) > 1e-5 * (1 + size))
    fail_msg("%s, %dx%dx%d: %.9g, expected %.9g", name, s.m, s.vectors, s.k, got, expected);
}

/* Rows of A times packed B, with sums of columns. The last of an odd number has a zero behind it. */
static void check_rows(const mn_bf16 *bf16, int32_t lanes, shape s) {
  const int32_t n = s.vectors * lanes, valid = n - lanes / 2, even = (s.k + 1) / 2 * 2;
  mn_rng rng = mn_rng_seed((uint64_t)s.m);
  float sum[2][16 * 8] = {{0}};
  fill(&rng, n);
  for (int32_t i = 0; i < s.m && even > s.k; i++) half_a[i * even + s.k] = 0;
  bf16->pack(pairs_b, b, s.k, n, valid, n, 1);
  bf16->gemm(&(mn_gemm){.m = s.m,
                        .n = n,
                        .k = even / 2,
                        .a = half_a,
                        .a_row = even / 2,
                        .a_column = 1,
                        .b = pairs_b,
                        .c = c,
                        .c_row = n,
                        .sum = sum[0],
                        .square = sum[1]});
  for (int32_t j = 0; j < n; j++) {
    double total = 0, squares = 0;
    for (int32_t i = 0; i < s.m; i++) {
      double expected = 0, size = 0;
      for (int32_t k = 0; k < s.k && j < valid; k++) {
        const double part = widened(half_a[i * even + k]) * rounded(b[k * n + j]);
        expected += part, size += fabs(part);
      }
      assert_near((double)c[i * n + j], expected, size, bf16->name, s);
      total += (double)c[i * n + j], squares += pow((double)c[i * n + j], 2);
    }
    assert_near((double)sum[0][j], total, squares, bf16->name, s);
    assert_near((double)sum[1][j], squares, squares, bf16->name, s);
  }
}

/* A' times B along their rows, an odd number of them too, added to what is there. */
static void check_along_rows(const mn_bf16 *bf16, int32_t lanes, shape s) {
  const int32_t n = s.vectors * lanes, stride = s.m + 3;
  mn_rng rng = mn_rng_seed((uint64_t)s.k);
  fill(&rng, n);
  for (int32_t i = 0; i < s.m * n; i++) c[i] = (float)(i % 7);
  bf16->weave(woven_a, half_a, s.k, stride);
  bf16->weave(pairs_b, half_b, s.k, n);
  bf16->gemm(&(mn_gemm){.m = s.m,
                        .n = n,
                        .k = (s.k + 1) / 2,
                        .a = woven_a,
                        .a_row = 1,
                        .a_column = stride,
                        .b = pairs_b,
                        .b_row = n,
                        .c = c,
                        .c_row = n,
                        .accumulate = true});
  for (int32_t i = 0; i < s.m; i++)
    for (int32_t j = 0; j < n; j++) {
      double expected = (i * n + j) % 7, size = expected;
      for (int32_t k = 0; k < s.k; k++) {
        const double part = widened(half_a[k * stride + i]) * widened(half_b[k * n + j]);
        expected += part, size += fabs(part);
      }
      assert_near((double)c[i * n + j], expected, size, bf16->name, s);
    }
}

static void check_products(const mn_lanes *lanes, const mn_bf16 *bf16) {
  for (size_t i = 0; i < MN_COUNT(shapes); i++) {
    check_rows(bf16, lanes->lanes, shapes[i]);
    check_along_rows(bf16, lanes->lanes, shapes[i]);
  }
}

static void products_should_be_those_of_doubles_on_rounded_factors(void **state) {
  (void)state;
  on_all(check_products);
}

/* ---- Whole networks -------------------------------------------------------------------------------*/
enum { ITEMS = 40 };

typedef struct network {
  mn_arena *arena;
  mn_pool *pool;
  mn_trainer *t;
  toy y;
} network;

static network network_make(const mn_graph *graph, int64_t features, int32_t classes,
                            int64_t quantize_from) {
  network n = {0};
  mn_error error = {{0}};
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_arena_create(&n.arena), MN_OK);
  assert_int_equal(mn_pool_create(&n.pool, 2), MN_OK);
  n.y = toy_make(n.arena, ITEMS - 3, features, classes, 5);
  config.pool = n.pool, config.batch = ITEMS, config.arithmetic = MN_ARITHMETIC_BF16;
  config.quantize_from = quantize_from;
  assert_ok(mn_trainer_create(&n.t, graph, &config, &error), &error);
  double loss;
  assert_ok(mn_trainer_step(n.t, &loss, &n.y.batch, NULL, true, &error), &error);
  return n;
}

static void network_free(network *n) {
  mn_trainer_destroy(n->t);
  mn_pool_destroy(n->pool);
  mn_arena_destroy(n->arena);
}

/* One pass in the arithmetics given; NULL: float. */
static void pass_run(network *n, const mn_bf16 *forward, const mn_bf16 *backward) {
  mn_trainer *t = n->t;
  mn_engine_begin(t, &n->y.batch, NULL, true, true);
  t->bf16 = forward;
  mn_engine_forward(t);
  (void)mn_loss_run(t);
  t->bf16 = backward;
  for (int32_t i = 0; i < t->unit_count; i++) mn_unit_prepare_weights(t, &t->units[i]);
  mn_engine_backward(t);
}

/* What the last pass left: all raw outputs, all gradients of weights. */
static float *outputs_of(const network *n, int32_t value, int64_t *count) {
  const mn_value *v = &n->t->values[value];
  *count = v->pixels * v->stride * n->y.batch.items;
  return mn_arena_copy(n->arena, v->z, (size_t)*count * sizeof *v->z);
}

static float *gradient_of(const network *n, int32_t parameter, int64_t *count) {
  const mn_parameter *p = &n->t->parameters[parameter];
  float *to = mn_arena_array(n->arena, 2 * (size_t)p->count, sizeof *to);
  *count = mn_parameter_size(p);
  mn_parameter_gradient(n->t, p, to, to + p->count);
  return to;
}

/* |x - y| / |y| */
static double apart(const float *x, const float *y, int64_t count) {
  double off = 0, length = 0;
  for (int64_t i = 0; i < count; i++)
    off += pow((double)x[i] - (double)y[i], 2), length += pow((double)y[i], 2);
  return sqrt(off / length);
}

/* Factors are off by 2^-9 at most; what reaches a tensor is more, as layers add theirs. */
static double beside(double off, const char *name, int32_t which) {
  if (off > 0.02) fail_msg("%s, %d: %g apart", name, which, off);
  return off;
}

static void check_forward(network *n, const mn_bf16 *bf16, const char *name) {
  float **z = mn_arena_array(n->arena, (size_t)n->t->value_count, sizeof *z);
  int64_t count;
  double most = 0;
  pass_run(n, bf16, NULL);
  for (int32_t i = 0; i < n->t->value_count; i++) z[i] = outputs_of(n, i, &count);
  pass_run(n, NULL, NULL);
  for (int32_t i = 1; i < n->t->value_count; i++) {
    const float *expected = outputs_of(n, i, &count);
    most = fmax(most, beside(apart(z[i], expected, count), name, i));
  }
  assert_true(n->t->quantized ? most == 0 : most > 0);
}

static void check_backward(network *n, const mn_bf16 *bf16, const char *name) {
  const mn_parameter *p = n->t->parameters;
  float **gradient = mn_arena_array(n->arena, (size_t)n->t->parameter_count, sizeof *gradient);
  int64_t count;
  double most = 0;
  pass_run(n, bf16, bf16);
  for (int32_t i = 0; i < n->t->parameter_count; i++)
    if (p[i].kind == MN_PARAMETER_WEIGHTS) gradient[i] = gradient_of(n, i, &count);
  pass_run(n, bf16, NULL);
  for (int32_t i = 0; i < n->t->parameter_count; i++) {
    if (p[i].kind != MN_PARAMETER_WEIGHTS) continue;
    const float *expected = gradient_of(n, i, &count);
    most = fmax(most, beside(apart(gradient[i], expected, count), name, i));
  }
  assert_true(most > 0);
}

static void check_network(const mn_graph *graph, int64_t features, int32_t classes,
                          int64_t quantize_from, const char *name) {
  network n = network_make(graph, features, classes, quantize_from);
  const mn_bf16 *bf16 = n.t->bf16;
  check_forward(&n, bf16, name);
  check_backward(&n, bf16, name);
  network_free(&n);
}

static void gradients_of_a_ds_cnn_should_be_near_those_of_float(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = sketch_ds_cnn(&s, 21, 2, 2, 1, 5); /* odd numbers of channels */
  check_network(graph, 490, 5, -1, "ds-cnn");
  check_network(graph, 490, 5, 0, "ds-cnn in 8 bits");
  mn_arena_destroy(s.arena);
}

/* Patches of an odd depth, dilated, strided; a 1x1 of stride 2; a dense layer over a whole map. */
static void gradients_of_patches_should_be_near_those_of_float(void **state) {
  (void)state;
  const mn_activation relu = MN_ACTIVATION_RELU;
  sketch s = sketch_begin(11, 9, 3);
  sketch_conv(&s, 3, (layer){19, 3, 3, 1, 1, relu});
  sketch_conv(&s, 19, (layer){35, 3, 3, 1, 1, relu, .dilation = 2});
  sketch_conv(&s, 35, (layer){18, 1, 1, 2, 2, relu});
  sketch_reshape(&s, (mn_shape){2, {1, 6 * 5 * 18}});
  sketch_dense(&s, 6 * 5 * 18, (layer){23, .activation = relu});
  sketch_dense(&s, 23, (layer){5, .no_norm = true});
  const mn_graph *graph = sketch_finish(&s);
  check_network(graph, 11 * 9 * 3, 5, -1, "patches");
  check_network(graph, 11 * 9 * 3, 5, 0, "patches in 8 bits");
  mn_arena_destroy(s.arena);
}

/* An odd number of inputs, which lie in memory as they came, cannot be paired. */
static void gradients_of_dense_layers_should_be_near_those_of_float(void **state) {
  (void)state;
  sketch s = sketch_begin(1, 1, 33);
  sketch_reshape(&s, (mn_shape){2, {1, 33}});
  sketch_dense(&s, 33, (layer){40, .activation = MN_ACTIVATION_RELU});
  sketch_dense(&s, 40, (layer){4, .no_norm = true});
  check_network(sketch_finish(&s), 33, 4, -1, "dense");
  mn_arena_destroy(s.arena);
}

/* ---- The choice ------------------------------------------------------------------------------------*/
/* What the kernel of the operating system tells of the processor. */
static bool told_of(const char *flag) {
  FILE *file = fopen("/proc/cpuinfo", "r");
  char line[8192];
  bool found = false;
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
    found = strncmp(line, "flags", 5) == 0 && strstr(line, flag) != NULL;
  if (file != NULL) fclose(file);
  return found;
}

static void auto_should_be_bf16_where_the_processor_multiplies_it(void **state) {
  (void)state;
  const bool expected = mn_lanes_get("avx512") != NULL && told_of("avx512_bf16");
  if (!expected) print_message("no AVX512_BF16 here: its kernels are not tested\n");
  assert_int_equal(mn_arithmetic_of("auto"), expected ? MN_ARITHMETIC_BF16 : MN_ARITHMETIC_FLOAT32);
  assert_int_equal(mn_arithmetic_of("bf16"), MN_ARITHMETIC_BF16);
  assert_int_equal(mn_arithmetic_of("float32"), MN_ARITHMETIC_FLOAT32);
  assert_string_equal(mn_bf16_get(mn_lanes_get(NULL))->name,
                      expected ? "avx512bf16" : mn_lanes_get(NULL)->name);
  assert_string_equal(mn_bf16_get(mn_lanes_get("portable"))->name, "portable");
  assert_string_equal(mn_arithmetic_name(MN_ARITHMETIC_BF16), "bf16");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rounding_should_go_to_the_nearest_and_ties_to_even),
      cmocka_unit_test(rows_should_be_floats_rows_rounded),
      cmocka_unit_test(products_should_be_those_of_doubles_on_rounded_factors),
      cmocka_unit_test(gradients_of_a_ds_cnn_should_be_near_those_of_float),
      cmocka_unit_test(gradients_of_patches_should_be_near_those_of_float),
      cmocka_unit_test(gradients_of_dense_layers_should_be_near_those_of_float),
      cmocka_unit_test(auto_should_be_bf16_where_the_processor_multiplies_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
