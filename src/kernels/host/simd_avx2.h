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
static inline vec clamp(vec a, vec low, vec high) {
  return _mm256_min_epi32(_mm256_max_epi32(a, low), high);
}

/* The first `count` of 8 values, or all. */
static inline void store_s8(int8_t *y, vec values, int32_t count) {
  __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  __m128i bytes = _mm_packs_epi16(words, words);
  int64_t all = _mm_cvtsi128_si64(bytes);
  memcpy(y, &all, count >= LANES ? sizeof all : (size_t)count);
}

/* 8 int8 as int32; all are readable. */
static inline vec load_s8(const int8_t *x) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)x));
}

/* ---- The padded input ------------------------------------------------------------------------*/
static inline plane_value plane_of(int32_t x, int32_t zero_point) {
  return (plane_value)(x - zero_point);
}

static inline void convert(plane_value *to, const int8_t *x, int64_t count, int32_t zero_point) {
  for (int64_t i = 0; i < count; i++) to[i] = (plane_value)(x[i] - zero_point);
}

/* ---- Depthwise: GROUP taps of one block of channels ---------------------------------------------*/
static inline void interleave(vec out[GROUP], const plane_value *const tap[GROUP]) {
  vec a = load(tap[0]), b = load(tap[1]);
  out[0] = _mm256_unpacklo_epi16(a, b);
  out[1] = _mm256_unpackhi_epi16(a, b);
}

/* Undoes the interleaving: the first `count` channels of a block. */
static inline void store_block_s8(int8_t *y, const vec values[GROUP], int32_t count) {
  vec words = _mm256_packs_epi32(values[0], values[1]);
  __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  int8_t all[16];
  _mm_storeu_si128((__m128i *)(void *)all, bytes);
  memcpy(y, all, count >= 16 ? 16 : (size_t)count);
}

#endif
