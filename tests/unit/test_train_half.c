/* Products with factors of 16 bits: kernels of every instruction set against doubles on rounded factors,
 * gradients of whole networks beside those of float, which processors multiply so.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "train/half.h"
#include "train_support.h"

enum { MOST = 80 };

static const mn_arithmetic kinds[] = {MN_ARITHMETIC_BF16, MN_ARITHMETIC_INT16};

typedef void check(const mn_lanes *lanes, const mn_half *half);

/* In both arithmetics, on every set of instructions that runs here. */
static void on_all(check *run) {
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  for (size_t i = 0; i < MN_COUNT(isas); i++) {
    const mn_lanes *lanes = mn_lanes_get(isas[i]);
    if (lanes == NULL) {
      print_message("%s: this processor has none of it; left out\n", isas[i]);
      continue;
    }
    for (size_t k = 0; k < MN_COUNT(kinds); k++) run(lanes, mn_half_get(lanes, kinds[k]));
  }
}

static float number(mn_rng *rng) {
  return (float)mn_rng_normal(rng);
}

/* A bf16 as it is, an int16 without its scale. */
static double widened(const mn_half *half, uint16_t bits) {
  union {
    uint32_t bits;
    float value;
  } u = {(uint32_t)bits << 16};
  return half->arithmetic == MN_ARITHMETIC_BF16 ? (double)u.value : (double)(int16_t)bits;
}

static uint16_t rounded(const mn_half *half, float x, float inverse) {
  return half->arithmetic == MN_ARITHMETIC_BF16 ? mn_bf16_round(x) : mn_int16_round(x, inverse);
}

/* ---- Rounding -----------------------------------------------------------------------------------*/
static void bf16_should_be_the_nearest_and_ties_even(void **state) {
  (void)state;
  const mn_half *half = mn_half_get(mn_lanes_get("portable"), MN_ARITHMETIC_BF16);
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
    if (widened(half, mn_bf16_round(cases[i].x)) != (double)cases[i].expected)
      fail_msg("%a became %a, expected %a", (double)cases[i].x,
               widened(half, mn_bf16_round(cases[i].x)), (double)cases[i].expected);
}

static void int16_should_be_the_nearest_and_ties_even(void **state) {
  (void)state;
  static const struct {
    float x;
    int expected;
  } cases[] = {{1.0f, 4},     {0.1f, 0},   {0.125f, 0},      {0.375f, 2},
               {-0.375f, -2}, {-1.0f, -4}, {1e9f, 32767},    {-1e9f, -32767},
               {0.625f, 2},   {0.626f, 3}, {8191.75f, 32767}};
  for (size_t i = 0; i < MN_COUNT(cases); i++)
    assert_int_equal((int16_t)mn_int16_round(cases[i].x, 4.0f), cases[i].expected);
}

/* The greatest magnitude becomes the greatest factor; none and what is not finite have no factors. */
static void scales_should_follow_the_greatest_magnitude(void **state) {
  (void)state;
  const mn_half_scale s = mn_half_scale_of(mn_magnitude(-6.0f), 3000.0f);
  assert_true(s.scale == 0.002f && s.inverse == 500.0f);
  const mn_half_scale none = mn_half_scale_of(mn_magnitude(-0.0f), 3000.0f);
  assert_true(none.scale == 0 && none.inverse == 0);
  assert_true(isnan(mn_half_scale_of(mn_magnitude(INFINITY), 3000.0f).scale));
  assert_true(isnan(mn_half_scale_of(mn_magnitude(NAN), 3000.0f).scale));
}

/* 2^31 is above the sum of the greatest products. */
static void sums_of_the_greatest_factors_should_not_overflow(void **state) {
  (void)state;
  for (int32_t depth = 2; depth < 70000; depth += depth < 300 ? 2 : 1234) {
    mn_value y = {.stride = 16};
    const mn_unit u = {.depth = depth, .block = 24, .output = &y};
    const double most = (double)mn_half_most(&u), longest = depth < 24 ? 24 : depth;
    assert_true(most * most * longest < 0x1p31);
    assert_true(most == 32767 || (most + 1) * (most + 1) * longest > 0x1p31 * 0.999);
  }
}

enum { ROWS = 5, WIDE = 48, APART = 64 };
#define GREATEST 2500.0f

