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

/* Positions by vectors of channels whose sums the registers hold (conv_body.h). */
#define MOST_VECTORS 4
#define MOST_TILE 16
#define TILE_OF_1 16
#define TILE_OF_2 12
#define TILE_OF_3 8
#define TILE_OF_4 6

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

/* 16 int8 as int32; all are readable. */
static inline vec load_s8(const int8_t *x) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}

/* ---- The same in float (rounding_body.h) --------------------------------------------------------*/
typedef __m512 real;

static inline real real_load(const float *x) {
  return _mm512_loadu_ps(x);
}
static inline real real_splat(float x) {
  return _mm512_set1_ps(x);
}
static inline real to_real(vec a) {
  return _mm512_cvtepi32_ps(a);
}
static inline vec to_whole(real a) {
  return _mm512_cvtps_epi32(a);
}
static inline real multiply_add(real a, real b, real c) {
  return _mm512_fmadd_ps(a, b, c);
}
/* a >= 0 with the sign of b */
static inline real with_sign(real a, vec b) {
  vec sign = _mm512_set1_epi32(INT32_MIN); /* a | (b & sign) */
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), b, sign, 0xf8));
}
/* The larger of `worst` and the distance of y from the nearest whole number. */
static inline real farther(real worst, real y) {
  return _mm512_range_ps(worst, _mm512_reduce_ps(y, 0), 0xb);
}
static inline int any_above(real a, float limit) {
  return _mm512_cmp_ps_mask(a, _mm512_set1_ps(limit), _CMP_GT_OQ) != 0;
}

/* ---- Bytes ---------------------------------------------------------------------------------*/
typedef struct limits {
  vec zero_point, low, high;
} limits;

static inline limits limits_of(int32_t zero_point, int32_t low, int32_t high) {
  return (limits){_mm512_set1_epi16((int16_t)zero_point), _mm512_set1_epi8((char)low),
                  _mm512_set1_epi8((char)high)};
}

/* 4 vectors as clamped bytes, interleaved by 4 inside 128-bit lanes; in_order undoes it. */
static inline vec pack(const vec q[4], limits range) {
  vec low = _mm512_packs_epi32(q[0], q[1]), high = _mm512_packs_epi32(q[2], q[3]);
  low = _mm512_adds_epi16(low, range.zero_point);
  high = _mm512_adds_epi16(high, range.zero_point);
  vec bytes = _mm512_packs_epi16(low, high);
  return _mm512_min_epi8(_mm512_max_epi8(bytes, range.low), range.high);
}
static inline vec in_order(vec packed) {
  return _mm512_permutexvar_epi32(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), packed);
}

/* The first `count` bytes, or all. */
static inline void store_bytes(int8_t *y, vec bytes, int32_t count) {
  __mmask64 keep = count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
  _mm512_mask_storeu_epi8(y, keep, bytes);
}

/* `room` bytes from vector `v` of the 4 in `bytes` on, for `vectors` vectors. Both are constants. */
static inline void store_part(int8_t *y, vec bytes, const int32_t v, int32_t room,
                              const int32_t vectors) {
  if (vectors > 2) {
    store_bytes(y, bytes, room);
  } else if (vectors == 2) {
    __m256i half = v == 0 ? _mm512_castsi512_si256(bytes) : _mm512_extracti64x4_epi64(bytes, 1);
    _mm256_mask_storeu_epi8(y, (__mmask32)(room >= 32 ? ~0u : (1u << room) - 1), half);
  } else {
    __m256i half = v < 2 ? _mm512_castsi512_si256(bytes) : _mm512_extracti64x4_epi64(bytes, 1);
    __m128i part = v % 2 == 0 ? _mm256_castsi256_si128(half) : _mm256_extracti128_si256(half, 1);
    _mm_mask_storeu_epi8(y, (__mmask16)((1u << room) - 1), part);
  }
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
static inline void interleave(vec out[GROUP], const vec tap[GROUP]) {
  vec a = tap[0], b = tap[1], c = tap[2], d = tap[3];
  vec ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  vec cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  out[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
  out[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
  out[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
  out[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
}

/* Of two neighbouring vectors of columns with c channels, a multiple of 4: every second column. */
static inline vec every_second_dwords(int32_t c) {
  int32_t order[LANES], dwords = c / 4 > 0 ? c / 4 : 1;
  for (int32_t i = 0; i < LANES; i++) order[i] = (i / dwords * 2 * dwords + i % dwords) % 32;
  return load(order);
}
static inline vec select_dwords(vec low, vec high, vec order) {
  return _mm512_permutex2var_epi32(low, order, high);
}

/* The first `count` channels of a block from its packed bytes. */
static inline void store_block_s8(int8_t *y, vec packed, int32_t count) {
  store_bytes(y, packed, count);
}

#endif
