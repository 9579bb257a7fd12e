/* quantization.h - the only real-number arithmetic of scale, zero point and multiplier: fake
 * quantization, freeze and plan all call it, so that what was trained is what runs.
 *
 * Rounding is to nearest, halves away from zero, in the precision (float or double) that TFLite's
 * kernels use at that place: their results must agree bit for bit. The integer side is
 * kernels/requantize.h. Source: TFLite 8-bit quantization specification; TFLite Micro's prepare
 * functions.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_GRAPH_QUANTIZATION_H
#define MN_GRAPH_QUANTIZATION_H

#include "micronets/graph.h"

/* ---- Real multiplier -> Q0.31 value and a shift (positive: left) -----------------------------
 * real ~ value * 2^(shift - 31); value in [2^30, 2^31), or 0 where real < 2^-32 or so. */
typedef struct mn_multiplier {
  int32_t value, shift;
} mn_multiplier;
mn_multiplier mn_multiplier_of(double real); /* real >= 0, finite */

/* The factor between an int32 accumulator and the output's steps. Convolutions and layers with a
 * scale per channel multiply in double; fully connected with one scale multiplies in float first. */
double mn_conv_factor(float x_scale, float weight_scale, float y_scale);
double mn_fully_connected_factor(float x_scale, float weight_scale, float y_scale);
double mn_rescale_factor(float x_scale, float y_scale);                  /* MEAN, QUANTIZE */
double mn_svdf_factor(float x_scale, float weight_scale, float y_scale); /* all in float */

/* ADD: both inputs are brought to twice the larger scale with `left_shift` extra bits. False where
 * the runtime would refuse: the output's scale is too small for its inputs. */
typedef struct mn_add_scaling {
  mn_multiplier a, b, y;
  int32_t left_shift; /* 20 for int8, 15 for int16 */
} mn_add_scaling;
bool mn_add_scaling_of(mn_add_scaling *scaling, mn_dtype dtype, float a_scale, float b_scale,
                       float y_scale);

/* SOFTMAX, int8: differences to the maximum are multiplied into Q5.26; below diff_min they count
 * nothing. False where beta times the scale is out of range. */
typedef struct mn_softmax_scaling {
  mn_multiplier input;
  int32_t diff_min;
} mn_softmax_scaling;
bool mn_softmax_scaling_of(mn_softmax_scaling *scaling, float beta, float x_scale);
/* SOFTMAX, int16: differences are multiplied so that -10 becomes -65535. */
bool mn_softmax_s16_scaling_of(mn_multiplier *multiplier, float beta, float x_scale);
/* exp(a) over [-10, 0] and 1 / (1 + a) over [0, 1], Q0.15, 128 steps of int16 apart; every entry leans
 * by half the interpolation's error in the middle, as the runtime's tables do. */
#define MN_SOFTMAX_S16_TABLE 513
void mn_softmax_s16_tables(int16_t *exponential, int16_t *one_over);
#define MN_SOFTMAX_S8_SCALE (1.0f / 256.0f)
#define MN_SOFTMAX_S8_ZERO_POINT (-128)
#define MN_SOFTMAX_S16_SCALE (1.0f / 32768.0f)
#define MN_SOFTMAX_S8_S16_SCALE (1.0f / 65536.0f)

/* ---- Values --------------------------------------------------------------------------------*/
typedef struct mn_limits {
  int32_t min, max;
} mn_limits;
mn_limits mn_dtype_limits(mn_dtype dtype); /* int4: -8..7; int8; uint8; int16; else int32 */
int32_t mn_weight_limit(mn_dtype dtype);   /* symmetric weights: 7 or 127 */

/* The range an activation leaves, in steps of the output. False where it does not fit an int32. */
bool mn_activation_limits(mn_limits *limits, mn_activation activation, mn_dtype dtype, float scale,
                          int32_t zero_point);

int32_t mn_quantize(float real, float scale, int32_t zero_point, mn_limits limits); /* NaN: zero */
int8_t mn_quantize_s8(float real, float scale, int32_t zero_point);

/* ---- Choosing scales -----------------------------------------------------------------------*/
/* Scale and zero point of [low, high], widened to hold 0; zero is a step of its own. int16 and
 * other symmetric types: zero point 0. */
mn_range mn_range_of(float low, float high, mn_dtype dtype);
/* Positive also for a channel of zeros. */
float mn_weight_scale(float largest_magnitude, mn_dtype dtype);
int8_t mn_quantize_weight(float weight, float scale, mn_dtype dtype);

float mn_bias_scale(float x_scale, float weight_scale);
/* In steps of mn_bias_scale. int32: kept below 2^30, so that an accumulator cannot wrap. */
int64_t mn_quantize_bias(float bias, float x_scale, float weight_scale, mn_dtype dtype);

#endif
