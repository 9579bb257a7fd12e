/* Compact values: half floats and bf16 by their definition, kernels on them against the same kernels on floats
 * of the same value, and which values are compact when.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/half.h"
#include "train_support.h"

enum { ROWS = 13, WIDE = 80, COUNT = ROWS * WIDE };

typedef void check(const mn_lanes *lanes);

static void on_all(check *run) {
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  for (size_t i = 0; i < MN_COUNT(isas); i++) {
    const mn_lanes *lanes = mn_lanes_get(isas[i]);
    if (lanes != NULL)
      run(lanes);
    else
      print_message("%s: this processor has none of it; left out\n", isas[i]);
  }
}

/* ---- Half floats and bf16 -------------------------------------------------------------------------*/
/* Numbers of so many bits of precision, no power of 2 below `least`; ties to even. */
static double nearest(double x, int bits, int least, double greatest) {
  if (x == 0 || isinf(x)) return x;
  int e = ilogb(x);
  if (e < least) e = least;
  const double unit = ldexp(1, e - bits + 1), q = nearbyint(x / unit) * unit;
  return fabs(q) > greatest ? copysign(INFINITY, x) : q;
}

static double half_of(double x) {
  return nearest(x, 11, -14, 65504);
}
static double bf16_of(double x) {
  return nearest(x, 8, -126, 0x1.fep127);
}

static double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
  return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25));
}

static void check_every_half(const mn_lanes *lanes) {
  static uint16_t half[65536];
  static float got[65536];
  for (int i = 0; i < 65536; i++) half[i] = (uint16_t)i;
  lanes->widen(got, half, MN_FORM_HALF, 65536);
  for (int i = 0; i < 65536; i++) {
    const double expected = half_value((uint16_t)i);
    if (isnan(expected)
            ? !isnan(got[i])
            : (double)got[i] != expected || (signbit(got[i]) != 0) != (signbit(expected) != 0))
      fail_msg("%s: half %04x became %a, expected %a", lanes->name, (unsigned)i, (double)got[i],
               expected);
  }
}

static void every_half_float_should_be_the_float_it_stands_for(void **state) {
  (void)state;
  on_all(check_every_half);
}

/* Of all sizes, and half way between two half floats or bf16. */
static void check_rounding(const mn_lanes *lanes) {
  enum { N = 32768 };
  static float x[N], half[N], bf16[N];
  static uint16_t stored[N];
  mn_rng rng = mn_rng_seed(11);
  for (int i = 0; i < N; i++) {
    const double size = ldexp(1, (int)(mn_rng_uniform(&rng) * 48) - 28);
    const int bits = 8 + i % 5;
    x[i] = (float)(mn_rng_normal(&rng) * size);
    if (i % 2 == 0) x[i] = (float)(rint((double)x[i] / size * (1 << bits)) * size / (1 << bits));
  }
  x[0] = 65504, x[1] = 65519, x[2] = 65520, x[3] = -INFINITY, x[4] = -0.0f, x[5] = 0x1p-25f;
  x[6] = 0x1.8p-25f, x[7] = 0x1.ffcp-15f, x[8] = 0x1.ffep-15f, x[9] = 1e30f;
  lanes->scale(stored, MN_FORM_HALF, x, 1, false, N);
  lanes->widen(half, stored, MN_FORM_HALF, N);
  lanes->scale(stored, MN_FORM_BF16, x, 1, false, N);
  lanes->widen(bf16, stored, MN_FORM_BF16, N);
  for (int i = 0; i < N; i++) {
    if ((double)half[i] != half_of((double)x[i]) || (double)bf16[i] != bf16_of((double)x[i]))
      fail_msg("%s: %a became %a and %a", lanes->name, (double)x[i], (double)half[i],
               (double)bf16[i]);
  }
}

static void check_nan(const mn_lanes *lanes) {
  float x[16], back[16];
  uint16_t stored[16];
  for (int i = 0; i < 16; i++) x[i] = i % 2 == 0 ? NAN : -NAN;
  for (mn_form form = MN_FORM_HALF; form <= MN_FORM_BF16; form++) {
    lanes->scale(stored, form, x, 1, false, 16);
    lanes->widen(back, stored, form, 16);
    for (int i = 0; i < 16; i++) assert_true(isnan(back[i]));
  }
}

static void floats_should_become_the_nearest(void **state) {
  (void)state;
  on_all(check_rounding);
  on_all(check_nan);
}

/* ---- Kernels --------------------------------------------------------------------------------------*/
static float per_channel[9][WIDE];

