/* gemm.c - products of pairs of bf16, and the packing of their right side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/bf16/internal.h"

enum { DEPTH = 2 };
typedef uint32_t element;
typedef vu elements;
typedef float totals __attribute__((vector_size(4 * MN_LANES)));

MN_INLINE element element_of(const float *column, int32_t left, ptrdiff_t step, float inverse) {
  const uint32_t high = left > 1 ? mn_bf16_round(column[step]) : 0;
  (void)inverse;
  return high << 16 | mn_bf16_round(column[0]);
}
MN_INLINE elements elements_load(const element *p) {
  return *(const vu *)p;
}
MN_INLINE elements elements_spread(element x) {
  return (vu){0} + x;
}
MN_INLINE totals multiply_add(totals c, elements x, elements v) {
  return (totals)pairs_multiply_add((vf)c, x, v);
}
MN_INLINE totals total_floats(totals c, const mn_gemm *g) {
  (void)g;
  return c;
}

/* after its elements */
#include "train/lanes/tiles.h"

void MN_LANE(bf16_gemm)(const mn_gemm *g) {
  gemm_tiles(g);
}

float MN_LANE(bf16_pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                         ptrdiff_t k_step, ptrdiff_t n_step, float most) {
  (void)most;
  pack_panels(to, from, k, n, n_valid, k_step, n_step, 1.0f);
  return 1.0f;
}
