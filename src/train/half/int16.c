/* int16.c - kernels of 16-bit integers with a common scale. Rows are walked twice: once for the greatest
 * magnitude, once for the integers; the second time they lie in a cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/half/pairs.h"

/* ---- Products -----------------------------------------------------------------------------------*/
typedef vi totals;

MN_INLINE element element_of(const float *column, int32_t left, ptrdiff_t step, float inverse) {
  const uint32_t high = left > 1 ? mn_int16_round(column[step], inverse) : 0;
  return high << 16 | mn_int16_round(column[0], inverse);
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

static void gemm(const mn_gemm *g) {
  gemm_tiles(g, 0);
}

static float pack(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
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

/* ---- Rows ---------------------------------------------------------------------------------------*/
MN_INLINE void take(const pass how, sink *s, uint16_t *to, vf x) {
  if (how == MEASURES) {
    s->magnitude = greater((vf)((vu)x & 0x7fffffffu), s->magnitude);
    return;
  }
  const vi q = __builtin_convertvector(nearest(x * s->inverse), vi);
  *(vh *)to = __builtin_convertvector((vu)q, vh);
}

/* after its sink */
#include "train/half/rows.h"

/* What was measured becomes the scale of what will be stored. */
static float scale_take(sink *s, float most) {
  uint32_t greatest = 0;
  for (int i = 0; i < MN_LANES; i++) {
    const uint32_t x = mn_magnitude(s->magnitude[i]);
    if (x > greatest) greatest = x;
  }
  const mn_half_scale scale = mn_half_scale_of(greatest, most);
  s->inverse = scale.inverse;
  return scale.scale;
}

static float rows_read(uint16_t *y, const void *z, const mn_view *view, const mn_walk *w,
                       float most) {
  sink s = {0};
  read_rows(MEASURES, &s, y, z, view, w);
  const float scale = scale_take(&s, most);
  read_rows(STORES, &s, y, z, view, w);
  return scale;
}

static float rows_unnormalize(uint16_t *dz, const void *g, const void *z, const mn_unnormalize *k,
                              int64_t rows, int32_t channels, float most) {
  sink s = {0};
  unnormalize_rows(MEASURES, &s, dz, g, z, k, rows, channels);
  const float scale = scale_take(&s, most);
  unnormalize_rows(STORES, &s, dz, g, z, k, rows, channels);
  return scale;
}

extern const mn_half MN_LANE(int16_table);
const mn_half MN_LANE(int16_table) = {
    .name = MN_TEXT(MN_ISA),
    .arithmetic = MN_ARITHMETIC_INT16,
    .gemm = gemm,
    .pack = pack,
    .read = rows_read,
    .unnormalize = rows_unnormalize,
};
