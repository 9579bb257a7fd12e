/* The real-number side of quantization against figures worked out from TFLite's rules by hand.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>

#include "graph/quantization.h"

static void a_multiplier_is_a_31_bit_fraction_and_a_shift(void **state) {
  (void)state;
  static const struct {
    double real;
    int32_t value, shift;
  } cases[] = {
      {0.0, 0, 0},
      {0.5, 1 << 30, 0},
      {0.25, 1 << 30, -1},
      {1.0, 1 << 30, 1},
      {3.0, 1610612736, 2},
      {0.0003, 1319413953, -11},
      {1.0 - 1e-12, 1 << 30, 1},       /* rounds up to 1 */
      {ldexp(1.0, -32), 1 << 30, -31}, /* the last one that shows */
      {ldexp(0.999, -32), 0, 0},       /* flushed */
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_multiplier m = mn_multiplier_of(cases[i].real);
    assert_int_equal(m.value, cases[i].value);
    assert_int_equal(m.shift, cases[i].shift);
  }
}

static void a_multiplier_is_within_half_a_step_of_the_real_number(void **state) {
  (void)state;
  mn_rng rng = mn_rng_seed(7);
  for (int i = 0; i < 10000; i++) {
    double real = exp(mn_rng_range(&rng, -20, 10));
    mn_multiplier m = mn_multiplier_of(real);
    assert_true(m.value >= 1 << 30);
    double back = ldexp((double)m.value, m.shift - 31);
    assert_true(fabs(back - real) <= ldexp(0.5, m.shift - 31));
  }
}

static void factors_multiply_in_the_precision_of_the_reference(void **state) {
  (void)state;
  float x = 0.1f, w = 0.003f, y = 0.7f;
  float product = x * w;
  assert_true(mn_fully_connected_factor(x, w, y) == (double)product / (double)y);
  assert_true(mn_conv_factor(x, w, y) == (double)x * (double)w / (double)y);
  assert_true(mn_conv_factor(x, w, y) != mn_fully_connected_factor(x, w, y));
}

static void quantizing_rounds_halves_away_from_zero_and_saturates(void **state) {
  (void)state;
  static const struct {
    float real, scale;
    int32_t zero_point, value;
  } cases[] = {
      {0.25f, 0.5f, 0, 1},        {-0.25f, 0.5f, 0, -1},   {0.24f, 0.5f, 0, 0},
      {1.25f, 0.5f, 10, 13},      {-1.25f, 0.5f, 10, 7},   {1e30f, 0.5f, 0, 127},
      {-1e30f, 0.5f, 0, -128},    {70.0f, 0.5f, -10, 127}, {INFINITY, 1.0f, 5, 127},
      {-INFINITY, 1.0f, 5, -128}, {NAN, 1.0f, 5, 5},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    assert_int_equal(mn_quantize_s8(cases[i].real, cases[i].scale, cases[i].zero_point),
                     cases[i].value);
  }
}

static void activations_clamp_in_steps_of_the_output(void **state) {
  (void)state;
  static const struct {
    mn_activation activation;
    mn_dtype dtype;
    float scale;
    int32_t zero_point, min, max;
  } cases[] = {
      {MN_ACTIVATION_NONE, MN_DTYPE_INT8, 0.1f, 3, -128, 127},
      {MN_ACTIVATION_RELU, MN_DTYPE_INT8, 0.1f, 3, 3, 127},
      {MN_ACTIVATION_RELU6, MN_DTYPE_INT8, 0.1f, 3, 3, 63},
      {MN_ACTIVATION_RELU6, MN_DTYPE_INT8, 6.0f / 255.0f, -128, -128, 127},
      {MN_ACTIVATION_RELU6, MN_DTYPE_INT8, 0.01f, -128, -128, 127},
      {MN_ACTIVATION_RELU6, MN_DTYPE_INT16, 0.001f, 0, 0, 6000},
      {MN_ACTIVATION_RELU, MN_DTYPE_INT16, 0.001f, 0, 0, 32767},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_limits limits;
    assert_true(mn_activation_limits(&limits, cases[i].activation, cases[i].dtype, cases[i].scale,
                                     cases[i].zero_point));
    assert_int_equal(limits.min, cases[i].min);
    assert_int_equal(limits.max, cases[i].max);
  }
  mn_limits limits;
  assert_false(mn_activation_limits(&limits, MN_ACTIVATION_RELU6, MN_DTYPE_INT8, 1e-10f, 0));
}

