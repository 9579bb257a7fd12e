/* kernels.c - the forward kernels of integer.h, compiled per instruction set.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/integer.h"

#include <immintrin.h>
#include <string.h>

#include "train/lanes/vector.h"
/* after the vectors */
#if MN_LANES == 16
#include "train/integer/vector_avx512vnni.h"
#else
#include "train/integer/vector_avxvnni.h"
#endif

enum { QUAD = 4, BYTES = 4 * MN_LANES, MOST_ROWS = 12, AHEAD = 16 };

/* ---- Reading ----------------------------------------------------------------------------------*/
typedef struct coefficients {
  vf scale[QUAD], shift[QUAD], low[QUAD], high[QUAD];
} coefficients;

MN_INLINE void read_quad(const int vectors, const bool interleaved, uint8_t *to, const float *from,
                         const mn_view *view, vi zero, const mn_walk *w) {
  coefficients k;
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    k.scale[j] = load(view->scale + j * MN_LANES);
    k.shift[j] = load(view->shift + j * MN_LANES);
    k.low[j] = load(view->low + j * MN_LANES);
    k.high[j] = load(view->high + j * MN_LANES);
  }
  const vf inverse = spread(view->inverse);
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < w->rows; r++) {
      const float *z = from + line * w->from_line + r * w->from_row;
      vi q[QUAD] = {{0}};
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        __builtin_prefetch(z + AHEAD * w->from_row + j * MN_LANES);
        const vf v = load(z + j * MN_LANES) * k.scale[j] + k.shift[j];
        q[j] = to_whole(clamp(v, k.low[j], k.high[j]) * inverse) + zero;
      }
      vi bytes = pack(q[0], q[1], q[2], q[3]);
      uint8_t *out = to + line * w->to_line + r * w->to_row;
      if (!interleaved) bytes = in_order(bytes);
      if (vectors == QUAD || interleaved)
        store_whole(out, bytes);
      else
        memcpy(out, &bytes, (size_t)vectors * MN_LANES);
    }
}

static void read_4(uint8_t *to, const float *z, const mn_view *v, vi zero, const mn_walk *w) {
  read_quad(4, false, to, z, v, zero, w);
}
static void read_1(uint8_t *to, const float *z, const mn_view *v, vi zero, const mn_walk *w) {
  read_quad(1, false, to, z, v, zero, w);
}
static void read_4_interleaved(uint8_t *to, const float *z, const mn_view *v, vi zero,
                               const mn_walk *w) {
  read_quad(4, true, to, z, v, zero, w);
}
/* One at a time: the vectors that are missing count as 0, their weights too. */
static void read_some_interleaved(int32_t vectors, uint8_t *to, const float *z, const mn_view *v,
                                  vi zero, const mn_walk *w) {
  switch (vectors) {
    case 1: read_quad(1, true, to, z, v, zero, w); break;
    case 2: read_quad(2, true, to, z, v, zero, w); break;
    default: read_quad(3, true, to, z, v, zero, w); break;
  }
}

static void MN_LANE(read)(uint8_t *to, const float *z, const mn_view *view, int32_t zero_point,
                          const mn_walk *w, bool interleaved) {
  mn_view part = *view;
  const vi zero = (vi){0} + (zero_point + 128);
  for (int32_t c = 0, step; c < w->channels; c += step) {
    const int32_t left = (w->channels - c) / MN_LANES;
    step = (left >= QUAD || interleaved ? QUAD : 1) * MN_LANES;
    if (left >= QUAD)
      (interleaved ? read_4_interleaved : read_4)(to + c, z + c, &part, zero, w);
    else if (interleaved)
      read_some_interleaved(left, to + c, z + c, &part, zero, w);
    else
      read_1(to + c, z + c, &part, zero, w);
    part.scale += step, part.shift += step, part.low += step, part.high += step;
  }
}

/* ---- Products -------------------------------------------------------------------------------*/
/* Sums of one tile over the groups from `from` of every line, added to start, whose rows are `start_row` apart; rows
 * and vectors are constants at every call, so that sums live in registers. */
MN_INLINE void tile_sums(const int rows, const int vectors, vi *sums, const mn_integer_product *p,
                         const int32_t *row_at, const int8_t *w, const int32_t *start,
                         int32_t start_row, int32_t from) {
  vi acc[MOST_ROWS][PANEL];
  const uint8_t *x[MOST_ROWS];
  MN_UNROLL for (int i = 0; i < rows; i++) {
    x[i] = p->x + row_at[i];
    MN_UNROLL for (int j = 0; j < vectors; j++) acc[i][j] =
        load_whole(start + i * start_row + j * MN_LANES);
  }
  for (int32_t l = 0; l < p->lines; l++) {
    const ptrdiff_t at = p->line_at[l];
    w += (ptrdiff_t)from * vectors * BYTES;
    for (int32_t g = from; g < p->groups; g++, w += vectors * BYTES) {
      vi v[PANEL];
      MN_UNROLL for (int j = 0; j < vectors; j++) v[j] = load_whole(w + j * BYTES);
      MN_UNROLL for (int i = 0; i < rows; i++) {
        int32_t four;
        memcpy(&four, x[i] + at + 4 * g, sizeof four);
        const vi xs = four - (vi){0};
        MN_UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = dot(acc[i][j], xs, v[j]);
      }
    }
  }
  MN_UNROLL for (int i = 0; i < rows; i++) MN_UNROLL for (int j = 0; j < vectors; j++)
      sums[i * vectors + j] = acc[i][j];
}

