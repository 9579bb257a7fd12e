/* simd_avx512.h - the vector operations of the host kernels on AVX-512 with VNNI: 16 sums, each fed 4
 * unsigned bytes at a time. Same names as simd_avx2.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_SIMD_AVX512_H
#define MN_KERNELS_SIMD_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "kernels/host/host.h"

#define HOST(name) name##_avx512
#define LANES 16
#define GROUP 4
typedef __m512i vec;
typedef uint8_t plane_value; /* x + 128 */
typedef int8_t weight_value;

static inline vec load(const void *from) {
  return _mm512_loadu_si512(from);
}
static inline vec splat(int32_t value) {
  return _mm512_set1_epi32(value);
}

/* One group of input values, for every lane. */
static inline vec splat_group(const plane_value *x) {
  int32_t value;
  memcpy(&value, x, sizeof value);
  return _mm512_set1_epi32(value);
}

static inline vec dot(vec acc, vec x, vec w) {
  return _mm512_dpbusd_epi32(acc, x, w);
}

/* ---- Requantization, as kernels/requantize.h ---------------------------------------------------*/
typedef struct scaling {
  vec multiplier, odd_multiplier, left, right, mask, half;
} scaling;

static inline scaling scaling_of(vec multiplier, vec shift) {
  vec zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
  vec right = _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero);
  vec mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
  return (scaling){
      multiplier, _mm512_srli_epi64(multiplier, 32), _mm512_max_epi32(shift, zero), right,
      mask,       _mm512_srli_epi32(mask, 1)};
}

static inline vec requantize(vec acc, const scaling *s) {
  vec round = _mm512_set1_epi64((int64_t)1 << 30);
  vec x = _mm512_sllv_epi32(acc, s->left);
  vec even = _mm512_mul_epi32(x, s->multiplier);
  vec odd = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), s->odd_multiplier);
  even = _mm512_srli_epi64(_mm512_add_epi64(even, round), 31);
  odd = _mm512_slli_epi64(_mm512_add_epi64(odd, round), 1);
  vec high = _mm512_mask_blend_epi32(0xaaaa, even, odd);
  vec threshold = _mm512_sub_epi32(s->half, _mm512_srai_epi32(high, 31));
  __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, s->mask), threshold);
  vec shifted = _mm512_srav_epi32(high, s->right);
  return _mm512_mask_add_epi32(shifted, up, shifted, _mm512_set1_epi32(1));
}

static inline vec add(vec a, vec b) {
  return _mm512_add_epi32(a, b);
}
static inline vec subtract(vec a, vec b) {
  return _mm512_sub_epi32(a, b);
}
static inline vec shift_left(vec a, int32_t bits) {
  return _mm512_sll_epi32(a, _mm_cvtsi32_si128(bits));
}
static inline vec clamp(vec a, vec low, vec high) {
  return _mm512_min_epi32(_mm512_max_epi32(a, low), high);
}

/* The first `count` of 16 values, or all. */
static inline void store_s8(int8_t *y, vec values, int32_t count) {
  __mmask16 keep = (__mmask16)(count >= LANES ? 0xffffu : (1u << count) - 1u);
  _mm512_mask_cvtsepi32_storeu_epi8(y, keep, values);
}

/* 16 int8 as int32; all are readable. */
static inline vec load_s8(const int8_t *x) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}

/* ---- The padded input ------------------------------------------------------------------------*/
static inline plane_value plane_of(int32_t x, int32_t zero_point) {
  (void)zero_point;
  return (plane_value)(x + 128);
}

static inline void convert(plane_value *to, const int8_t *x, int64_t count, int32_t zero_point) {
  (void)zero_point;
  vec flip = _mm512_set1_epi8((char)-128);
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) _mm512_storeu_si512(to + i, _mm512_xor_si512(load(x + i), flip));
  if (i == count) return;
  __mmask64 keep = ((__mmask64)1 << (count - i)) - 1;
  vec rest = _mm512_maskz_loadu_epi8(keep, x + i);
  _mm512_mask_storeu_epi8(to + i, keep, _mm512_xor_si512(rest, flip));
}

/* ---- Depthwise: GROUP taps of one block of channels ---------------------------------------------*/
static inline void interleave(vec out[GROUP], const plane_value *const tap[GROUP]) {
  vec a = load(tap[0]), b = load(tap[1]), c = load(tap[2]), d = load(tap[3]);
  vec ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  vec cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  out[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
  out[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
  out[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
  out[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
}

/* Undoes the interleaving: the first `count` channels of a block. */
static inline void store_block_s8(int8_t *y, const vec values[GROUP], int32_t count) {
  vec low = _mm512_packs_epi32(values[0], values[1]),
      high = _mm512_packs_epi32(values[2], values[3]);
  vec bytes = _mm512_packs_epi16(low, high);
  __mmask64 keep = count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
  _mm512_mask_storeu_epi8(y, keep, bytes);
}

#endif
