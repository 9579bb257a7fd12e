/* bf16.c - kernels of bf16. What an instruction does, or floats do in its place, comes from bf16_<way>.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/half/pairs.h"

#if defined(__AVX512BF16__)
#include "train/half/bf16_native.h"
#else
#include "train/half/bf16_floats.h"
#endif

/* ---- Products -----------------------------------------------------------------------------------*/
typedef vs totals;

MN_INLINE element element_of(const float *column, int32_t left, ptrdiff_t step, float inverse) {
  const uint32_t high = left > 1 ? mn_bf16_round(column[step]) : 0;
  (void)inverse;
  return high << 16 | mn_bf16_round(column[0]);
}
MN_INLINE totals total_floats(totals c, const mn_gemm *g) {
  (void)g;
  return c;
}

/* after its elements */
#include "train/lanes/tiles.h"

#if defined(__AMX_BF16__)
#include "train/half/rows_amx.h"
#else
static int32_t rows_in_tiles(const mn_gemm *g) {
  (void)g;
  return 0;
}
#endif

static void gemm(const mn_gemm *g) {
  gemm_tiles(g, rows_in_tiles(g));
}

static float pack(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                  ptrdiff_t k_step, ptrdiff_t n_step, float most) {
  (void)most;
  pack_panels(to, from, k, n, n_valid, k_step, n_step, 1.0f);
  return 1.0f;
}

/* ---- Rows ---------------------------------------------------------------------------------------*/
MN_INLINE void take(const pass how, sink *s, uint16_t *to, vf x) {
  (void)how, (void)s;
  *(vh *)to = rounded(x);
}

/* after its sink */
#include "train/half/rows.h"

static float rows_read(uint16_t *y, const void *z, const mn_view *view, const mn_walk *w,
                       float most) {
  sink s = {0};
  (void)most;
  read_rows(ONLY, &s, y, z, view, w);
  return 1.0f;
}

static float rows_unnormalize(uint16_t *dz, const void *g, const void *z, const mn_unnormalize *k,
                              int64_t rows, int32_t channels, float most) {
  sink s = {0};
  (void)most;
  unnormalize_rows(ONLY, &s, dz, g, z, k, rows, channels);
  return 1.0f;
}

extern const mn_half MN_LANE(bf16_table);
const mn_half MN_LANE(bf16_table) = {
    .name = MN_TEXT(MN_ISA),
    .arithmetic = MN_ARITHMETIC_BF16,
    .gemm = gemm,
    .pack = pack,
    .read = rows_read,
    .unnormalize = rows_unnormalize,
};
