/* gemm.c - products of pairs of bf16, and the packing of their right side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/bf16/internal.h"

typedef uint32_t element;
typedef vu elements;

MN_INLINE elements elements_load(const element *p) {
  return *(const vu *)p;
}
MN_INLINE elements elements_spread(element x) {
  return (vu){0} + x;
}

/* after its elements */
#include "train/lanes/tiles.h"

void MN_LANE(bf16_gemm)(const mn_gemm *g) {
  gemm_tiles(g);
}

static uint32_t pair_at(const float *from, bool second, ptrdiff_t step) {
  const uint32_t high = second ? mn_bf16_round(from[step]) : 0;
  return high << 16 | mn_bf16_round(from[0]);
}

void MN_LANE(bf16_pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                        ptrdiff_t k_step, ptrdiff_t n_step) {
  const int32_t total = n / MN_LANES, width = panel_vectors(total);
  for (int32_t v = 0; v < total; v += width) {
    const int32_t vectors = total - v < width ? total - v : width;
    for (int32_t i = 0; i < k; i += 2)
      for (int32_t j = 0; j < vectors * MN_LANES; j++) {
        const int32_t column = v * MN_LANES + j;
        const float *at = from + i * k_step + column * n_step;
        *to++ = column < n_valid ? pair_at(at, i + 1 < k, k_step) : 0;
      }
  }
}
