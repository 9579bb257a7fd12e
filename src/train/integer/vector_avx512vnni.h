/* vector_avx512vnni.h - integer operations on 16 lanes.
 * SPDX-License-Identifier: Apache-2.0 */
enum { PANEL = 4 };

MN_INLINE vi dot(vi acc, vi x, vi w) {
  return (vi)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)x, (__m512i)w);
}
MN_INLINE vi to_whole(vf x) { /* to nearest, ties to even */
  return (vi)_mm512_cvtps_epi32((__m512)x);
}
MN_INLINE vf to_real(vi x) {
  return (vf)_mm512_cvtepi32_ps((__m512i)x);
}
MN_INLINE vi load_whole(const void *p) {
  return (vi)_mm512_loadu_si512(p);
}
MN_INLINE void store_whole(void *p, vi v) {
  _mm512_storeu_si512(p, (__m512i)v);
}
/* 4 vectors of 0..255 as bytes, interleaved by 4 inside 128 bits. */
MN_INLINE vi pack(vi a, vi b, vi c, vi d) {
  return (vi)_mm512_packus_epi16(_mm512_packs_epi32((__m512i)a, (__m512i)b),
                                 _mm512_packs_epi32((__m512i)c, (__m512i)d));
}
MN_INLINE vi in_order(vi packed) {
  return (vi)_mm512_permutexvar_epi32(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (__m512i)packed);
}
/* 4 vectors of bytes become vectors of 4 bytes a lane: undoes the interleaving of `pack`. */
MN_INLINE void interleave(vi out[4], const vi in[4]) {
  const __m512i a = (__m512i)in[0], b = (__m512i)in[1], c = (__m512i)in[2], d = (__m512i)in[3];
  const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  out[0] = (vi)_mm512_unpacklo_epi16(ab_low, cd_low);
  out[1] = (vi)_mm512_unpackhi_epi16(ab_low, cd_low);
  out[2] = (vi)_mm512_unpacklo_epi16(ab_high, cd_high);
  out[3] = (vi)_mm512_unpackhi_epi16(ab_high, cd_high);
}
