/* Convolutions and fully connected layers for Arm's DSP extension, run through plain C stand-ins of its
 * instructions, against the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernel_check.h"
#include "kernels/matrix_dsp.h"
#include "kernels/matrix_sums_dsp.h"
#include "kernels/requantize.h"
#include "models.h"

/* One layer: shapes, then numbers that decide which kernel takes it. */
typedef struct layer {
  int32_t h, w, c, outputs;
  mn_window window;
  mn_activation activation;
  int32_t x_zero, y_zero;
  float factor;       /* of the requantization, about: scales are spread around it */
  const char *symbol; /* of the row that is found first */
} layer;

#define SAME MN_PADDING_SAME
#define VALID MN_PADDING_VALID
#define NONE MN_ACTIVATION_NONE
#define RELU MN_ACTIVATION_RELU
#define RELU6 MN_ACTIVATION_RELU6
#define PIXEL "mn_conv_2d_1x1_s8_dsp"
#define CONV "mn_conv_2d_s8_dsp"
#define VECTOR "mn_fully_connected_s8_dsp"
#define EXACT "mn_conv_2d_exact_s8_dsp"

static const layer convolutions[] = {
    {5, 5, 64, 64, {1, 1, 1, 1, 1, 1, 1, VALID}, NONE, 3, -7, 0.002f, PIXEL},
    {3, 3, 8, 16, {1, 1, 1, 1, 1, 1, 1, SAME}, RELU, -128, -128, 0.01f, PIXEL},
    {1, 1, 3, 1, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, 127, 127, 0.02f, VECTOR},
    {5, 3, 7, 6, {5, 3, 1, 1, 1, 1, 1, VALID}, RELU, -5, -128, 0.003f, VECTOR},
    {4, 7, 5, 7, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, -128, 100, 0.005f, PIXEL},
    {7, 1, 1, 9, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, 0, 0, 0.2f, PIXEL},
    {2, 9, 33, 6, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, 12, -128, 1e-6f, PIXEL},
    {3, 3, 400, 5, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, 1, -1, 0.0005f, PIXEL},
    {5, 5, 6, 4, {1, 1, 2, 2, 1, 1, 1, SAME}, NONE, -3, 4, 0.01f, CONV},
    {49, 10, 1, 8, {10, 4, 2, 2, 1, 1, 1, SAME}, RELU, 83, -128, 0.003f, CONV},
    {9, 8, 3, 8, {3, 3, 2, 2, 1, 1, 1, SAME}, RELU, -1, -128, 0.01f, CONV},
    {6, 7, 5, 5, {3, 3, 1, 1, 1, 1, 1, SAME}, NONE, 127, 5, 0.004f, CONV},
    {6, 5, 16, 16, {3, 3, 1, 1, 1, 1, 1, SAME}, NONE, -128, 9, 0.002f, CONV},
    {7, 7, 2, 3, {2, 5, 3, 1, 1, 1, 1, VALID}, NONE, 9, 9, 0.01f, CONV},
    {9, 4, 4, 6, {3, 2, 1, 1, 2, 1, 1, SAME}, NONE, 30, -30, 0.01f, CONV},
    {3, 2, 4, 2, {5, 7, 1, 1, 1, 1, 1, SAME}, NONE, -100, 0, 0.002f, CONV},
    {4, 4, 8, 6, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, 5, -5, 3.0f, EXACT},
    {4, 5, 8, 6, {3, 3, 1, 1, 1, 1, 1, SAME}, NONE, 5, -5, 1e-9f, EXACT},
    {4, 5, 3, 7, {3, 3, 2, 1, 1, 1, 1, SAME}, RELU6, 5, -5, 0.01f, EXACT},
    {4, 4, 2, 5, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, -128, 127, 700.0f, EXACT},
    {5, 6, 4, 4, {3, 3, 1, 1, 1, 2, 1, SAME}, NONE, 0, 0, 0.01f, "mn_conv_2d_s8_plain"},
    {2, 2, 1200, 4, {1, 1, 1, 1, 1, 1, 1, SAME}, NONE, -128, 0, 1e-4f, "mn_conv_2d_s8_plain"},
};

