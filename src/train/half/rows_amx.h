/* rows_amx.h - rows of a product of bf16, 32 at a time: two by two tiles of sums over whole tiles along the depth,
 * what lies beyond them in vectors. Included by bf16.c behind its tiles of vectors.
 *
 * TDPBF16PS adds the upper and the lower factors of 16 pairs apart, then both sums, then what was there: sums
 * agree to rounding with those of VDPBF16PS.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/amx.h"

enum { BOTH = 2 * AMX_ROWS, TURNED = 8 /* tiles of depth that A is turned for */, FEW = 4 };

/* Two tiles of A at step t along the depth: rows `row` pairs apart, the second tile `second` further on. */
typedef struct tiles_of_a {
  const element *at;
  ptrdiff_t row, second, step;
} tiles_of_a;

/* to[i][k] = from[k * row + i], both 0..15: halves of the index are swapped bit by bit. */
MN_INLINE void turn(element *to, const element *from, ptrdiff_t row) {
  const vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  vu r[16];
  MN_UNROLL for (int k = 0; k < 16; k++) r[k] = elements_load(from + k * row);
  MN_UNROLL for (int bit = 1; bit < 16; bit *= 2) {
    const vi odd = (lane & bit) != 0;
    const __m512i low = (__m512i)((~odd & lane) | (odd & (lane - bit + 16)));
    const __m512i high = (__m512i)((~odd & (lane + bit)) | (odd & (lane + 16)));
    MN_UNROLL for (int k = 0; k < 16; k++) {
      if ((k & bit) != 0) continue;
      const __m512i a = (__m512i)r[k], b = (__m512i)r[k + bit];
      r[k] = (vu)_mm512_permutex2var_epi32(a, low, b);
      r[k + bit] = (vu)_mm512_permutex2var_epi32(a, high, b);
    }
  }
  MN_UNROLL for (int i = 0; i < 16; i++) * (vu *)(to + i * 16) = r[i];
}

/* Rows of A lie along the depth, or are columns of pairs, which are turned. */
MN_INLINE tiles_of_a a_find(element *turned, const mn_gemm *g, const element *a, int32_t steps) {
  if (g->a_column == 1) return (tiles_of_a){a, g->a_row, AMX_ROWS * g->a_row, AMX_DEPTH};
  for (int32_t t = 0; t < 2 * steps; t++)
    turn(turned + t * AMX_ROWS * AMX_DEPTH, a + t / 2 * AMX_DEPTH * g->a_column + t % 2 * AMX_ROWS,
         g->a_column);
  amx_stored();
  return (tiles_of_a){turned, AMX_DEPTH, AMX_ROWS * AMX_DEPTH, 2 * AMX_ROWS * AMX_DEPTH};
}

/* Sums of 32 rows by 1 or 2 vectors of columns. */
MN_INLINE void sums_of(const int vectors, vs *sums, const tiles_of_a *a, const element *b,
                       ptrdiff_t b_row, int32_t steps) {
  const ptrdiff_t a_bytes = a->row * (ptrdiff_t)sizeof *b, b_bytes = b_row * (ptrdiff_t)sizeof *b;
  const ptrdiff_t bytes = vectors * (ptrdiff_t)sizeof *sums;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int32_t t = 0; t < steps; t++, b += AMX_DEPTH * b_row) {
    const element *of_a = a->at + t * a->step;
    _tile_loadd(4, of_a, a_bytes);
    _tile_loadd(5, of_a + a->second, a_bytes);
    _tile_loadd(6, b, b_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (vectors == 1) continue;
    _tile_loadd(7, b + MN_LANES, b_bytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, bytes);
  _tile_stored(2, sums + AMX_ROWS * vectors, bytes);
  if (vectors == 1) return;
  _tile_stored(1, sums + 1, bytes);
  _tile_stored(3, sums + AMX_ROWS * vectors + 1, bytes);
}

/* These columns of 32 rows; what the whole tiles leave of the depth, and what becomes of sums, as in every tile. */
MN_INLINE void columns(const int vectors, const mn_gemm *g, const tiles_of_a *of_a, int32_t row,
                       const element *b, ptrdiff_t b_row, int32_t column, int32_t steps) {
  const int32_t whole = steps * AMX_DEPTH;
  const element *const a = (const element *)g->a + row * g->a_row + whole * g->a_column;
  vs sums[BOTH * 2];
  sums_of(vectors, sums, of_a, b, b_row, steps);
  for (int32_t i = 0; i < BOTH; i += FEW) {
    const ptrdiff_t at = (row + i) * g->c_row + column;
    tile(FEW, vectors, g, sums + i * vectors, g->k - whole, a + i * g->a_row, b + whole * b_row,
         b_row, column, (char *)g->c + at * mn_form_bytes(g->form));
  }
}
static __attribute__((noinline)) void columns_1(const mn_gemm *g, const tiles_of_a *a, int32_t row,
                                                const element *b, ptrdiff_t b_row, int32_t column,
                                                int32_t steps) {
  columns(1, g, a, row, b, b_row, column, steps);
}
static __attribute__((noinline)) void columns_2(const mn_gemm *g, const tiles_of_a *a, int32_t row,
                                                const element *b, ptrdiff_t b_row, int32_t column,
                                                int32_t steps) {
  columns(2, g, a, row, b, b_row, column, steps);
}

static void rows_32(const mn_gemm *g, int32_t row, int32_t steps) {
  const int32_t total = g->n / MN_LANES, width = panel_vectors(total);
  element turned[TURNED * BOTH * AMX_DEPTH] __attribute__((aligned(64)));
  const tiles_of_a a = a_find(turned, g, (const element *)g->a + row * g->a_row, steps);
  for (int32_t v = 0; v < total; v += width) {
    const int32_t vectors = total - v < width ? total - v : width;
    const panel_of_b b = panel_of(g, v, vectors);
    for (int32_t j = 0; j < vectors; j += 2)
      (vectors - j > 1 ? columns_2 : columns_1)(g, &a, row, b.at + j * MN_LANES, b.row,
                                                (v + j) * MN_LANES, steps);
  }
}

/* The rows that it made. */
static int32_t rows_in_tiles(const mn_gemm *g) {
  const int32_t steps = g->k / AMX_DEPTH;
  int32_t row = 0;
  if (steps == 0 || g->m < BOTH || (g->a_column != 1 && (g->a_row != 1 || steps > TURNED)))
    return 0;
  amx_begin();
  for (; row + BOTH <= g->m; row += BOTH) rows_32(g, row, steps);
  amx_end();
  return row;
}