static void normals(float *to, size_t count, mn_rng *rng) {
  for (size_t i = 0; i < count; i++) to[i] = (float)mn_rng_normal(rng);
}

/* The same numbers as floats and compact. */
typedef struct numbers {
  float z[COUNT], g[COUNT];
  uint16_t half[COUNT], bf16[COUNT];
} numbers;

static numbers numbers_make(const mn_lanes *lanes, uint64_t seed) {
  numbers n;
  mn_rng rng = mn_rng_seed(seed);
  for (int i = 0; i < COUNT; i++)
    n.z[i] = (float)mn_rng_normal(&rng), n.g[i] = (float)mn_rng_normal(&rng);
  lanes->scale(n.half, MN_FORM_HALF, n.z, 1, false, COUNT);
  lanes->widen(n.z, n.half, MN_FORM_HALF, COUNT);
  lanes->scale(n.bf16, MN_FORM_BF16, n.g, 1, false, COUNT);
  lanes->widen(n.g, n.bf16, MN_FORM_BF16, COUNT);
  for (int i = 0; i < 9 * WIDE; i++)
    per_channel[i / WIDE][i % WIDE] = 0.5f + 0.25f * (float)mn_rng_normal(&rng);
  return n;
}

static mn_view view_make(bool plain, bool compact) {
  if (plain) return (mn_view){.compact = compact};
  return (mn_view){.scale = per_channel[0],
                   .shift = per_channel[1],
                   .low = per_channel[2],
                   .high = per_channel[3],
                   .compact = compact};
}

static void check_read(const mn_lanes *lanes) {
  const numbers n = numbers_make(lanes, 1);
  static float expected[COUNT], got[COUNT];
  for (int32_t channels = 16; channels <= WIDE; channels += 16)
    for (int plain = 0; plain < 2; plain++) {
      const mn_view floats = view_make(plain, false), compact = view_make(plain, true);
      const mn_walk w = {.rows = ROWS / 2,
                         .lines = 2,
                         .channels = channels,
                         .from_row = channels,
                         .from_line = ROWS / 2 * channels,
                         .to_row = WIDE,
                         .to_line = ROWS / 2 * WIDE};
      memset(expected, 0, sizeof expected), memset(got, 0, sizeof got);
      lanes->read(expected, n.z, &floats, &w);
      lanes->read(got, n.half, &compact, &w);
      assert_memory_equal(got, expected, sizeof got);
    }
}

static void check_unnormalize(const mn_lanes *lanes) {
  const numbers n = numbers_make(lanes, 2);
  static float expected[COUNT], got[COUNT];
  mn_unnormalize k = {per_channel[0], per_channel[1], per_channel[2], false};
  for (int32_t channels = 16; channels <= WIDE; channels += 16) {
    const mn_walk w = {
        .rows = ROWS, .lines = 1, .channels = channels, .from_row = channels, .to_row = channels};
    k.compact = false;
    lanes->unnormalize(expected, n.g, n.z, &k, &w);
    k.compact = true;
    lanes->unnormalize(got, n.bf16, n.half, &k, &w);
    assert_memory_equal(got, expected, (size_t)(ROWS * channels) * sizeof *got);
  }
}

static void check_factors(const mn_lanes *lanes) {
  const numbers n = numbers_make(lanes, 3);
  static uint16_t expected[COUNT], got[COUNT];
  for (mn_arithmetic kind = MN_ARITHMETIC_BF16; kind <= MN_ARITHMETIC_INT16; kind++) {
    const mn_half *half = mn_half_get(lanes, kind);
    const mn_walk w = {
        .rows = ROWS, .lines = 1, .channels = WIDE, .from_row = WIDE, .to_row = WIDE};
    for (int plain = 0; plain < 2; plain++) {
      const mn_view floats = view_make(plain, false), compact = view_make(plain, true);
      const float scale = half->read(expected, n.z, &floats, &w, 2500);
      assert_true(half->read(got, n.half, &compact, &w, 2500) == scale);
      assert_memory_equal(got, expected, sizeof got);
    }
    mn_unnormalize k = {per_channel[0], per_channel[1], per_channel[2], false};
    const float scale = half->unnormalize(expected, n.g, n.z, &k, ROWS, WIDE, 2500);
    k.compact = true;
    assert_true(half->unnormalize(got, n.bf16, n.half, &k, ROWS, WIDE, 2500) == scale);
    assert_memory_equal(got, expected, sizeof got);
  }
}

