/* rows.c - reading stored outputs through their view, and the sums of batch norm. Memory is walked in its
 * own order, all channels of a row and then the next: in stripes of columns it would be half as fast. The
 * coefficients of narrow rows stay in registers, those of wide ones in the first cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/lanes/lanes_internal.h"

#if MN_LANES == 16
enum { NARROW = 4 }; /* vectors */
#else
enum { NARROW = 2 };
#endif
enum { AHEAD = 1024 }; /* floats */

MN_INLINE vf view_of(vf x, const bool rounds, vf scale, vf shift, vf low, vf high, vf step,
                     vf inverse) {
  vf y = clamp(x * scale + shift, low, high);
  if (rounds) y = nearest(y * inverse) * step;
  return y;
}

/* vectors: of a row; 0: more than NARROW. */
MN_INLINE void read_rows(const int vectors, const bool rounds, float *y, const float *z,
                         const mn_view *k, const mn_walk *w) {
  const vf step = spread(k->step), inverse = spread(k->inverse);
  vf scale[NARROW], shift[NARROW], low[NARROW], high[NARROW];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    scale[j] = load(k->scale + j * MN_LANES), shift[j] = load(k->shift + j * MN_LANES);
    low[j] = load(k->low + j * MN_LANES), high[j] = load(k->high + j * MN_LANES);
  }
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = y + line * w->to_line;
    const float *from = z + line * w->from_line;
    for (int64_t r = 0; r < w->rows; r++, to += w->to_row, from += w->from_row) {
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        __builtin_prefetch(from + AHEAD + j * MN_LANES);
        store(to + j * MN_LANES, view_of(load(from + j * MN_LANES), rounds, scale[j], shift[j],
                                         low[j], high[j], step, inverse));
      }
      for (int32_t c = vectors * MN_LANES; vectors == 0 && c < w->channels; c += MN_LANES) {
        __builtin_prefetch(from + AHEAD + c);
        store(to + c, view_of(load(from + c), rounds, load(k->scale + c), load(k->shift + c),
                              load(k->low + c), load(k->high + c), step, inverse));
      }
    }
  }
}

typedef void read_fn(float *y, const float *z, const mn_view *view, const mn_walk *w);
#define READ(vectors)                                                                           \
  static void read_##vectors(float *y, const float *z, const mn_view *view, const mn_walk *w) { \
    read_rows(vectors, false, y, z, view, w);                                                   \
  }                                                                                             \
  static void read_##vectors##_rounded(float *y, const float *z, const mn_view *view,           \
                                       const mn_walk *w) {                                      \
    read_rows(vectors, true, y, z, view, w);                                                    \
  }
READ(0)
READ(1)
READ(2)
#if MN_LANES == 16
READ(3)
READ(4)
static read_fn *const readers[2][NARROW + 1] = {
    {read_0, read_1, read_2, read_3, read_4},
    {read_0_rounded, read_1_rounded, read_2_rounded, read_3_rounded, read_4_rounded}};
#else
static read_fn *const readers[2][NARROW + 1] = {{read_0, read_1, read_2},
                                                {read_0_rounded, read_1_rounded, read_2_rounded}};
#endif

static int32_t narrow_vectors(const mn_walk *w) {
  return w->channels <= NARROW * MN_LANES ? w->channels / MN_LANES : 0;
}

static void read_plain(float *y, const float *z, const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < w->rows; r++)
      memcpy(y + line * w->to_line + r * w->to_row, z + line * w->from_line + r * w->from_row,
             (size_t)w->channels * sizeof *y);
}

void MN_LANE(read)(float *y, const float *z, const mn_view *view, const mn_walk *w) {
  if (view->scale == NULL) {
    read_plain(y, z, w);
    return;
  }
  readers[view->step > 0.0f][narrow_vectors(w)](y, z, view, w);
}

void MN_LANE(row_sums)(double *sum, double *square, const float *z, int64_t rows,
                       int32_t channels) {
  for (int32_t c = 0; c < channels; c += MN_LANES) {
    vf s0 = {0}, s1 = {0}, q0 = {0}, q1 = {0};
    int64_t r = 0;
    for (; r + 1 < rows; r += 2) {
      vf a = load(z + r * channels + c), b = load(z + (r + 1) * channels + c);
      s0 += a, q0 += a * a;
      s1 += b, q1 += b * b;
    }
    if (r < rows) {
      vf a = load(z + r * channels + c);
      s0 += a, q0 += a * a;
    }
    add_to(sum + c, s0 + s1);
    add_to(square + c, q0 + q1);
  }
}

