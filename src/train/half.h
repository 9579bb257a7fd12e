/* half.h - products whose factors have 16 bits and whose sums have 32: half the bytes of float, and up to
 * twice its operations.
 *
 * bf16   The upper half of a float, rounded to nearest, ties to even; sums are floats. VDPBF16PS.
 * int16  x = scale * q, q rounded to nearest, ties to even, one scale for a block of rows, of a plane or of
 *        weights. |q| goes up to the square root of 2^31 over the longest sum, so that no sum overflows: 11
 *        bits and a sign where 276 products are added. Sums are integers. VPDPWSSD.
 *
 * Both instructions take factors in pairs that lie side by side along the depth of the product. In rows of
 * a matrix they lie so already, padded to an even number of columns; for a product along the rows, each two
 * rows are woven into one. Factors are made where rows are read through their view or gradients are made: bf16
 * in one pass, int16 in one for the greatest magnitude and one for q, in the second-level cache.
 *
 * Who multiplies so: convolutions and fully connected layers whose sums are long, in steps of training. The
 * forward pass only until values are rounded to 8 bits, the backward pass always. In the same passes, until then,
 * values are compact (lanes.h): raw outputs and their gradients lie in memory in 16 bits. Everything else, and
 * every evaluation, is in float: weights and their gradients, sums, statistics of batch norm, moments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_HALF_H
#define MN_TRAIN_HALF_H

#include <math.h>

#include "train/engine.h"

/* Kernels. `most` is the greatest |q|; what makes factors returns their scale, which of bf16 is 1. */
typedef struct mn_half {
  const char *name;
  mn_arithmetic arithmetic;
  /* Elements of A and B are pairs, k counts them. */
  void (*gemm)(const mn_gemm *g);
  /* from[k * k_step + n * n_step] into panels [(k + 1) / 2][panel] of pairs; zeros from n_valid on. */
  float (*pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                ptrdiff_t k_step, ptrdiff_t n_step, float most);
  /* As the functions of mn_lanes, but for what they write. */
  float (*read)(uint16_t *y, const void *z, const mn_view *view, const mn_walk *walk, float most);
  float (*unnormalize)(uint16_t *dz, const void *g, const void *z, const mn_unnormalize *k,
                       int64_t rows, int32_t channels, float most);
} mn_half;

/* The kernels that go with a table of float ones, with the instruction where this processor has it; else the
 * same arithmetic is made of others, bf16's to rounding, int16's to the bit. Float32: NULL. */
const mn_half *mn_half_get(const mn_lanes *lanes, mn_arithmetic arithmetic);
/* Whether this processor multiplies so faster than floats. */
bool mn_half_pays(mn_arithmetic arithmetic);

/* Whether the unit multiplies so in the pass under way. */
bool mn_half_forward(const mn_trainer *t, const mn_unit *u);
bool mn_half_backward(const mn_trainer *t, const mn_unit *u);
/* The greatest |q| of a unit's factors. */
float mn_half_most(const mn_unit *u);
/* Packs as mn_lanes or mn_half do; gives the scale. */
float mn_weights_pack(const mn_trainer *t, const mn_unit *u, bool half, void *to, const float *from,
                      int32_t k, int32_t n, int32_t n_valid, ptrdiff_t k_step, ptrdiff_t n_step);
/* As mn_value_read and mn_value_lines, not of the network's input; always copied; give the scale. */
float mn_value_read_half(const mn_trainer *t, const mn_value *v, uint16_t *to, int64_t first,
                         int64_t rows, float most);
float mn_value_lines_half(const mn_trainer *t, const mn_value *v, uint16_t *to, ptrdiff_t to_row,
                          ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines,
                          float most);

/* ---- Single factors -----------------------------------------------------------------------------*/
static inline uint32_t mn_float_bits(float x) {
  union {
    float value;
    uint32_t bits;
  } u = {x};
  return u.bits;
}
static inline uint16_t mn_bf16_round(float x) {
  const uint32_t bits = mn_float_bits(x);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}
/* inverse: 1 / scale. What is not a number becomes some number. */
static inline uint16_t mn_int16_round(float x, float inverse) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: leaves no bits for a fraction */
  const float q = x * inverse, above = q > -32767.0f ? q : -32767.0f;
  return (uint16_t)(int32_t)(((above < 32767.0f ? above : 32767.0f) + magic) - magic);
}

/* As unsigned integers, magnitudes of floats are in order, those that are not finite above all others. */
static inline uint32_t mn_magnitude(float x) {
  return mn_float_bits(x) & 0x7fffffffu;
}

typedef struct mn_half_scale {
  float scale, inverse;
} mn_half_scale;
/* Of factors whose greatest magnitude this is. What is not finite gives a scale that is not finite, so that
 * the sums tell of it. */
static inline mn_half_scale mn_half_scale_of(uint32_t magnitude, float most) {
  union {
    uint32_t bits;
    float value;
  } u = {magnitude};
  if (!isfinite(u.value)) return (mn_half_scale){NAN, 0};
  if (u.value < 1e-30f) return (mn_half_scale){0, 0};
  return (mn_half_scale){u.value / most, most / u.value};
}

#endif