/* What was stored in 16 bits is what was stored in floats, rounded. */
static void assert_rounded(const mn_lanes *lanes, const uint16_t *got, mn_form form,
                           const float *expected) {
  static uint16_t rounded[COUNT];
  lanes->scale(rounded, form, expected, 1, false, COUNT);
  assert_memory_equal(got, rounded, sizeof rounded);
}

typedef struct sums {
  double sum[WIDE], dot[WIDE], open[WIDE], unused[WIDE];
} sums;

static mn_finish finish_make(sums *s, bool masked, bool compact) {
  *s = (sums){{0}};
  return (mn_finish){.view = view_make(false, compact),
                     .mask = masked ? per_channel[4] : NULL,
                     .raw_scale = per_channel[5],
                     .raw_shift = per_channel[6],
                     .raw_low = per_channel[2],
                     .raw_high = per_channel[3],
                     .sum = s->sum,
                     .dot = s->dot,
                     .open = s->open,
                     .error = s->unused,
                     .above = s->unused,
                     .below = s->unused};
}

static void check_finish(const mn_lanes *lanes) {
  for (int masked = 0; masked < 2; masked++) {
    numbers n = numbers_make(lanes, 4);
    sums expected, got;
    for (int c = 0; c < WIDE; c++) per_channel[3][c] = per_channel[2][c] + 2;
    mn_finish f = finish_make(&expected, masked, false);
    lanes->finish(n.g, n.z, &f, ROWS, WIDE);
    f = finish_make(&got, masked, true);
    lanes->finish(n.bf16, n.half, &f, ROWS, WIDE);
    assert_rounded(lanes, n.bf16, MN_FORM_BF16, n.g);
    assert_memory_equal(&got, &expected, sizeof got);
    assert_true(got.sum[3] != 0 && (got.open[3] != 0) == masked);
  }
}

static void check_sums_of_rows(const mn_lanes *lanes) {
  numbers n = numbers_make(lanes, 5);
  static uint16_t half[COUNT];
  static float expected[COUNT];
  lanes->combine(expected, MN_FORM_FLOAT, n.z, 0.75f, n.g, -1.5f, COUNT);
  lanes->combine(half, MN_FORM_HALF, n.z, 0.75f, n.g, -1.5f, COUNT);
  assert_rounded(lanes, half, MN_FORM_HALF, expected);
  lanes->scale(n.g, MN_FORM_FLOAT, n.z, 0.3f, true, COUNT);
  lanes->scale(n.bf16, MN_FORM_BF16, n.z, 0.3f, true, COUNT);
  assert_rounded(lanes, n.bf16, MN_FORM_BF16, n.g);
}

/* C in every form, as batch norm's input and as a gradient that grows. */
static void check_product(const mn_lanes *lanes) {
  enum { DEPTH = 7 };
  numbers n = numbers_make(lanes, 6);
  static float a[ROWS * DEPTH], b[DEPTH * WIDE], sum[4][WIDE];
  mn_rng rng = mn_rng_seed(7);
  normals(a, MN_COUNT(a), &rng);
  normals(b, MN_COUNT(b), &rng);
  memset(sum, 0, sizeof sum);
  mn_gemm g = {.m = ROWS,
               .n = WIDE,
               .k = DEPTH,
               .a = a,
               .a_row = DEPTH,
               .a_column = 1,
               .b = b,
               .b_row = WIDE,
               .c = n.z,
               .c_row = WIDE,
               .sum = sum[0],
               .square = sum[1]};
  lanes->gemm(&g);
  g.c = n.half, g.form = MN_FORM_HALF, g.sum = sum[2], g.square = sum[3];
  lanes->gemm(&g);
  assert_rounded(lanes, n.half, MN_FORM_HALF, n.z);
  assert_memory_equal(sum[2], sum[0], 2 * sizeof *sum);
  g.accumulate = true, g.sum = NULL;
  g.c = n.g, g.form = MN_FORM_FLOAT;
  lanes->gemm(&g);
  g.c = n.bf16, g.form = MN_FORM_BF16;
  lanes->gemm(&g);
  assert_rounded(lanes, n.bf16, MN_FORM_BF16, n.g);
}

