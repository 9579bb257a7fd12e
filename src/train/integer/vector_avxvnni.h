/* vector_avxvnni.h - integer operations on 8 lanes.
 * SPDX-License-Identifier: Apache-2.0 */
enum { PANEL = 2 };

MN_INLINE vi dot(vi acc, vi x, vi w) {
  return (vi)_mm256_dpbusd_avx_epi32((__m256i)acc, (__m256i)x, (__m256i)w);
}
MN_INLINE vi to_whole(vf x) { /* to nearest, ties to even */
  return (vi)_mm256_cvtps_epi32((__m256)x);
}
MN_INLINE vf to_real(vi x) {
  return (vf)_mm256_cvtepi32_ps((__m256i)x);
}
MN_INLINE vi load_whole(const void *p) {
  return (vi)_mm256_loadu_si256((const __m256i *)p);
}
MN_INLINE void store_whole(void *p, vi v) {
  _mm256_storeu_si256((__m256i *)p, (__m256i)v);
}
/* 4 vectors of 0..255 as bytes, interleaved by 4 inside 128 bits. */
MN_INLINE vi pack(vi a, vi b, vi c, vi d) {
  return (vi)_mm256_packus_epi16(_mm256_packs_epi32((__m256i)a, (__m256i)b),
                                 _mm256_packs_epi32((__m256i)c, (__m256i)d));
}
MN_INLINE vi in_order(vi packed) {
  return (vi)_mm256_permutevar8x32_epi32((__m256i)packed,
                                         _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
/* 4 vectors of bytes become vectors of 4 bytes a lane: undoes the interleaving of `pack`. */
MN_INLINE void interleave(vi out[4], const vi in[4]) {
  const __m256i a = (__m256i)in[0], b = (__m256i)in[1], c = (__m256i)in[2], d = (__m256i)in[3];
  const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
  const __m256i cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
  out[0] = (vi)_mm256_unpacklo_epi16(ab_low, cd_low);
  out[1] = (vi)_mm256_unpackhi_epi16(ab_low, cd_low);
  out[2] = (vi)_mm256_unpacklo_epi16(ab_high, cd_high);
  out[3] = (vi)_mm256_unpackhi_epi16(ab_high, cd_high);
}