/* The factors that these floats, of so many channels in rows so far apart, should have become. */
static void assert_factors(const mn_half *half, const uint16_t *got, float scale,
                           const float *floats, int channels, int apart) {
  uint32_t magnitude = 0;
  for (int i = 0; i < ROWS * channels; i++) {
    const uint32_t x = mn_magnitude(floats[i / channels * apart + i % channels]);
    if (x > magnitude) magnitude = x;
  }
  const mn_half_scale s = mn_half_scale_of(magnitude, GREATEST);
  assert_true(scale == (half->arithmetic == MN_ARITHMETIC_BF16 ? 1.0f : s.scale));
  for (int i = 0; i < ROWS * channels; i++) {
    const int at = i / channels * apart + i % channels;
    if (half->arithmetic == MN_ARITHMETIC_BF16)
      assert_int_equal(got[at], mn_bf16_round(floats[at]));
    else if (fabs((double)(int16_t)got[at] - (double)floats[at] * (double)s.inverse) > 0.501)
      fail_msg("%g became %d", (double)(floats[at] * s.inverse), (int16_t)got[at]);
  }
}

static void check_read(const mn_lanes *lanes, const mn_half *half) {
  static float z[ROWS * WIDE], expected[ROWS * APART], scale[WIDE], shift[WIDE], low[WIDE],
      high[WIDE];
  static uint16_t got[ROWS * APART];
  mn_rng rng = mn_rng_seed(3);
  for (int i = 0; i < ROWS * WIDE; i++) z[i] = number(&rng);
  for (int c = 0; c < WIDE; c++)
    scale[c] = number(&rng), shift[c] = number(&rng), low[c] = -0.5f, high[c] = 1.5f;
  const mn_view views[] = {{.scale = NULL},
                           {scale, shift, low, high, 0, 0, false},
                           {scale, shift, low, high, 0.0625f, 16, false}};
  for (size_t k = 0; k < MN_COUNT(views); k++)
    for (int32_t channels = 16; channels <= WIDE; channels += 16) {
      const mn_walk w = {
          .rows = ROWS, .lines = 1, .channels = channels, .from_row = channels, .to_row = APART};
      lanes->read(expected, z, &views[k], &w);
      const float of = half->read(got, z, &views[k], &w, GREATEST);
      assert_factors(half, got, of, expected, channels, APART);
    }
}

