/* Depthwise convolutions for Arm's DSP extension, run through plain C stand-ins of its instructions,
 * against the definition; and the fold of requantization against its rule.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernel_check.h"
#include "kernels/depthwise_3x3.h"
#include "kernels/dsp.h"
#include "kernels/requantize.h"
#include "models.h"
#include "plan/fold_requantize.h"

/* One layer: shapes, then numbers that decide which kernel takes it. */
typedef struct layer {
  int32_t h, w, c;
  mn_window window;
  mn_activation activation;
  int32_t x_zero, y_zero;
  float factor;       /* of the requantization, about: scales are spread around it */
  const char *symbol; /* of the row that is found first; NULL: one of another family of kernels */
} layer;

#define SAME MN_PADDING_SAME
#define VALID MN_PADDING_VALID
#define NONE MN_ACTIVATION_NONE
#define RELU MN_ACTIVATION_RELU
#define PLANES "mn_depthwise_3x3_s8_dsp"
#define ANY "mn_depthwise_conv_2d_s8_dsp"
#define PLAIN "mn_depthwise_conv_2d_s8_plain"

static const layer layers[] = {
    {25, 5, 8, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PLANES},
    {13, 5, 7, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.006f, PLANES},
    {48, 48, 3, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.02f, PLANES},
    {3, 3, 5, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, 5, -128, 0.004f, PLANES},
    {2, 2, 4, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -1, -128, 0.01f, PLANES},
    {1, 1, 3, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, 127, -128, 0.01f, PLANES},
    {1, 9, 2, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PLANES},
    {9, 1, 1, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PLANES},
    {7, 6, 2, {3, 3, 1, 1, 1, 1, 1, VALID}, RELU, 3, -128, 0.01f, PLANES},
    {3, 200, 2, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PLANES},
    {40, 21, 3, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.003f, PLANES},
    {49, 10, 6, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PLANES},
    {25, 10, 3, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, 0, -128, 0.01f, PLANES},
    {24, 24, 4, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, -128, -128, 0.02f, PLANES},
    {97, 96, 1, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, -1, -128, 0.02f, PLANES},
    {6, 7, 3, {3, 3, 2, 2, 1, 1, 1, VALID}, RELU, 9, -128, 0.02f, PLANES},
    {2, 1, 2, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, 9, -128, 0.02f, PLANES},
    {6, 5, 4, {3, 3, 1, 1, 1, 1, 1, SAME}, NONE, -128, 5, 0.004f, ANY},
    {6, 5, 4, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -7, 0.01f, ANY},
    {6, 5, 4, {3, 3, 1, 1, 1, 1, 1, SAME}, NONE, 7, 0, 1e-6f, PLANES},
    {5, 5, 2, {3, 3, 2, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, ANY},
    {5, 5, 2, {3, 3, 1, 1, 1, 1, 2, SAME}, RELU, -128, -128, 0.01f, ANY},
    {49, 40, 1, {10, 8, 2, 2, 1, 1, 8, SAME}, RELU, -11, -128, 0.001f, NULL},
    {30, 1, 5, {3, 1, 1, 1, 1, 1, 1, VALID}, NONE, -128, -3, 0.004f, ANY},
    {28, 1, 4, {5, 1, 1, 1, 1, 1, 1, VALID}, NONE, -128, -2, 0.004f, ANY},
    {24, 1, 3, {10, 1, 1, 1, 1, 1, 1, VALID}, NONE, -128, 11, 0.003f, ANY},
    {15, 1, 3, {15, 1, 1, 1, 1, 1, 1, VALID}, NONE, -128, -5, 0.003f, ANY},
    {9, 1, 3, {3, 1, 2, 1, 1, 1, 1, SAME}, NONE, -128, -5, 0.003f, ANY},
    {30, 33, 3, {5, 5, 1, 1, 1, 1, 1, SAME}, NONE, 3, 4, 0.002f, ANY},
    {11, 12, 2, {7, 4, 3, 2, 1, 1, 1, SAME}, RELU, 3, -100, 0.002f, ANY},
    {11, 12, 2, {2, 2, 2, 2, 1, 1, 3, VALID}, NONE, 3, -100, 0.01f, ANY},
    {11, 9, 2, {1, 1, 3, 3, 1, 1, 1, VALID}, NONE, 3, -100, 0.01f, ANY},
    {12, 9, 2, {3, 3, 1, 1, 3, 1, 1, SAME}, NONE, 3, -100, 0.01f, ANY},
    {5, 5, 2, {3, 3, 1, 1, 2, 2, 1, SAME}, RELU, -128, -128, 0.01f, PLAIN},
    {6, 5, 4, {3, 3, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 900.0f, PLAIN},
};

/* Weights that use all of [-127, 127]; scales per channel from half to twice the wanted factor. */
static mn_parameters parameters_of(mn_arena *arena, const mn_tensor *weights, float factor,
                                   mn_rng *rng) {
  int64_t count = mn_shape_elements(&weights->shape);
  int32_t outputs = weights->shape.dim[3];
  float *w = mn_arena_array(arena, (size_t)count, sizeof *w);
  float *bias = mn_arena_array(arena, (size_t)outputs, sizeof *bias);
  float *scale = mn_arena_array(arena, (size_t)outputs, sizeof *scale);
  for (int32_t o = 0; o < outputs; o++) {
    scale[o] = factor * (float)mn_rng_range(rng, 0.5, 2);
    bias[o] = scale[o] * (float)mn_rng_range(rng, -20000, 20000);
    for (int64_t i = o; i < count; i += outputs)
      w[i] = scale[o] * (float)((int32_t)mn_rng_below(rng, 255) - 127);
  }
  return (mn_parameters){w, bias, scale};
}

static const mn_graph *freeze(mn_arena *arena, const mn_graph *bare, const layer *l, mn_rng *rng) {
  const mn_tensor *weights = &bare->tensors[bare->ops[0].input[1]];
  mn_parameters parameters = parameters_of(arena, weights, l->factor, rng);
  mn_range *ranges = mn_arena_array(arena, (size_t)bare->tensor_count, sizeof *ranges);
  ranges[bare->ops[0].input[0]] = (mn_range){1.0f, l->x_zero};
  ranges[bare->ops[0].output] = (mn_range){1.0f, l->y_zero};
  const mn_graph *frozen = NULL;
  mn_error error = {{0}};
  assert_ok(mn_graph_freeze(&frozen, arena, bare, &parameters, ranges, &error), &error);
  return frozen;
}

static void depthwise_convolutions_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(1);
  for (size_t i = 0; i < MN_COUNT(layers); i++) {
    const layer *l = &layers[i];
    mn_arena *arena = NULL;
    const char *reason = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, l->h, l->w, l->c}});
    mn_tensor_id y = model_depthwise(&m, "depthwise", x, l->window, l->activation);
    const mn_graph *bare = model_finish(&m, &x, 1, &y, 1);
    for (int32_t round = 0; round < 4; round++) {
      const mn_graph *graph = freeze(arena, bare, l, &rng);
      const mn_kernel_row *row = mn_kernel_find(graph, &graph->ops[0], "dsp", &reason);
      if (l->symbol != NULL && strcmp(row->symbol, l->symbol) != 0)
        fail_msg("layer %zu: %s", i, row->symbol);
      kernel_check(arena, graph, "dsp", &rng);
    }
    mn_arena_destroy(arena);
  }
}