/* Weights that use all of [-127, 127]; scales per channel from half to twice the wanted factor. Of five
 * channels or more one has no weights, a scale of its own and a bias that fills its type. */
static mn_parameters parameters_of(mn_arena *arena, const mn_tensor *weights, int32_t outputs,
                                   float factor, bool per_channel, mn_rng *rng) {
  int64_t count = mn_shape_elements(&weights->shape);
  bool depthwise = weights->shape.rank == 4 && weights->shape.dim[0] == 1 && outputs > 1;
  float *w = mn_arena_array(arena, (size_t)count, sizeof *w);
  float *bias = mn_arena_array(arena, (size_t)outputs, sizeof *bias);
  float *scale = mn_arena_array(arena, (size_t)outputs, sizeof *scale);
  for (int32_t o = 0; o < outputs; o++) {
    scale[o] = factor * (per_channel ? (float)mn_rng_range(rng, 0.5, 2) : 1.0f);
    bias[o] = scale[o] * (float)mn_rng_range(rng, -5000, 5000);
  }
  bool pruned = per_channel && outputs >= 5;
  for (int64_t i = 0; i < count; i++) {
    int64_t o = depthwise ? i % outputs : i / (count / outputs);
    w[i] = scale[o] * (float)((int32_t)mn_rng_below(rng, 255) - 127);
    if (pruned && o == 2) w[i] = 0;
  }
  if (pruned) {
    scale[2] = 1e-12f;
    bias[2] = scale[2] * (float)mn_rng_range(rng, -2e9, 2e9);
  }
  return (mn_parameters){w, bias, scale};
}

static const mn_graph *freeze(mn_arena *arena, const mn_graph *bare, const layer *l,
                              bool per_channel, mn_rng *rng) {
  const mn_tensor *weights = &bare->tensors[bare->ops[0].input[1]];
  mn_parameters parameters = parameters_of(arena, weights, l->outputs, l->factor, per_channel, rng);
  mn_range *ranges = mn_arena_array(arena, (size_t)bare->tensor_count, sizeof *ranges);
  ranges[bare->ops[0].input[0]] = (mn_range){1.0f, l->x_zero};
  ranges[bare->ops[0].output] = (mn_range){1.0f, l->y_zero};
  const mn_graph *frozen = NULL;
  mn_error error = {{0}};
  assert_ok(mn_graph_freeze(&frozen, arena, bare, &parameters, ranges, &error), &error);
  return frozen;
}

static void check_symbol(const mn_graph *graph, const char *symbol) {
  const char *reason = NULL;
  const mn_kernel_row *row = mn_kernel_find(graph, &graph->ops[0], "dsp", &reason);
  assert_non_null(row);
  assert_string_equal(row->symbol, symbol);
}

static void check_rounds(mn_arena *arena, const mn_graph *bare, const layer *l, bool per_channel,
                         mn_rng *rng) {
  for (int32_t round = 0; round < 3; round++) {
    const mn_graph *graph = freeze(arena, bare, l, per_channel, rng);
    check_symbol(graph, l->symbol);
    kernel_check(arena, graph, "dsp", rng);
  }
}

static void convolutions_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(1);
  for (size_t i = 0; i < MN_COUNT(convolutions); i++) {
    const layer *l = &convolutions[i];
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, l->h, l->w, l->c}});
    mn_tensor_id y = model_conv(&m, "conv", x, l->outputs, l->window, l->activation);
    const mn_graph *bare = model_finish(&m, &x, 1, &y, 1);
    check_rounds(arena, bare, l, true, &rng);
    mn_arena_destroy(arena);
  }
}

/* Of one input channel. */
static const layer depthwise[] = {
    {13, 12, 1, 8, {3, 3, 2, 2, 1, 1, 8, SAME}, RELU, -1, -128, 0.01f, CONV},
    {49, 20, 1, 8, {10, 8, 2, 2, 1, 1, 8, SAME}, NONE, 11, 3, 0.002f, CONV},
    {5, 4, 1, 3, {4, 1, 1, 1, 1, 1, 3, VALID}, NONE, -128, 3, 0.02f, CONV},
};

