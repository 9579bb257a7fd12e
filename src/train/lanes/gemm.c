/* gemm.c - products of floats, and the packing of their right side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

enum { DEPTH = 1 };
typedef float element;
typedef vf elements;
typedef vs totals;

MN_INLINE element element_of(const float *column, int32_t left, ptrdiff_t step, float inverse) {
  (void)left, (void)step, (void)inverse;
  return *column;
}
MN_INLINE elements elements_load(const element *p) {
  return load(p);
}
MN_INLINE elements elements_spread(element x) {
  return spread(x);
}
MN_INLINE totals multiply_add(totals c, elements x, elements v) {
  return c + (totals)(x * v);
}
MN_INLINE totals total_floats(totals c, const mn_gemm *g) {
  (void)g;
  return c;
}

/* after its elements */
#include "train/lanes/tiles.h"

void MN_LANE(gemm)(const mn_gemm *g) {
  gemm_tiles(g, 0);
}

void MN_LANE(pack)(float *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                   ptrdiff_t k_step, ptrdiff_t n_step) {
  pack_panels(to, from, k, n, n_valid, k_step, n_step, 1.0f);
}
