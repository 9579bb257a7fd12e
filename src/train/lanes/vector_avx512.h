/* vector_avx512.h - selections with the mask registers of AVX-512.
 * SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

/* x where a > b, else 0. */
MN_INLINE vf where_greater(vf a, vf b, vf x) {
  __mmask16 m = _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
  return (vf)_mm512_maskz_mov_ps(m, (__m512)x);
}
/* x where low < a < high, else 0. */
MN_INLINE vf where_inside(vf a, vf low, vf high, vf x) {
  __mmask16 m = _mm512_cmp_ps_mask((__m512)a, (__m512)low, _CMP_GT_OQ);
  m = _mm512_mask_cmp_ps_mask(m, (__m512)a, (__m512)high, _CMP_LT_OQ);
  return (vf)_mm512_maskz_mov_ps(m, (__m512)x);
}
MN_INLINE vf greater(vf a, vf b) {
  return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}
MN_INLINE vf lesser(vf a, vf b) {
  return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}
MN_INLINE vf half_widened(vh x) {
  return (vf)_mm512_cvtph_ps((__m256i)x);
}
MN_INLINE vh half_narrowed(vf x) {
  return (vh)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
MN_INLINE vf root(vf x) {
  return (vf)_mm512_sqrt_ps((__m512)x);
}
