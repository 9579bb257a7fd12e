/* tiles.h - matrix product by register tiles: rows of A by up to four vectors of B, the whole depth k in
 * one go, so that C is written once. Column sums for batch norm ride in the last step of a tile.
 *
 * A file that includes it says before what it multiplies: `element`, made of DEPTH floats, and a vector of
 * them `elements`; element_of (from a column of so many floats), elements_load, elements_spread; multiply_add,
 * which adds products to `totals`, and total_floats, what a total stands for.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_TILES_H
#define MN_TRAIN_TILES_H

/* Vectors in a column panel: as many as the registers hold beside the tile. */
#if MN_LANES == 16
enum { PANEL = 4 };
#else
enum { PANEL = 2 };
#endif
enum { MAX_ROWS = 8 };

MN_INLINE vs form_add(const mn_form form, vs v, bool accumulate, void *out, ptrdiff_t at) {
  if (accumulate) v += (vs)form_load(form, out, at);
  form_store(form, out, at, v);
  return v;
}
MN_INLINE vs tile_store(const mn_gemm *g, vs v, void *out, ptrdiff_t at) {
  switch (g->form) {
    case MN_FORM_HALF: return form_add(MN_FORM_HALF, v, g->accumulate, out, at);
    case MN_FORM_BF16: return form_add(MN_FORM_BF16, v, g->accumulate, out, at);
    default: return form_add(MN_FORM_FLOAT, v, g->accumulate, out, at);
  }
}

/* A column of vectors of C, and its sums. */
MN_INLINE void tile_finish(const int rows, const int j, const mn_gemm *g, totals c[MAX_ROWS][PANEL],
                           int32_t column, void *out) {
  vs v[MAX_ROWS], s = {0}, q = {0};
  MN_UNROLL for (int i = 0; i < rows; i++) {
    const ptrdiff_t at = i * g->c_row + j * MN_LANES;
    v[i] = tile_store(g, total_floats(c[i][j], g), out, at);
  }
  if (g->sum == NULL) return;
  float *sum = g->sum + column + j * MN_LANES, *square = g->square + column + j * MN_LANES;
  MN_UNROLL for (int i = 0; i < rows; i++) {
    s += v[i];
    q += v[i] * v[i];
  }
  store(sum, load(sum) + s);
  store(square, load(square) + q);
}

/* One tile, over a depth of k, added to `start` ([rows][vectors]; NULL: zeros); rows and vectors are constants at
 * every call, so that c lives in registers. */
MN_INLINE void tile(const int rows, const int vectors, const mn_gemm *g, const totals *start,
                    int32_t k, const element *a, const element *b, ptrdiff_t b_row, int32_t column,
                    void *out) {
  totals c[MAX_ROWS][PANEL];
  MN_UNROLL for (int i = 0; i < rows; i++) MN_UNROLL for (int j = 0; j < vectors; j++) c[i][j] =
      start == NULL ? (totals){0} : start[i * vectors + j];
  const ptrdiff_t a_row = g->a_row, a_column = g->a_column;
  for (; k > 0; k--) {
    elements v[PANEL];
    MN_UNROLL for (int j = 0; j < vectors; j++) v[j] = elements_load(b + j * MN_LANES);
    MN_UNROLL for (int i = 0; i < rows; i++) {
      const elements x = elements_spread(a[i * a_row]);
      MN_UNROLL for (int j = 0; j < vectors; j++) c[i][j] = multiply_add(c[i][j], x, v[j]);
    }
    a += a_column;
    b += b_row;
  }
  MN_UNROLL for (int j = 0; j < vectors; j++) tile_finish(rows, j, g, c, column, out);
}

typedef void tile_fn(const mn_gemm *g, const element *a, const element *b, ptrdiff_t b_row,
                     int32_t column, void *out);
#define TILE(rows, vectors)                                                                  \
  static __attribute__((noinline)) void tile_##rows##_##vectors(                             \
      const mn_gemm *g, const element *a, const element *b, ptrdiff_t b_row, int32_t column, \
      void *out) {                                                                           \
    tile(rows, vectors, g, NULL, g->k, a, b, b_row, column, out);                            \
  }