/* Kernels with and without code of their own; the plane is all ROWS * WIDE. */
static void check_depthwise(const mn_lanes *lanes, int32_t kernel_h, int32_t kernel_w) {
  enum { SIDE = 6, CHANNELS = 16 };
  static float plane[SIDE * SIDE * CHANNELS], weights[25 * CHANNELS], sum[4][CHANNELS];
  numbers n = numbers_make(lanes, 8);
  mn_rng rng = mn_rng_seed(9);
  normals(plane, MN_COUNT(plane), &rng);
  normals(weights, MN_COUNT(weights), &rng);
  memset(sum, 0, sizeof sum);
  mn_plane p = {.channels = CHANNELS,
                .stride = CHANNELS,
                .width = SIDE,
                .out_h = SIDE - kernel_h + 1,
                .out_w = SIDE - kernel_w + 1,
                .kernel_h = kernel_h,
                .kernel_w = kernel_w,
                .stride_h = 1,
                .stride_w = 1,
                .dilation_h = 1,
                .dilation_w = 1,
                .weight_row = kernel_w * CHANNELS,
                .weight_tap = CHANNELS};
  const ptrdiff_t line = (ptrdiff_t)p.out_w * CHANNELS;
  lanes->depthwise(n.z, CHANNELS, line, plane, weights, &p, sum[0], sum[1]);
  p.form = MN_FORM_HALF;
  lanes->depthwise(n.half, CHANNELS, line, plane, weights, &p, sum[2], sum[3]);
  assert_rounded(lanes, n.half, MN_FORM_HALF, n.z);
  assert_memory_equal(sum[2], sum[0], sizeof *sum);
  /* gcc 14 joins v * v and the sum of squares in one of the two kernels only: the last bits differ. */
  for (int i = 0; i < CHANNELS; i++)
    if (fabsf(sum[3][i] - sum[1][i]) > 1e-6f * sum[1][i])
      fail_msg("%s: squares %.9g, expected %.9g", lanes->name, (double)sum[3][i],
               (double)sum[1][i]);
  p.accumulate = true, p.form = MN_FORM_FLOAT;
  lanes->depthwise(n.g, CHANNELS, line, plane, weights, &p, NULL, NULL);
  p.form = MN_FORM_BF16;
  lanes->depthwise(n.bf16, CHANNELS, line, plane, weights, &p, NULL, NULL);
  assert_rounded(lanes, n.bf16, MN_FORM_BF16, n.g);
}

static void check_depthwises(const mn_lanes *lanes) {
  check_depthwise(lanes, 3, 3);
  check_depthwise(lanes, 2, 2);
  check_depthwise(lanes, 5, 5);
}

static void kernels_should_see_the_numbers_that_compact_values_stand_for(void **state) {
  (void)state;
  on_all(check_read);
  on_all(check_unnormalize);
  on_all(check_factors);
}

static void kernels_should_store_what_they_store_in_floats_rounded(void **state) {
  (void)state;
  on_all(check_finish);
  on_all(check_sums_of_rows);
  on_all(check_product);
  on_all(check_depthwises);
}

/* ---- Whole networks -------------------------------------------------------------------------------*/
enum { ITEMS = 24 };

typedef struct network {
  sketch s;
  mn_pool *pool;
  mn_trainer *t;
  toy y;
} network;

/* conv, average pool, conv, skip around a conv, max pool, conv, classifier. */
static network network_make(mn_arithmetic arithmetic, int64_t quantize_from, const char *isa) {
  network n = {.s = sketch_begin(9, 8, 3)};
  mn_error error = {{0}};
  sketch *s = &n.s;
  const mn_activation relu = MN_ACTIVATION_RELU;
  sketch_conv(s, 3, (layer){32, 3, 3, 1, 1, relu, .name = "first"});
  sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, 2, 2, 2, 2, .valid = true, .name = "average"});
  const mn_tensor_id on = sketch_conv(s, 32, (layer){32, 1, 1, 1, 1, relu, .name = "second"});
  const mn_tensor_id off = sketch_depthwise(s, (layer){32, 3, 3, 1, 1, relu, .name = "third"});
  sketch_add(
      s, (mn_op){.kind = MN_OP_ADD, .name = "add", .inputs = 2, .input = {on, off, -1, -1, -1}});
  sketch_conv(s, 32, (layer){33, 1, 1, 1, 1, relu, .name = "fourth"});
  sketch_pool(s, MN_OP_MAX_POOL_2D, (layer){0, 2, 2, 2, 2, .name = "max"});
  sketch_conv(s, 33, (layer){5, 2, 2, 1, 1, .no_norm = true, .valid = true, .name = "scores"});
  sketch_reshape(s, (mn_shape){2, {1, 5}});
  const mn_graph *graph = sketch_finish(s);
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_pool_create(&n.pool, 2), MN_OK);
  n.y = toy_make(s->arena, ITEMS, 9 * 8 * 3, 5, 5);
  config.pool = n.pool, config.batch = ITEMS, config.arithmetic = arithmetic, config.isa = isa;
  config.quantize_from = quantize_from;
  assert_ok(mn_trainer_create(&n.t, graph, &config, &error), &error);
  return n;
}

