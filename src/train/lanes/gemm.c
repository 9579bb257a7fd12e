/* gemm.c - products of floats, and the packing of their right side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

typedef float element;
typedef vf elements;

MN_INLINE elements elements_load(const element *p) {
  return load(p);
}
MN_INLINE elements elements_spread(element x) {
  return spread(x);
}
MN_INLINE vf multiply_add(vf c, elements x, elements v) {
  return c + x * v;
}

/* after its elements */
#include "train/lanes/tiles.h"

void MN_LANE(gemm)(const mn_gemm *g) {
  gemm_tiles(g);
}

/* from[k * k_step + n * n_step] into panels [k][panel]; columns from n_valid on become 0. */
void MN_LANE(pack)(float *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                   ptrdiff_t k_step, ptrdiff_t n_step) {
  const int32_t total = n / MN_LANES, width = panel_vectors(total);
  for (int32_t v = 0; v < total; v += width) {
    const int32_t vectors = total - v < width ? total - v : width;
    for (int32_t i = 0; i < k; i++)
      for (int32_t j = 0; j < vectors * MN_LANES; j++) {
        const int32_t column = v * MN_LANES + j;
        *to++ = column < n_valid ? from[i * k_step + column * n_step] : 0.0f;
      }
  }
}