static void check_unnormalize(const mn_lanes *lanes, const mn_half *half) {
  static float g[ROWS * WIDE], z[ROWS * WIDE], k[3][WIDE], expected[ROWS * WIDE];
  static uint16_t got[ROWS * WIDE];
  mn_rng rng = mn_rng_seed(4);
  for (int i = 0; i < ROWS * WIDE; i++) g[i] = number(&rng), z[i] = number(&rng);
  for (int i = 0; i < 3 * WIDE; i++) k[i / WIDE][i % WIDE] = number(&rng);
  const mn_unnormalize u = {k[0], k[1], k[2], false};
  const mn_walk w = {.rows = ROWS, .lines = 1, .channels = WIDE, .from_row = WIDE, .to_row = WIDE};
  lanes->unnormalize(expected, g, z, &u, &w);
  const float of = half->unnormalize(got, g, z, &u, ROWS, WIDE, GREATEST);
  assert_factors(half, got, of, expected, WIDE, WIDE);
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
static const shape shapes[] = {{1, 1, 1},   {5, 2, 7},   {6, 4, 8},   {13, 3, 33},
                               {7, 5, 40},  {24, 4, 9},  {17, 6, 75}, {8, 1, 2},
                               {32, 1, 32}, {70, 4, 79}, {67, 7, 64}};

static float b[MOST * 16 * 8], c[MOST * 16 * 8];
static uint16_t half_a[MOST * (MOST + 1)], half_b[MOST * 16 * 8];
static uint32_t woven_a[MOST * MOST], pairs_b[MOST * 16 * 8];
/* Of factors made here: 1 / 512, which leaves sums exact; of bf16 1. */
static float scale_of(const mn_half *half) {
  return half->arithmetic == MN_ARITHMETIC_BF16 ? 1.0f : 0x1p-9f;
}

static void fill(const mn_half *half, mn_rng *rng, int32_t n) {
  for (int i = 0; i < MOST * MOST; i++) half_a[i] = rounded(half, number(rng), 0x1p9f);
  for (int i = 0; i < MOST * n; i++) b[i] = number(rng), half_b[i] = rounded(half, b[i], 0x1p9f);
}

static void assert_near(double got, double expected, double size, const char *name, shape s) {
  if (fabs(got - expected) > 1e-5 * (1 + size))
    fail_msg("%s, %dx%dx%d: %.9g, expected %.9g", name, s.m, s.vectors, s.k, got, expected);
}

/* 1 / scale of b's packed part. */
static float greatest_inverse(int32_t k, int32_t n, int32_t valid) {
  uint32_t magnitude = 0;
  for (int32_t i = 0; i < k * n; i++)
    if (i % n < valid && mn_magnitude(b[i]) > magnitude) magnitude = mn_magnitude(b[i]);
  return mn_half_scale_of(magnitude, GREATEST).inverse;
}

/* Rows of A times packed B, with sums of columns. The last of an odd number has a zero behind it. */
static void check_rows(const mn_half *half, int32_t lanes, shape s) {
  const int32_t n = s.vectors * lanes, valid = n - lanes / 2, even = (s.k + 1) / 2 * 2;
  mn_rng rng = mn_rng_seed((uint64_t)s.m);
  float sum[2][16 * 8] = {{0}};
  fill(half, &rng, n);
  for (int32_t i = 0; i < s.m && even > s.k; i++) half_a[i * even + s.k] = 0;
  const float of_b = half->pack(pairs_b, b, s.k, n, valid, n, 1, GREATEST);
  const float inverse =
      half->arithmetic == MN_ARITHMETIC_BF16 ? 1.0f : greatest_inverse(s.k, n, valid);
  half->gemm(&(mn_gemm){.m = s.m,
                        .n = n,
                        .k = even / 2,
                        .a = half_a,
                        .a_row = even / 2,
                        .a_column = 1,
                        .b = pairs_b,
                        .c = c,
                        .c_row = n,
                        .scale = scale_of(half) * of_b,
                        .sum = sum[0],
                        .square = sum[1]});
  for (int32_t j = 0; j < n; j++) {
    double total = 0, squares = 0;
    for (int32_t i = 0; i < s.m; i++) {
      double expected = 0, size = 0;
      for (int32_t k = 0; k < s.k && j < valid; k++) {
        const double part = (double)(scale_of(half) * of_b) * widened(half, half_a[i * even + k]) *
                            widened(half, rounded(half, b[k * n + j], inverse));
        expected += part, size += fabs(part);
      }
      assert_near((double)c[i * n + j], expected, size, half->name, s);
      total += (double)c[i * n + j], squares += pow((double)c[i * n + j], 2);
    }
    assert_near((double)sum[0][j], total, squares, half->name, s);
    assert_near((double)sum[1][j], squares, squares, half->name, s);
  }
}

/* A' times B along their rows, an odd number of them too, added to what is there. */
static void check_along_rows(const mn_lanes *table, const mn_half *half, shape s) {
  const int32_t n = s.vectors * table->lanes, stride = s.m + 3;
  const double scale = (double)scale_of(half) * (double)scale_of(half);
  mn_rng rng = mn_rng_seed((uint64_t)s.k);
  fill(half, &rng, n);
  for (int32_t i = 0; i < s.m * n; i++) c[i] = (float)(i % 7);
  table->weave(woven_a, half_a, s.k, stride);
  table->weave(pairs_b, half_b, s.k, n);
  half->gemm(&(mn_gemm){.m = s.m,
                        .n = n,
                        .k = (s.k + 1) / 2,
                        .a = woven_a,
                        .a_row = 1,
                        .a_column = stride,
                        .b = pairs_b,
                        .b_row = n,
                        .c = c,
                        .c_row = n,
                        .scale = (float)scale,
                        .accumulate = true});
  for (int32_t i = 0; i < s.m; i++)
    for (int32_t j = 0; j < n; j++) {
      double expected = (i * n + j) % 7, size = expected;
      for (int32_t k = 0; k < s.k; k++) {
        const double part =
            scale * widened(half, half_a[k * stride + i]) * widened(half, half_b[k * n + j]);
        expected += part, size += fabs(part);
      }
      assert_near((double)c[i * n + j], expected, size, half->name, s);
    }
}

static void check_products(const mn_lanes *lanes, const mn_half *half) {
  for (size_t i = 0; i < MN_COUNT(shapes); i++) {
    check_rows(half, lanes->lanes, shapes[i]);
    check_along_rows(lanes, half, shapes[i]);
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
                            int64_t quantize_from, mn_arithmetic arithmetic) {
  network n = {0};
  mn_error error = {{0}};
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_arena_create(&n.arena), MN_OK);
  assert_int_equal(mn_pool_create(&n.pool, 2), MN_OK);
  n.y = toy_make(n.arena, ITEMS - 3, features, classes, 5);
  config.pool = n.pool, config.batch = ITEMS, config.arithmetic = arithmetic;
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
static void pass_run(network *n, const mn_half *forward, const mn_half *backward) {
  mn_trainer *t = n->t;
  mn_engine_begin(t, &n->y.batch, NULL, true, true);
  t->half = forward;
  mn_engine_forward(t);
  (void)mn_loss_run(t);
  t->half = backward;
  for (int32_t i = 0; i < t->unit_count; i++) mn_unit_prepare_weights(t, &t->units[i]);
  mn_engine_backward(t);
}

/* What the last pass left: all raw outputs, all gradients of weights. */
static float *outputs_of(const network *n, int32_t value, int64_t *count) {
  const mn_value *v = &n->t->values[value];
  *count = v->pixels * v->stride * n->y.batch.items;
  float *to = mn_arena_array(n->arena, (size_t)*count, sizeof *to);
  const mn_view plain = {.compact = v->compact};
  const mn_walk w = {.rows = v->pixels * n->y.batch.items,
                     .lines = 1,
                     .channels = v->stride,
                     .from_row = v->stride,
                     .to_row = v->stride};
  n->t->lanes->read(to, v->z, &plain, &w);
  return to;
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

/* A bf16 is off by 2^-9 of itself at most, an int16 by 2^-11 of the greatest; what reaches a tensor is more, as
 * layers add theirs. */
static double beside(double off, const char *name, int32_t which) {
  if (off > 0.02) fail_msg("%s, %d: %g apart", name, which, off);
  return off;
}

static void check_forward(network *n, const mn_half *half, const char *name) {
  float **z = mn_arena_array(n->arena, (size_t)n->t->value_count, sizeof *z);
  int64_t count;
  double most = 0;
  pass_run(n, half, NULL);
  for (int32_t i = 0; i < n->t->value_count; i++) z[i] = outputs_of(n, i, &count);
  pass_run(n, NULL, NULL);
  for (int32_t i = 1; i < n->t->value_count; i++) {
    const float *expected = outputs_of(n, i, &count);
    most = fmax(most, beside(apart(z[i], expected, count), name, i));
  }
  assert_true(n->t->quantized ? most == 0 : most > 0);
}

static void check_backward(network *n, const mn_half *half, const char *name) {
  const mn_parameter *p = n->t->parameters;
  float **gradient = mn_arena_array(n->arena, (size_t)n->t->parameter_count, sizeof *gradient);
  int64_t count;
  double most = 0;
  pass_run(n, half, half);
  for (int32_t i = 0; i < n->t->parameter_count; i++)
    if (p[i].kind == MN_PARAMETER_WEIGHTS) gradient[i] = gradient_of(n, i, &count);
  pass_run(n, half, NULL);
  for (int32_t i = 0; i < n->t->parameter_count; i++) {
    if (p[i].kind != MN_PARAMETER_WEIGHTS) continue;
    const float *expected = gradient_of(n, i, &count);
    most = fmax(most, beside(apart(gradient[i], expected, count), name, i));
  }
  assert_true(most > 0);
}

static void check_network(const mn_graph *graph, int64_t features, int32_t classes,
                          int64_t quantize_from, const char *name) {
  for (size_t k = 0; k < MN_COUNT(kinds); k++) {
    network n = network_make(graph, features, classes, quantize_from, kinds[k]);
    const mn_half *half = n.t->half;
    assert_int_equal(half->arithmetic, kinds[k]);
    check_forward(&n, half, name);
    check_backward(&n, half, name);
    network_free(&n);
  }
}

static void gradients_of_a_ds_cnn_should_be_near_those_of_float(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = sketch_ds_cnn(&s, 37, 2, 2, 1, 5); /* odd numbers of channels */
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
  sketch_conv(&s, 35, (layer){34, 1, 1, 2, 2, relu});
  sketch_reshape(&s, (mn_shape){2, {1, 6 * 5 * 34}});
  sketch_dense(&s, 6 * 5 * 34, (layer){33, .activation = relu});
  sketch_dense(&s, 33, (layer){5, .no_norm = true});
  const mn_graph *graph = sketch_finish(&s);
  check_network(graph, 11 * 9 * 3, 5, -1, "patches");
  check_network(graph, 11 * 9 * 3, 5, 0, "patches in 8 bits");
  mn_arena_destroy(s.arena);
}

/* Products on the inputs, which lie in memory as they came, and those of few outputs stay in float. */
static void gradients_of_dense_layers_should_be_near_those_of_float(void **state) {
  (void)state;
  sketch s = sketch_begin(1, 1, 33);
  sketch_reshape(&s, (mn_shape){2, {1, 33}});
  sketch_dense(&s, 33, (layer){40, .activation = MN_ACTIVATION_RELU});
  sketch_dense(&s, 40, (layer){36, .activation = MN_ACTIVATION_RELU});
  sketch_dense(&s, 36, (layer){4, .no_norm = true});
  check_network(sketch_finish(&s), 33, 4, -1, "dense");
  mn_arena_destroy(s.arena);
}

/* ---- The choice ------------------------------------------------------------------------------------*/
/* What the kernel of the operating system tells of the processor, in the line that starts with `field`. */
static bool told_of(const char *field, const char *word) {
  FILE *file = fopen("/proc/cpuinfo", "r");
  char line[8192];
  bool found = false;
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
    found = strncmp(line, field, strlen(field)) == 0 && strstr(line, word) != NULL;
  if (file != NULL) fclose(file);
  return found;
}

static void auto_should_be_the_fastest(void **state) {
  (void)state;
  const bool wide = mn_lanes_get("avx512") != NULL;
  const bool bf16 = wide && told_of("flags", "avx512_bf16");
  const bool int16 = wide && told_of("flags", "avx512_vnni");
  const bool amd = told_of("vendor_id", "AuthenticAMD");
  const bool amx = bf16 && mn_amx_get();
  assert_true(!amx || told_of("flags", "amx_bf16"));
  if (!amx) print_message("no tiles of AMX here: sim.amx tests their kernels on an emulator\n");
  if (!bf16) print_message("no AVX512_BF16 here: its kernels are not tested\n");
  if (!int16) print_message("no AVX512_VNNI here: its kernels are not tested\n");
  assert_int_equal(mn_arithmetic_of("auto"), amx || (bf16 && amd) ? MN_ARITHMETIC_BF16
                                             : int16              ? MN_ARITHMETIC_INT16
                                                                  : MN_ARITHMETIC_FLOAT32);
  const mn_lanes *best = mn_lanes_get(NULL);
  assert_string_equal(mn_half_get(best, MN_ARITHMETIC_BF16)->name, amx    ? "avx512amx"
                                                                   : bf16 ? "avx512bf16"
                                                                          : best->name);
  assert_string_equal(mn_half_get(best, MN_ARITHMETIC_INT16)->name,
                      int16 ? "avx512vnni" : best->name);
}

static void arithmetics_should_be_known_by_name(void **state) {
  (void)state;
  for (uint32_t i = 0; i < MN_ARITHMETICS; i++)
    assert_int_equal(mn_arithmetic_of(mn_arithmetic_name((mn_arithmetic)i)), i);
  const mn_lanes *portable = mn_lanes_get("portable");
  assert_null(mn_half_get(portable, MN_ARITHMETIC_FLOAT32));
  for (size_t k = 0; k < MN_COUNT(kinds); k++)
    assert_string_equal(mn_half_get(portable, kinds[k])->name, "portable");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bf16_should_be_the_nearest_and_ties_even),
      cmocka_unit_test(int16_should_be_the_nearest_and_ties_even),
      cmocka_unit_test(scales_should_follow_the_greatest_magnitude),
      cmocka_unit_test(sums_of_the_greatest_factors_should_not_overflow),
      cmocka_unit_test(rows_should_be_floats_rows_rounded),
      cmocka_unit_test(products_should_be_those_of_doubles_on_rounded_factors),
      cmocka_unit_test(gradients_of_a_ds_cnn_should_be_near_those_of_float),
      cmocka_unit_test(gradients_of_patches_should_be_near_those_of_float),
      cmocka_unit_test(gradients_of_dense_layers_should_be_near_those_of_float),
      cmocka_unit_test(auto_should_be_the_fastest),
      cmocka_unit_test(arithmetics_should_be_known_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
