/* gemm.c - products of pairs of 16-bit integers, and the packing of their right side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/int16/internal.h"

enum { DEPTH = 2 };
typedef uint32_t element;
typedef vu elements;
typedef vi totals;

MN_INLINE element element_of(const float *column, int32_t left, ptrdiff_t step, float inverse) {
  const uint32_t high = left > 1 ? mn_int16_round(column[step], inverse) : 0;
  return high << 16 | mn_int16_round(column[0], inverse);
}
MN_INLINE elements elements_load(const element *p) {
  return *(const vu *)p;
}
MN_INLINE elements elements_spread(element x) {
  return (vu){0} + x;
}
MN_INLINE totals multiply_add(totals c, elements x, elements v) {
#if defined(__AVX512VNNI__)
  return (vi)_mm512_dpwssd_epi32((__m512i)c, (__m512i)x, (__m512i)v);
#else
  const vi a = (vi)x, b = (vi)v;
  return c + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}
MN_INLINE vf total_floats(totals c, const mn_gemm *g) {
  return __builtin_convertvector(c, vf) * g->scale;
}

/* after its elements */
#include "train/lanes/tiles.h"

void MN_LANE(int16_gemm)(const mn_gemm *g) {
  gemm_tiles(g);
}

float MN_LANE(int16_pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                          ptrdiff_t k_step, ptrdiff_t n_step, float most) {
  uint32_t magnitude = 0;
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j < n_valid; j++) {
      const uint32_t x = mn_magnitude(from[i * k_step + j * n_step]);
      if (x > magnitude) magnitude = x;
    }
  const mn_half_scale scale = mn_half_scale_of(magnitude, most);
  pack_panels(to, from, k, n, n_valid, k_step, n_step, scale.inverse);
  return scale.scale;
}
