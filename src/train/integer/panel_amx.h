/* panel_amx.h - rows of a panel 16 at a time: whole tiles along the depth of every line, what a line has beyond
 * them in vectors. Included by kernels.c behind its tiles of vectors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/amx.h"

enum { FEW = 4 }; /* rows at once in vectors */

/* Where 16 rows of a tile lie: so many bytes apart in x, or copied where they are not evenly apart. */
typedef struct tile_rows {
  bool even;
  ptrdiff_t apart;
  uint8_t copy[AMX_ROWS * AMX_BYTES];
} tile_rows;

MN_INLINE void rows_find(tile_rows *r, const int32_t *row_at) {
  r->apart = row_at[1] - row_at[0];
  r->even = true;
  for (int i = 2; i < AMX_ROWS; i++) r->even &= row_at[i] - row_at[i - 1] == r->apart;
  if (!r->even) r->apart = AMX_BYTES;
}
MN_INLINE const uint8_t *rows_at(tile_rows *r, const uint8_t *x, const int32_t *row_at) {
  if (r->even) return x + row_at[0];
  MN_UNROLL for (int i = 0; i < AMX_ROWS; i++)
      store_whole(r->copy + i * AMX_BYTES, load_whole(x + row_at[i]));
  amx_stored();
  return r->copy;
}

/* Tiles 0 to 3 are sums of up to 4 vectors of columns. A distance of 0 reads the same row for all. */
MN_INLINE void tiles_start(const int vectors, const int32_t *start) {
  _tile_loadd(0, start, 0);
  if (vectors > 1) _tile_loadd(1, start + MN_LANES, 0);
  if (vectors > 2) _tile_loadd(2, start + 2 * MN_LANES, 0);
  if (vectors > 3) _tile_loadd(3, start + 3 * MN_LANES, 0);
}
MN_INLINE void tiles_add(const int vectors, const uint8_t *x, ptrdiff_t apart, const int8_t *w) {
  const ptrdiff_t w_row = (ptrdiff_t)vectors * BYTES;
  _tile_loadd(4, x, apart);
  _tile_loadd(5, w, w_row);
  _tile_dpbusd(0, 4, 5);
  if (vectors > 1) {
    _tile_loadd(6, w + BYTES, w_row);
    _tile_dpbusd(1, 4, 6);
  }
  if (vectors > 2) {
    _tile_loadd(7, w + 2 * BYTES, w_row);
    _tile_dpbusd(2, 4, 7);
  }
  if (vectors > 3) {
    _tile_loadd(5, w + 3 * BYTES, w_row);
    _tile_dpbusd(3, 4, 5);
  }
}
MN_INLINE void tiles_end(const int vectors, vi *sums) {
  const ptrdiff_t row = vectors * (ptrdiff_t)sizeof *sums;
  _tile_stored(0, sums, row);
  if (vectors > 1) _tile_stored(1, sums + 1, row);
  if (vectors > 2) _tile_stored(2, sums + 2, row);
  if (vectors > 3) _tile_stored(3, sums + 3, row);
}

/* The rows that it made: as many as whole tiles have. */
MN_INLINE int32_t panel_in_tiles(const int vectors, const mn_integer_product *p, const int8_t *w,
                                 int32_t column) {
  const int32_t whole = p->groups / AMX_DEPTH * AMX_DEPTH;
  const ptrdiff_t w_group = (ptrdiff_t)vectors * BYTES;
  int32_t first = 0;
  if (whole == 0 || p->rows < AMX_ROWS) return 0;
  amx_begin();
  for (; first + AMX_ROWS <= p->rows; first += AMX_ROWS) {
    const int32_t *row_at = p->row_at + first;
    vi sums[AMX_ROWS * PANEL];
    tile_rows rows;
    rows_find(&rows, row_at);
    tiles_start(vectors, p->start + column);
    for (int32_t l = 0; l < p->lines; l++)
      for (int32_t g = 0; g < whole; g += AMX_DEPTH)
        tiles_add(vectors, rows_at(&rows, p->x + p->line_at[l] + 4 * g, row_at), rows.apart,
                  w + (l * (ptrdiff_t)p->groups + g) * w_group);
    tiles_end(vectors, sums);
    for (int i = 0; i < AMX_ROWS && whole < p->groups; i += FEW) {
      vi *of = sums + i * vectors;
      tile_sums(FEW, vectors, of, p, row_at + i, w, (const int32_t *)of, vectors * MN_LANES, whole);
    }
    tile_give(vectors, AMX_ROWS, sums, p, first, column);
  }
  amx_end();
  return first;
}
