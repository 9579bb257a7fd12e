/* quantization.c - see quantization.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/quantization.h"

#include <assert.h>
#include <math.h>

/* ---- Multipliers ---------------------------------------------------------------------------*/
mn_multiplier mn_multiplier_of(double real) {
  assert(real >= 0 && isfinite(real));
  if (!(real > 0)) return (mn_multiplier){0, 0};
  int exponent;
  double fraction = frexp(real, &exponent); /* [0.5, 1) */
  int64_t value = (int64_t)round(fraction * (double)(INT64_C(1) << 31));
  if (value == INT64_C(1) << 31) {
    value /= 2;
    exponent++;
  }
  /* Smaller than any result could show: zero, so that no shift exceeds 31 bits. */
  if (exponent < -31) return (mn_multiplier){0, 0};
  return (mn_multiplier){(int32_t)value, exponent};
}

double mn_conv_factor(float x_scale, float weight_scale, float y_scale) {
  return (double)x_scale * (double)weight_scale / (double)y_scale;
}

double mn_fully_connected_factor(float x_scale, float weight_scale, float y_scale) {
  float product = x_scale * weight_scale;
  return (double)product / (double)y_scale;
}

double mn_rescale_factor(float x_scale, float y_scale) {
  return (double)x_scale / (double)y_scale;
}

double mn_svdf_factor(float x_scale, float weight_scale, float y_scale) {
  float product = x_scale * weight_scale;
  float factor = product / y_scale;
  return (double)factor;
}

bool mn_add_scaling_of(mn_add_scaling *scaling, mn_dtype dtype, float a_scale, float b_scale,
                       float y_scale) {
  int32_t left_shift = dtype == MN_DTYPE_INT16 ? 15 : 20;
  double twice_larger = 2 * (double)(a_scale > b_scale ? a_scale : b_scale);
  double y_factor = twice_larger / ((double)(1 << left_shift) * (double)y_scale);
  if (!(y_factor > 0) || y_factor >= 1) return false;
  mn_add_scaling made = {.a = mn_multiplier_of((double)a_scale / twice_larger),
                         .b = mn_multiplier_of((double)b_scale / twice_larger),
                         .y = mn_multiplier_of(y_factor),
                         .left_shift = left_shift};
  if (made.y.shift > 0) return false; /* rounded up to 1 */
  *scaling = made;
  return true;
}

/* Integer bits of the scaled difference: Q5.26, as the exponential's table expects. */
#define SOFTMAX_INTEGER_BITS 5

bool mn_softmax_scaling_of(mn_softmax_scaling *scaling, float beta, float x_scale) {
  double real = (double)beta * (double)x_scale * (double)(1 << (31 - SOFTMAX_INTEGER_BITS));
  double largest = (double)((INT64_C(1) << 31) - 1);
  if (real > largest) real = largest;
  if (!(real > 1)) return false;
  scaling->input = mn_multiplier_of(real);
  double radius = (double)((1 << SOFTMAX_INTEGER_BITS) - 1) *
                  (double)(INT64_C(1) << (31 - SOFTMAX_INTEGER_BITS)) /
                  (double)(INT64_C(1) << scaling->input.shift);
  scaling->diff_min = -(int32_t)floor(radius);
  return true;
}

bool mn_softmax_s16_scaling_of(mn_multiplier *multiplier, float beta, float x_scale) {
  double real = (double)x_scale * (double)beta / (10.0 / 65535.0);
  if (!(real > 0) || !isfinite(real)) return false;
  *multiplier = mn_multiplier_of(real);
  return multiplier->shift <= 14; /* differences have 16 bits, their product 31 */
}

static float exp_of(float a) {
  return (float)exp((double)a); /* rounded once, whatever the C library's expf does */
}

static float one_over_one_plus(float a) {
  return 1.0f / (1.0f + a);
}