static void depthwise_layers_of_one_channel_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(4);
  for (size_t i = 0; i < MN_COUNT(depthwise); i++) {
    const layer *l = &depthwise[i];
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, l->h, l->w, 1}});
    mn_tensor_id y = model_depthwise(&m, "depthwise", x, l->window, l->activation);
    const mn_graph *bare = model_finish(&m, &x, 1, &y, 1);
    check_rounds(arena, bare, l, true, &rng);
    mn_arena_destroy(arena);
  }
}

/* w inputs. */
static const layer dense[] = {
    {1, 640, 1, 128, {0}, NONE, 83, -12, 0.0005f, VECTOR},
    {1, 128, 1, 8, {0}, RELU, -128, -128, 0.003f, VECTOR},
    {1, 7, 1, 5, {0}, NONE, 127, 127, 0.02f, VECTOR},
    {1, 1, 1, 1, {0}, NONE, -128, 0, 0.1f, VECTOR},
    {1, 66, 1, 3, {0}, NONE, 4, 0, 0.01f, VECTOR},
    {1, 21, 1, 10, {0}, NONE, 4, -4, 2.5f, "mn_fully_connected_exact_s8_dsp"},
    {1, 19, 1, 6, {0}, RELU6, 4, -4, 0.03f, "mn_fully_connected_exact_s8_dsp"},
    {1, 1500, 1, 2, {0}, NONE, 4, -4, 1e-4f, "mn_fully_connected_s8_plain"},
};

static void fully_connected_layers_equal_the_definition(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(2);
  for (size_t i = 0; i < MN_COUNT(dense); i++) {
    const layer *l = &dense[i];
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
    mn_tensor_id x = model_input(&m, "x", (mn_shape){2, {1, l->w}});
    mn_tensor_id y = model_fully_connected(&m, "fc", x, l->outputs, i % 3 > 0, l->activation);
    const mn_graph *bare = model_finish(&m, &x, 1, &y, 1);
    check_rounds(arena, bare, l, false, &rng);
    mn_arena_destroy(arena);
  }
}

/* ---- Arithmetic ----------------------------------------------------------------------------*/
static void fast_requantization_is_the_exact_one(void **state) {
  (void)state;
  static const int32_t multipliers[] = {1 << 30, (1 << 30) + 1, INT32_MAX, 1518500250};
  mn_rng rng = mn_rng_seed(3);
  for (int32_t shift = 1; shift <= 22; shift++)
    for (int32_t round = 0; round < 20000; round++) {
      int32_t m = round % 8 < 4 ? multipliers[round % 4]
                                : (1 << 30) + (int32_t)mn_rng_below(&rng, 1u << 30);
      int32_t zero = (int32_t)mn_rng_below(&rng, 256) - 128;
      int32_t most = 1 << (round % 24 < 23 ? round % 24 : 23);
      int32_t sum = (int32_t)mn_rng_below(&rng, 2 * (uint32_t)most) - most;
      if (round % 5 == 0) sum = (int32_t)mn_rng_below(&rng, 9) - 4;
      int32_t expected = mn_clamp(mn_requantize(sum, m, -shift) + zero, -128, 127);
      assert_int_equal(mn_requantize_fast(sum, m, shift, 2 * zero + 1), expected);
    }
}

static void an_element_has_one_place_in_its_row(void **state) {
  (void)state;
  for (int32_t n = 1; n < 70; n++) {
    int32_t seen[70] = {0};
    for (int32_t pair = 0; pair < mn_matrix_row_pairs(n); pair++)
      for (int32_t half = 0; half < 2; half++) {
        int32_t element = mn_matrix_element(n, pair, half);
        if (element < n) seen[element]++;
      }
    for (int32_t i = 0; i < n; i++) assert_int_equal(seen[i], 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_equal_the_definition),
      cmocka_unit_test(depthwise_layers_of_one_channel_equal_the_definition),
      cmocka_unit_test(fully_connected_layers_equal_the_definition),
      cmocka_unit_test(fast_requantization_is_the_exact_one),
      cmocka_unit_test(an_element_has_one_place_in_its_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