static void network_free(network *n) {
  mn_trainer_destroy(n->t);
  mn_pool_destroy(n->pool);
  mn_arena_destroy(n->s.arena);
}

static void assert_compact(const network *n, const char *const *names) {
  for (int32_t i = 0; i < n->t->unit_count; i++) {
    const char *name = n->t->graph->ops[n->t->units[i].op].name;
    bool expected = false;
    for (const char *const *at = names; *at != NULL; at++) expected |= strcmp(name, *at) == 0;
    if (n->t->units[i].output->compact != expected)
      fail_msg("%s is %scompact", name, expected ? "not " : "");
  }
}

/* In training steps that are not quantized yet, and where the products take 16 bits too: not what the max pool
 * writes, z or g, nor the scores. */
static void values_should_be_compact_while_training_in_16_bits(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  for (mn_arithmetic kind = MN_ARITHMETIC_FLOAT32; kind <= MN_ARITHMETIC_INT16; kind++) {
    network n = network_make(kind, 2, NULL);
    mn_error error = {{0}};
    double loss;
    float scores[ITEMS * 5];
    const char *const all[] = {"first", "average", "second", "third", "add", NULL};
    assert_ok(mn_trainer_step(n.t, &loss, &n.y.batch, NULL, true, &error), &error);
    assert_compact(&n, kind == MN_ARITHMETIC_FLOAT32 ? none : all);
    assert_ok(mn_trainer_scores(n.t, scores, &n.y.batch, NULL, &error), &error);
    assert_compact(&n, none);
    for (int i = 0; i < 2; i++)
      assert_ok(mn_trainer_step(n.t, &loss, &n.y.batch, NULL, true, &error), &error);
    assert_compact(&n, none); /* in 8 bits */
    network_free(&n);
  }
}

/* |x - y| / |y| */
static double apart(const float *x, const float *y, int64_t count) {
  double off = 0, length = 0;
  for (int64_t i = 0; i < count; i++)
    off += pow((double)x[i] - (double)y[i], 2), length += pow((double)y[i], 2);
  return sqrt(off / length);
}

static float *gradients_of(network *n, int32_t parameter) {
  const mn_parameter *p = &n->t->parameters[parameter];
  float *to = mn_arena_array(n->s.arena, 2 * (size_t)p->count, sizeof *to);
  mn_parameter_gradient(n->t, p, to, to + p->count);
  return to;
}

static void pass_run(network *n) {
  mn_engine_begin(n->t, &n->y.batch, NULL, true, true);
  mn_engine_forward(n->t);
  (void)mn_loss_run(n->t);
  mn_engine_backward(n->t);
}

/* A bf16 is off by 2^-9 of itself at most, every layer adds its own, and a few items change sides at a relu or
 * in the max pool. */
static void gradients_through_compact_values_should_be_near_those_of_float(void **state) {
  (void)state;
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  for (size_t k = 0; k < MN_COUNT(isas); k++) {
    if (mn_lanes_get(isas[k]) == NULL) continue;
    network floats = network_make(MN_ARITHMETIC_FLOAT32, -1, isas[k]);
    network compact = network_make(MN_ARITHMETIC_INT16, -1, isas[k]);
    pass_run(&floats), pass_run(&compact);
    for (int32_t i = 0; i < floats.t->parameter_count; i++) {
      const mn_parameter *p = &floats.t->parameters[i];
      if (p->kind != MN_PARAMETER_WEIGHTS) continue;
      const double off =
          apart(gradients_of(&compact, i), gradients_of(&floats, i), mn_parameter_size(p));
      if (!(off > 0 && off < 0.05)) fail_msg("%s, %s: %g apart", isas[k], p->op, off);
    }
    network_free(&floats), network_free(&compact);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_half_float_should_be_the_float_it_stands_for),
      cmocka_unit_test(floats_should_become_the_nearest),
      cmocka_unit_test(kernels_should_see_the_numbers_that_compact_values_stand_for),
      cmocka_unit_test(kernels_should_store_what_they_store_in_floats_rounded),
      cmocka_unit_test(values_should_be_compact_while_training_in_16_bits),
      cmocka_unit_test(gradients_through_compact_values_should_be_near_those_of_float),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
