/* vector_avx2.h - selections in single instructions of AVX2.
 * SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

/* x where a > b, else 0. */
MN_INLINE vf where_greater(vf a, vf b, vf x) {
  return (vf)((vi)x & (a > b));
}
/* x where low < a < high, else 0. */
MN_INLINE vf where_inside(vf a, vf low, vf high, vf x) {
  return (vf)((vi)x & (a > low) & (a < high));
}
MN_INLINE vf greater(vf a, vf b) {
  return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}
MN_INLINE vf lesser(vf a, vf b) {
  return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}
MN_INLINE vf half_widened(vh x) {
  return (vf)_mm256_cvtph_ps((__m128i)x);
}
MN_INLINE vh half_narrowed(vf x) {
  return (vh)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
MN_INLINE vf root(vf x) {
  return (vf)_mm256_sqrt_ps((__m256)x);
}
