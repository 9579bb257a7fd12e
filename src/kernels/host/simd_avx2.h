/* simd_avx2.h - the vector operations of the host kernels on AVX2: 8 sums, each fed 2 int16 at a time
 * (unsigned bytes would saturate). Same names as simd_avx512.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_SIMD_AVX2_H
#define MN_KERNELS_SIMD_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/host/host.h"

#define HOST(name) name##_avx2
#define LANES 8
#define GROUP 2
typedef __m256i vec;
typedef int16_t plane_value; /* x - zero point */
typedef int16_t weight_value;

/* Positions by vectors of channels whose sums the registers hold (conv_body.h). */
#define MOST_VECTORS 2
#define MOST_TILE 8
#define TILE_OF_1 8
#define TILE_OF_2 6
#define TILE_OF_3 0
#define TILE_OF_4 0

static inline vec load(const void *from) {
  return _mm256_loadu_si256((const __m256i *)from);
}
static inline vec splat(int32_t value) {
  return _mm256_set1_epi32(value);
}

/* One group of input values, for every lane. */
static inline vec splat_group(const plane_value *x) {
  int32_t value;
  memcpy(&value, x, sizeof value);
  return _mm256_set1_epi32(value);
}

static inline vec dot(vec acc, vec x, vec w) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
}

/* ---- Requantization, as kernels/requantize.h ---------------------------------------------------*/
typedef struct scaling {
  vec multiplier, odd_multiplier, left, right, mask, half;
} scaling;

static inline scaling scaling_of(vec multiplier, vec shift) {
  vec zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  vec right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
  vec mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
  return (scaling){
      multiplier, _mm256_srli_epi64(multiplier, 32), _mm256_max_epi32(shift, zero), right,
      mask,       _mm256_srli_epi32(mask, 1)};
}

static inline vec requantize(vec acc, const scaling *s) {
  vec round = _mm256_set1_epi64x((int64_t)1 << 30);
  vec x = _mm256_sllv_epi32(acc, s->left);
  vec even = _mm256_mul_epi32(x, s->multiplier);
  vec odd = _mm256_mul_epi32(_mm256_srli_epi64(x, 32), s->odd_multiplier);
  even = _mm256_srli_epi64(_mm256_add_epi64(even, round), 31);
  odd = _mm256_slli_epi64(_mm256_add_epi64(odd, round), 1);
  vec high = _mm256_blend_epi32(even, odd, 0xaa);
  vec threshold = _mm256_sub_epi32(s->half, _mm256_srai_epi32(high, 31));
  vec up = _mm256_cmpgt_epi32(_mm256_and_si256(high, s->mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(high, s->right), up);
}

static inline vec add(vec a, vec b) {
  return _mm256_add_epi32(a, b);
}
static inline vec subtract(vec a, vec b) {
  return _mm256_sub_epi32(a, b);
}
static inline vec shift_left(vec a, int32_t bits) {
  return _mm256_sll_epi32(a, _mm_cvtsi32_si128(bits));
}

/* 8 int8 as int32; all are readable. */
static inline vec load_s8(const int8_t *x) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)x));
}

/* ---- The same in float (rounding_body.h) --------------------------------------------------------*/
typedef __m256 real;

static inline real real_load(const float *x) {
  return _mm256_loadu_ps(x);
}
static inline real real_splat(float x) {
  return _mm256_set1_ps(x);
}
static inline real to_real(vec a) {
  return _mm256_cvtepi32_ps(a);
}
static inline vec to_whole(real a) {
  return _mm256_cvtps_epi32(a);
}
static inline real multiply_add(real a, real b, real c) {
  return _mm256_add_ps(_mm256_mul_ps(a, b), c);
}
/* a >= 0 with the sign of b */
static inline real with_sign(real a, vec b) {
  return _mm256_or_ps(a, _mm256_and_ps(_mm256_castsi256_ps(b), _mm256_set1_ps(-0.0f)));
}
/* The larger of `worst` and the distance of y from the nearest whole number. */
static inline real farther(real worst, real y) {
  real nearest = _mm256_round_ps(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  real distance = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(y, nearest));
  return _mm256_max_ps(worst, distance);
}
static inline int any_above(real a, float limit) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_set1_ps(limit), _CMP_GT_OQ)) != 0;
}

/* ---- Bytes ---------------------------------------------------------------------------------*/
typedef struct limits {
  vec zero_point, low, high;
} limits;

static inline limits limits_of(int32_t zero_point, int32_t low, int32_t high) {
  return (limits){_mm256_set1_epi16((int16_t)zero_point), _mm256_set1_epi8((char)low),
                  _mm256_set1_epi8((char)high)};
}

/* 4 vectors as clamped bytes, interleaved by 4 inside 128-bit lanes; in_order undoes it. */
static inline vec pack(const vec q[4], limits range) {
  vec low = _mm256_packs_epi32(q[0], q[1]), high = _mm256_packs_epi32(q[2], q[3]);
  low = _mm256_adds_epi16(low, range.zero_point);
  high = _mm256_adds_epi16(high, range.zero_point);
  vec bytes = _mm256_packs_epi16(low, high);
  return _mm256_min_epi8(_mm256_max_epi8(bytes, range.low), range.high);
}
static inline vec in_order(vec packed) {
  return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* The first `count` bytes, or all. */
static inline void store_bytes(int8_t *y, vec bytes, int32_t count) {
  int8_t all[32];
  _mm256_storeu_si256((__m256i *)(void *)all, bytes);
  memcpy(y, all, count >= 32 ? 32 : (size_t)count);
}

/* `room` bytes from vector `v` of the 4 in `bytes` on. */
static inline void store_part(int8_t *y, vec bytes, const int32_t v, int32_t room,
                              const int32_t vectors) {
  int8_t all[32];
  _mm256_storeu_si256((__m256i *)(void *)all, bytes);
  memcpy(y, all + v * LANES, room == vectors * LANES ? (size_t)(vectors * LANES) : (size_t)room);
}

/* ---- The padded input ------------------------------------------------------------------------*/
static inline plane_value plane_of(int32_t x, int32_t zero_point) {
  return (plane_value)(x - zero_point);
}

static inline void convert(plane_value *to, const int8_t *x, int64_t count, int32_t zero_point) {
  for (int64_t i = 0; i < count; i++) to[i] = (plane_value)(x[i] - zero_point);
}

/* ---- Depthwise: GROUP taps of one block of channels ---------------------------------------------*/
static inline void interleave(vec out[GROUP], const vec tap[GROUP]) {
  vec a = tap[0], b = tap[1];
  out[0] = _mm256_unpacklo_epi16(a, b);
  out[1] = _mm256_unpackhi_epi16(a, b);
}

/* mn_host_columns takes no strides here. */
static inline vec every_second_dwords(int32_t c) {
  return splat(c);
}
static inline vec select_dwords(vec low, vec high, vec order) {
  (void)high, (void)order;
  return low;
}

/* The first `count` channels of a block from its packed bytes: vectors 2 and 3 are unused. */
static inline void store_block_s8(int8_t *y, vec packed, int32_t count) {
  store_bytes(y, _mm256_permute4x64_epi64(packed, 0x08), count < 16 ? count : 16);
}

#endif