/* Sums into z, column sums for batch norm on the way. */
MN_INLINE void tile_give(const int vectors, int32_t rows, const vi *sums,
                         const mn_integer_product *p, int32_t first, int32_t column) {
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    const int32_t c = column + j * MN_LANES;
    const vf scale = load(p->scale + c);
    vf s = {0}, q = {0};
    for (int32_t i = 0; i < rows; i++) {
      const vf z = to_real(sums[i * vectors + j]) * scale;
      store(p->z + (first + i) * p->z_row + c, z);
      s += z;
      q += z * z;
    }
    if (p->sum == NULL) continue;
    store(p->sum + c, load(p->sum + c) + s);
    store(p->square + c, load(p->square + c) + q);
  }
}

#if defined(__AMX_INT8__)
#include "train/integer/panel_amx.h"
#else
MN_INLINE int32_t panel_in_tiles(const int vectors, const mn_integer_product *p, const int8_t *w,
                                 int32_t column) {
  (void)vectors, (void)p, (void)w, (void)column;
  return 0;
}
#endif

/* Rows that are too many read the last one again and are not given. */
MN_INLINE void panel(const int rows, const int vectors, const mn_integer_product *p,
                     const int8_t *w, int32_t column) {
  for (int32_t first = panel_in_tiles(vectors, p, w, column); first < p->rows; first += rows) {
    vi sums[MOST_ROWS * PANEL];
    int32_t row_at[MOST_ROWS];
    const int32_t left = p->rows - first < rows ? p->rows - first : rows;
    MN_UNROLL for (int i = 0; i < rows; i++) row_at[i] =
        p->row_at[first + (i < left ? i : left - 1)];
    tile_sums(rows, vectors, sums, p, row_at, w, p->start + column, 0, 0);
    tile_give(vectors, left, sums, p, first, column);
  }
}

static void panel_1(const mn_integer_product *p, const int8_t *w, int32_t column) {
  panel(12, 1, p, w, column);
}
#if MN_LANES == 16
static void panel_2(const mn_integer_product *p, const int8_t *w, int32_t column) {
  panel(12, 2, p, w, column);
}
static void panel_3(const mn_integer_product *p, const int8_t *w, int32_t column) {
  panel(8, 3, p, w, column);
}
static void panel_4(const mn_integer_product *p, const int8_t *w, int32_t column) {
  panel(6, 4, p, w, column);
}
static void (*const panels[])(const mn_integer_product *p, const int8_t *w, int32_t column) = {
    panel_1, panel_2, panel_3, panel_4};
#else
static void panel_2(const mn_integer_product *p, const int8_t *w, int32_t column) {
  panel(6, 2, p, w, column);
}
static void (*const panels[])(const mn_integer_product *p, const int8_t *w, int32_t column) = {
    panel_1, panel_2};
#endif

static void MN_LANE(product)(const mn_integer_product *p) {
  const int32_t total = p->n / MN_LANES;
  const int8_t *w = p->weights;
  for (int32_t v = 0, count; v < total; v += count) {
    count = mn_integer_panel(PANEL, total, v);
    panels[count - 1](p, w, v * MN_LANES);
    w += (ptrdiff_t)p->lines * p->groups * count * BYTES;
  }
}

/* ---- Depthwise ------------------------------------------------------------------------------*/
MN_INLINE void depthwise_line(const int vectors, const mn_integer_depthwise *d) {
  vf scale[QUAD], s[QUAD] = {{0}}, q[QUAD] = {{0}};
  vi start[QUAD];
  MN_UNROLL for (int j = 0; j < QUAD; j++) {
    scale[j] = load(d->scale + j * MN_LANES);
    start[j] = load_whole(d->start + j * MN_LANES);
  }
  const uint8_t *x = d->x;
  float *z = d->z;
  for (int32_t i = 0; i < d->width; i++, x += d->step, z += d->z_row) {
    vi acc[QUAD] = {start[0], start[1], start[2], start[3]};
    const int8_t *w = d->weights;
    for (int32_t t = 0; t < d->taps; t += QUAD, w += QUAD * BYTES) {
      vi in[QUAD], out[QUAD];
      MN_UNROLL for (int j = 0; j < QUAD; j++) in[j] = load_whole(x + d->tap_at[t + j]);
      interleave(out, in);
      MN_UNROLL for (int j = 0; j < QUAD; j++) acc[j] =
          dot(acc[j], out[j], load_whole(w + j * BYTES));
    }
    MN_UNROLL for (int j = 0; j < vectors; j++) {
      const vf v = to_real(acc[j]) * scale[j];
      store(z + j * MN_LANES, v);
      s[j] += v;
      q[j] += v * v;
    }
  }
  if (d->sum == NULL) return;
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    store(d->sum + j * MN_LANES, load(d->sum + j * MN_LANES) + s[j]);
    store(d->square + j * MN_LANES, load(d->square + j * MN_LANES) + q[j]);
  }
}

static void MN_LANE(depthwise)(const mn_integer_depthwise *d) {
  switch (d->vectors) {
    case 1: depthwise_line(1, d); break;
    case 2: depthwise_line(2, d); break;
    case 3: depthwise_line(3, d); break;
    default: depthwise_line(4, d); break;
  }
}

#define MN_TEXT1(x) #x
#define MN_TEXT(x) MN_TEXT1(x)

/* ---- The table --------------------------------------------------------------------------------*/
extern const mn_integer MN_LANE(integer);
const mn_integer MN_LANE(integer) = {.name = MN_TEXT(MN_ISA),
                                     .lanes = MN_LANES,
                                     .panel = PANEL,
                                     .read = MN_LANE(read),
                                     .product = MN_LANE(product),
                                     .depthwise = MN_LANE(depthwise)};