static int16_t table_entry(float value) {
  return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

static void fill_table(int16_t *table, float (*function)(float), float low, float high) {
  const int32_t steps = MN_SOFTMAX_S16_TABLE - 1;
  const float step = (high - low) / (float)steps, one = 32768.0f;
  for (int32_t i = 0; i < steps; i++) {
    float here = roundf(function(low + (float)i * step) * one);
    float middle = roundf(function(low + (float)i * step + step / 2) * one);
    float next = function(low + (float)(i + 1) * step) * one;
    float error = roundf((next + here) / 2) - middle;
    table[i] = table_entry(here - roundf(error / 2));
  }
  table[steps] = table_entry(roundf(function(high) * one));
}

void mn_softmax_s16_tables(int16_t *exponential, int16_t *one_over) {
  fill_table(exponential, exp_of, -10.0f, 0.0f);
  fill_table(one_over, one_over_one_plus, 0.0f, 1.0f);
}

/* ---- Values --------------------------------------------------------------------------------*/
mn_limits mn_dtype_limits(mn_dtype dtype) {
  switch (dtype) {
    case MN_DTYPE_INT4: return (mn_limits){-8, 7};
    case MN_DTYPE_INT8: return (mn_limits){INT8_MIN, INT8_MAX};
    case MN_DTYPE_UINT8: return (mn_limits){0, UINT8_MAX};
    case MN_DTYPE_INT16: return (mn_limits){INT16_MIN, INT16_MAX};
    default: return (mn_limits){INT32_MIN, INT32_MAX};
  }
}

int32_t mn_weight_limit(mn_dtype dtype) {
  assert(dtype == MN_DTYPE_INT4 || dtype == MN_DTYPE_INT8);
  return dtype == MN_DTYPE_INT4 ? 7 : 127;
}

static bool step_of(int64_t *step, float real, float scale, int32_t zero_point) {
  float rounded = roundf(real / scale);
  if (!(rounded >= (float)INT32_MIN && rounded < (float)INT32_MAX)) return false;
  *step = (int64_t)zero_point + (int64_t)rounded;
  return *step >= INT32_MIN && *step <= INT32_MAX;
}

bool mn_activation_limits(mn_limits *limits, mn_activation activation, mn_dtype dtype, float scale,
                          int32_t zero_point) {
  mn_limits made = mn_dtype_limits(dtype);
  int64_t step;
  if (activation != MN_ACTIVATION_NONE) {
    if (!step_of(&step, 0.0f, scale, zero_point)) return false;
    if (step > made.min) made.min = (int32_t)step;
  }
  if (activation == MN_ACTIVATION_RELU6) {
    if (!step_of(&step, 6.0f, scale, zero_point)) return false;
    if (step < made.max) made.max = (int32_t)step;
  }
  *limits = made;
  return true;
}

int32_t mn_quantize(float real, float scale, int32_t zero_point, mn_limits limits) {
  float steps = roundf(real / scale);
  /* Clamped before the conversion: a float beyond int32 has no integer value. */
  int64_t low = (int64_t)limits.min - zero_point, high = (int64_t)limits.max - zero_point;
  if (isnan(steps)) return zero_point;
  if (steps <= (float)low) return limits.min;
  if (steps >= (float)high) return limits.max;
  return (int32_t)(zero_point + (int64_t)steps);
}

int8_t mn_quantize_s8(float real, float scale, int32_t zero_point) {
  return (int8_t)mn_quantize(real, scale, zero_point, mn_dtype_limits(MN_DTYPE_INT8));
}

/* ---- Choosing scales -----------------------------------------------------------------------*/
/* Below this a scale's reciprocal, or its product with another, would leave float's range. */
#define SMALLEST_SCALE 1e-12f

mn_range mn_range_of(float low, float high, mn_dtype dtype) {
  mn_limits limits = mn_dtype_limits(dtype);
  if (low > 0) low = 0;
  if (high < 0) high = 0;
  if (dtype != MN_DTYPE_INT8 && dtype != MN_DTYPE_UINT8 && dtype != MN_DTYPE_INT4) {
    float magnitude = -low > high ? -low : high;
    float scale = magnitude / (float)limits.max;
    return (mn_range){scale > SMALLEST_SCALE ? scale : SMALLEST_SCALE, 0};
  }
  float scale = (high - low) / (float)(limits.max - limits.min);
  if (!(scale > SMALLEST_SCALE)) scale = SMALLEST_SCALE;
  float zero_point = roundf((float)limits.min - low / scale);
  if (!(zero_point > (float)limits.min)) return (mn_range){scale, limits.min};
  if (zero_point > (float)limits.max) return (mn_range){scale, limits.max};
  return (mn_range){scale, (int32_t)zero_point};
}

float mn_weight_scale(float largest_magnitude, mn_dtype dtype) {
  float scale = largest_magnitude / (float)mn_weight_limit(dtype);
  return scale > SMALLEST_SCALE ? scale : SMALLEST_SCALE;
}

int8_t mn_quantize_weight(float weight, float scale, mn_dtype dtype) {
  int32_t limit = mn_weight_limit(dtype);
  return (int8_t)mn_quantize(weight, scale, 0, (mn_limits){-limit, limit});
}

float mn_bias_scale(float x_scale, float weight_scale) {
  return x_scale * weight_scale;
}

int64_t mn_quantize_bias(float bias, float x_scale, float weight_scale, mn_dtype dtype) {
  double steps = round((double)bias / (double)mn_bias_scale(x_scale, weight_scale));
  double limit = (double)((INT64_C(1) << (dtype == MN_DTYPE_INT64 ? 40 : 30)) - 1);
  if (isnan(steps)) return 0;
  if (steps > limit) return (int64_t)limit;
  if (steps < -limit) return -(int64_t)limit;
  return (int64_t)steps;
}