#define TILES_TO_6(v) TILE(1, v) TILE(2, v) TILE(3, v) TILE(4, v) TILE(5, v) TILE(6, v)
#define ROW_TO_6(v) NULL, tile_1_##v, tile_2_##v, tile_3_##v, tile_4_##v, tile_5_##v, tile_6_##v
TILES_TO_6(1)
TILE(7, 1)
TILE(8, 1)
TILES_TO_6(2)
#if MN_LANES == 16
TILE(7, 2)
TILE(8, 2)
TILES_TO_6(3)
TILE(7, 3)
TILE(8, 3)
TILES_TO_6(4)
static tile_fn *const tiles[PANEL + 1][MAX_ROWS + 1] = {{NULL},
                                                        {ROW_TO_6(1), tile_7_1, tile_8_1},
                                                        {ROW_TO_6(2), tile_7_2, tile_8_2},
                                                        {ROW_TO_6(3), tile_7_3, tile_8_3},
                                                        {ROW_TO_6(4)}};
static const int32_t tile_rows[PANEL + 1] = {0, 8, 8, 8, 6};
#else
static tile_fn *const tiles[PANEL + 1][MAX_ROWS + 1] = {
    {NULL}, {ROW_TO_6(1), tile_7_1, tile_8_1}, {ROW_TO_6(2)}};
static const int32_t tile_rows[PANEL + 1] = {0, 8, 6};
#endif

/* Panel width that leaves the fewest narrow panels. */
static int32_t panel_vectors(int32_t vectors) {
  if (PANEL == 4 && vectors % 4 != 0 && vectors % 3 == 0) return 3;
  return PANEL;
}

/* from[k * k_step + n * n_step] into panels [k / DEPTH][panel], behind an odd last k zeros; columns from n_valid
 * on become 0. */
MN_INLINE void pack_panels(element *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                           ptrdiff_t k_step, ptrdiff_t n_step, float inverse) {
  const int32_t total = n / MN_LANES, width = panel_vectors(total);
  for (int32_t v = 0; v < total; v += width) {
    const int32_t vectors = total - v < width ? total - v : width;
    for (int32_t i = 0; i < k; i += DEPTH)
      for (int32_t j = 0; j < vectors * MN_LANES; j++) {
        const int32_t column = v * MN_LANES + j;
        const float *at = from + i * k_step + column * n_step;
        *to++ = column < n_valid ? element_of(at, k - i, k_step, inverse) : 0;
      }
  }
}

/* Vectors v to v + vectors of B, packed or not. */
typedef struct panel_of_b {
  const element *at;
  ptrdiff_t row;
} panel_of_b;
MN_INLINE panel_of_b panel_of(const mn_gemm *g, int32_t v, int32_t vectors) {
  const element *const b = g->b;
  if (g->b_row != 0) return (panel_of_b){b + (ptrdiff_t)v * MN_LANES, g->b_row};
  return (panel_of_b){b + (ptrdiff_t)v * MN_LANES * g->k, (ptrdiff_t)vectors * MN_LANES};
}

/* Rows from `first`. */
MN_INLINE void gemm_tiles(const mn_gemm *g, int32_t first) {
  const element *const a = g->a;
  const int32_t total = g->n / MN_LANES, width = panel_vectors(total);
  for (int32_t v = 0; v < total; v += width) {
    const int32_t vectors = total - v < width ? total - v : width, column = v * MN_LANES;
    const panel_of_b b = panel_of(g, v, vectors);
    const int32_t step = tile_rows[vectors];
    for (int32_t i = first; i < g->m; i += step) {
      const int32_t rows = g->m - i < step ? g->m - i : step;
      const ptrdiff_t at = i * g->c_row + column;
      tiles[vectors][rows](g, a + i * g->a_row, b.at, b.row, column,
                           (char *)g->c + at * mn_form_bytes(g->form));
    }
  }
}

#endif