/* ---- Folding -------------------------------------------------------------------------------*/
static int32_t folded_output(const mn_folded *f, int64_t sum) {
  int32_t scaled = (int32_t)(sum * ((int64_t)1 << f->up)) + f->nudge;
  return mn_ssat8(mn_smmla(scaled, f->multiplier, f->offset) >> MN_FOLDED_SHIFT);
}

/* Every sum of a channel, for many channels. */
static void a_folded_requantization_equals_the_rule_for_every_sum(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(2);
  int folded = 0, tried = 0;
  for (int i = 0; i < 3000; i++) {
    mn_requantization r = {
        .multiplier = (1 << 30) + (int32_t)mn_rng_below(&rng, 1u << 30),
        .shift = -(int32_t)mn_rng_below(&rng, 14),
        .zero_point = i % 8 < 6 ? -128 : (int32_t)mn_rng_below(&rng, 256) - 128,
        .min = -128,
        .max = 127,
    };
    if (i % 50 == 0) r.multiplier = 1 << 30;
    r.low = -(int64_t)mn_rng_below(&rng, 3000);
    r.high = r.low + 1 + (int64_t)mn_rng_below(&rng, i % 10 == 0 ? 100000 : 4000);
    mn_folded f;
    tried += r.zero_point == -128;
    if (!mn_requantize_fold(&f, &r, 8)) continue;
    folded += r.zero_point == -128;
    for (int64_t s = r.low; s <= r.high; s++) {
      int32_t q = mn_requantize((int32_t)s, r.multiplier, r.shift) + r.zero_point;
      assert_int_equal(folded_output(&f, s), mn_clamp(q, -128, 127));
    }
  }
  assert_true(folded > tried * 3 / 4);
}

static void a_fold_refuses_what_it_cannot_hold(void **state) {
  (void)state;
  const mn_requantization good = {1 << 30, -6, -128, -128, 127, -1000, 100000};
  mn_folded f;
  assert_true(mn_requantize_fold(&f, &good, 8));
  mn_requantization bad = good;
  bad.shift = 1;
  assert_false(mn_requantize_fold(&f, &bad, 8));
  bad = good;
  bad.shift = -31;
  assert_false(mn_requantize_fold(&f, &bad, 8));
  bad = good;
  bad.max = 100;
  assert_false(mn_requantize_fold(&f, &bad, 8));
  bad = good;
  bad.high = (int64_t)1 << 31;
  assert_false(mn_requantize_fold(&f, &bad, 8));
  assert_false(mn_requantize_fold(&f, &good, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(depthwise_convolutions_equal_the_definition),
      cmocka_unit_test(a_folded_requantization_equals_the_rule_for_every_sum),
      cmocka_unit_test(a_fold_refuses_what_it_cannot_hold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