MN_INLINE void unnormalize_rows(const int vectors, float *dz, const float *g, const float *z,
                                const mn_unnormalize *k, const mn_walk *w) {
  vf on_g[NARROW], on_z[NARROW], constant[NARROW];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    on_g[j] = load(k->on_g + j * MN_LANES);
    on_z[j] = load(k->on_z + j * MN_LANES);
    constant[j] = load(k->constant + j * MN_LANES);
  }
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = dz + line * w->to_line;
    const float *from_g = g + line * w->from_line, *from_z = z + line * w->from_line;
    for (int64_t r = 0; r < w->rows; r++) {
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        __builtin_prefetch(from_g + AHEAD + j * MN_LANES);
        __builtin_prefetch(from_z + AHEAD + j * MN_LANES);
        store(to + j * MN_LANES, on_g[j] * load(from_g + j * MN_LANES) +
                                     (on_z[j] * load(from_z + j * MN_LANES) + constant[j]));
      }
      for (int32_t c = vectors * MN_LANES; vectors == 0 && c < w->channels; c += MN_LANES) {
        __builtin_prefetch(from_g + AHEAD + c);
        __builtin_prefetch(from_z + AHEAD + c);
        store(to + c, load(k->on_g + c) * load(from_g + c) +
                          (load(k->on_z + c) * load(from_z + c) + load(k->constant + c)));
      }
      to += w->to_row, from_g += w->from_row, from_z += w->from_row;
    }
  }
}

typedef void unnormalize_fn(float *dz, const float *g, const float *z, const mn_unnormalize *k,
                            const mn_walk *w);
#define UNNORMALIZE(vectors)                                                     \
  static void unnormalize_##vectors(float *dz, const float *g, const float *z,   \
                                    const mn_unnormalize *k, const mn_walk *w) { \
    unnormalize_rows(vectors, dz, g, z, k, w);                                   \
  }
UNNORMALIZE(0)
UNNORMALIZE(1)
UNNORMALIZE(2)
#if MN_LANES == 16
UNNORMALIZE(3)
UNNORMALIZE(4)
static unnormalize_fn *const unnormalizers[NARROW + 1] = {
    unnormalize_0, unnormalize_1, unnormalize_2, unnormalize_3, unnormalize_4};
#else
static unnormalize_fn *const unnormalizers[NARROW + 1] = {unnormalize_0, unnormalize_1,
                                                          unnormalize_2};
#endif

void MN_LANE(unnormalize)(float *dz, const float *g, const float *z, const mn_unnormalize *k,
                          const mn_walk *w) {
  unnormalizers[narrow_vectors(w)](dz, g, z, k, w);
}

void MN_LANE(combine)(float *y, const float *a, float ka, const float *b, float kb, int64_t count) {
  const vf wa = spread(ka), wb = spread(kb);
  for (int64_t i = 0; i < count; i += MN_LANES) store(y + i, wa * load(a + i) + wb * load(b + i));
}

void MN_LANE(scale)(float *y, const float *x, float k, bool accumulate, int64_t count) {
  const vf w = spread(k);
  if (accumulate)
    for (int64_t i = 0; i < count; i += MN_LANES) store(y + i, load(y + i) + w * load(x + i));
  else
    for (int64_t i = 0; i < count; i += MN_LANES) store(y + i, w * load(x + i));
}

double MN_LANE(dot)(const float *a, const float *b, int64_t count) {
  enum { CHAINS = 4 };
  vf acc[CHAINS] = {{0}};
  int64_t i = 0;
  for (; i + CHAINS * MN_LANES <= count; i += CHAINS * MN_LANES)
    MN_UNROLL for (int j = 0; j < CHAINS; j++) acc[j] +=
        load(a + i + j * MN_LANES) * load(b + i + j * MN_LANES);
  for (; i < count; i += MN_LANES) acc[0] += load(a + i) * load(b + i);
  acc[0] = (acc[0] + acc[1]) + (acc[2] + acc[3]);
  double sum = 0;
  for (int l = 0; l < MN_LANES; l++) sum += (double)acc[0][l];
  return sum;
}

/* Low and high halves of pairs. */
MN_INLINE vu woven(vh low, vh high) {
  return __builtin_convertvector(low, vu) | __builtin_convertvector(high, vu) << 16;
}

void MN_LANE(weave)(uint32_t *to, const uint16_t *from, int32_t rows, int32_t columns) {
  for (int32_t r = 0; r < rows; r += 2, to += columns) {
    const uint16_t *low = from + (ptrdiff_t)r * columns, *high = low + columns;
    int32_t c = 0;
    if (r + 1 == rows) {
      for (; c < columns; c++) to[c] = low[c];
      return;
    }
    for (; c + MN_LANES <= columns; c += MN_LANES)
      *(vu *)(to + c) = woven(*(const vh *)(low + c), *(const vh *)(high + c));
    for (; c < columns; c++) to[c] = (uint32_t)high[c] << 16 | low[c];
  }
}