static void a_sum_is_scaled_to_twice_the_larger_input(void **state) {
  (void)state;
  mn_add_scaling s;
  assert_true(mn_add_scaling_of(&s, MN_DTYPE_INT8, 0.5f, 0.25f, 1.0f));
  assert_int_equal(s.left_shift, 20);
  assert_int_equal(s.a.value, 1 << 30);
  assert_int_equal(s.a.shift, 0);
  assert_int_equal(s.b.shift, -1);
  assert_int_equal(s.y.value, 1 << 30);
  assert_int_equal(s.y.shift, -19);
  assert_true(mn_add_scaling_of(&s, MN_DTYPE_INT16, 0.5f, 0.25f, 1.0f));
  assert_int_equal(s.left_shift, 15);
  assert_false(mn_add_scaling_of(&s, MN_DTYPE_INT8, 1.0f, 1.0f, 1e-7f));
}

static void softmax_scales_differences_to_q5_26(void **state) {
  (void)state;
  mn_softmax_scaling s;
  assert_true(mn_softmax_scaling_of(&s, 1.0f, 0.0625f));
  assert_int_equal(s.input.value, 1 << 30);
  assert_int_equal(s.input.shift, 23); /* 0.0625 * 2^26 = 2^22 */
  assert_int_equal(s.diff_min, -248);  /* floor(31 * 2^26 / 2^23) */
  assert_true(mn_softmax_scaling_of(&s, 1.0f, 1e6f));
  assert_int_equal(s.input.shift, 31);
  assert_false(mn_softmax_scaling_of(&s, 1.0f, 1e-9f));
}

static void ranges_hold_zero_exactly(void **state) {
  (void)state;
  mn_range relu6 = mn_range_of(0.0f, 6.0f, MN_DTYPE_INT8);
  assert_int_equal(relu6.zero_point, -128);
  assert_true(relu6.scale == 6.0f / 255.0f);
  mn_range positive = mn_range_of(1.0f, 2.0f, MN_DTYPE_INT8);
  assert_int_equal(positive.zero_point, -128);
  assert_true(positive.scale == 2.0f / 255.0f);
  mn_range both = mn_range_of(-1.0f, 3.0f, MN_DTYPE_INT8);
  assert_int_equal(both.zero_point, -64);
  mn_range wide = mn_range_of(-2.0f, 1.0f, MN_DTYPE_INT16);
  assert_int_equal(wide.zero_point, 0);
  assert_true(wide.scale == 2.0f / 32767.0f);
  assert_true(mn_range_of(0.0f, 0.0f, MN_DTYPE_INT8).scale > 0);
}

static void weights_are_symmetric(void **state) {
  (void)state;
  float scale = mn_weight_scale(2.0f, MN_DTYPE_INT8);
  assert_int_equal(mn_quantize_weight(2.0f, scale, MN_DTYPE_INT8), 127);
  assert_int_equal(mn_quantize_weight(-2.0f, scale, MN_DTYPE_INT8), -127);
  assert_int_equal(mn_quantize_weight(-9.0f, scale, MN_DTYPE_INT8), -127);
  scale = mn_weight_scale(0.7f, MN_DTYPE_INT4);
  assert_int_equal(mn_quantize_weight(-0.7f, scale, MN_DTYPE_INT4), -7);
  assert_true(mn_weight_scale(0.0f, MN_DTYPE_INT8) > 0);
}

static void biases_are_in_steps_of_the_accumulator(void **state) {
  (void)state;
  assert_int_equal(mn_quantize_bias(1.0f, 0.5f, 0.25f, MN_DTYPE_INT32), 8);
  assert_int_equal(mn_quantize_bias(-0.0625f, 0.5f, 0.25f, MN_DTYPE_INT32), -1);
  assert_int_equal(mn_quantize_bias(1e30f, 0.5f, 0.25f, MN_DTYPE_INT32), (1 << 30) - 1);
  assert_int_equal(mn_quantize_bias(-1e30f, 0.5f, 0.25f, MN_DTYPE_INT32), 1 - (1 << 30));
  assert_true(mn_quantize_bias(1e30f, 0.5f, 0.25f, MN_DTYPE_INT64) > INT32_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_multiplier_is_a_31_bit_fraction_and_a_shift),
      cmocka_unit_test(a_multiplier_is_within_half_a_step_of_the_real_number),
      cmocka_unit_test(factors_multiply_in_the_precision_of_the_reference),
      cmocka_unit_test(quantizing_rounds_halves_away_from_zero_and_saturates),
      cmocka_unit_test(activations_clamp_in_steps_of_the_output),
      cmocka_unit_test(a_sum_is_scaled_to_twice_the_larger_input),
      cmocka_unit_test(softmax_scales_differences_to_q5_26),
      cmocka_unit_test(ranges_hold_zero_exactly),
      cmocka_unit_test(weights_are_symmetric),
      cmocka_unit_test(biases_are_in_steps_of_the_accumulator),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
