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
MN_INLINE void read_rows(const int vectors, const bool rounds, const bool compact, float *y,
                         const void *z, const mn_view *k, const mn_walk *w) {
  const vf step = spread(k->step), inverse = spread(k->inverse);
  vf scale[NARROW], shift[NARROW], low[NARROW], high[NARROW];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    scale[j] = load(k->scale + j * MN_LANES), shift[j] = load(k->shift + j * MN_LANES);
    low[j] = load(k->low + j * MN_LANES), high[j] = load(k->high + j * MN_LANES);
  }
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = y + line * w->to_line;
    ptrdiff_t from = line * w->from_line;
    for (int64_t r = 0; r < w->rows; r++, to += w->to_row, from += w->from_row) {
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = from + j * MN_LANES;
        __builtin_prefetch(form_at(mn_form_of_z(compact), z, at + AHEAD));
        store(to + j * MN_LANES, view_of(form_load(mn_form_of_z(compact), z, at), rounds, scale[j],
                                         shift[j], low[j], high[j], step, inverse));
      }
      for (int32_t c = vectors * MN_LANES; vectors == 0 && c < w->channels; c += MN_LANES) {
        __builtin_prefetch(form_at(mn_form_of_z(compact), z, from + c + AHEAD));
        store(to + c,
              view_of(form_load(mn_form_of_z(compact), z, from + c), rounds, load(k->scale + c),
                      load(k->shift + c), load(k->low + c), load(k->high + c), step, inverse));
      }
    }
  }
}

/* Compact outputs are not rounded to a grid in the same pass. */
typedef void read_fn(float *y, const void *z, const mn_view *view, const mn_walk *w);
#define READ(vectors)                                                                          \
  static void read_##vectors(float *y, const void *z, const mn_view *view, const mn_walk *w) { \
    read_rows(vectors, false, false, y, z, view, w);                                           \
  }                                                                                            \
  static void read_##vectors##_rounded(float *y, const void *z, const mn_view *view,           \
                                       const mn_walk *w) {                                     \
    read_rows(vectors, true, false, y, z, view, w);                                            \
  }                                                                                            \
  static void read_##vectors##_compact(float *y, const void *z, const mn_view *view,           \
                                       const mn_walk *w) {                                     \
    read_rows(vectors, false, true, y, z, view, w);                                            \
  }
enum { VIEWED, ROUNDED, COMPACT, WAYS };
READ(0)
READ(1)
READ(2)
#if MN_LANES == 16
READ(3)
READ(4)
static read_fn *const readers[WAYS][NARROW + 1] = {
    {read_0, read_1, read_2, read_3, read_4},
    {read_0_rounded, read_1_rounded, read_2_rounded, read_3_rounded, read_4_rounded},
    {read_0_compact, read_1_compact, read_2_compact, read_3_compact, read_4_compact}};
#else
static read_fn *const readers[WAYS][NARROW + 1] = {
    {read_0, read_1, read_2},
    {read_0_rounded, read_1_rounded, read_2_rounded},
    {read_0_compact, read_1_compact, read_2_compact}};
#endif

static int32_t narrow_vectors(const mn_walk *w) {
  return w->channels <= NARROW * MN_LANES ? w->channels / MN_LANES : 0;
}

static void read_plain(float *y, const void *z, bool compact, const mn_walk *w) {
  const mn_form form = mn_form_of_z(compact);
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < w->rows; r++) {
      const void *from = form_at(form, z, line * w->from_line + r * w->from_row);
      MN_LANE(widen)(y + line * w->to_line + r * w->to_row, from, form, w->channels);
    }
}

void MN_LANE(read)(float *y, const void *z, const mn_view *view, const mn_walk *w) {
  if (view->scale == NULL) {
    read_plain(y, z, view->compact, w);
    return;
  }
  const int way = view->compact ? COMPACT : view->step > 0.0f ? ROUNDED : VIEWED;
  readers[way][narrow_vectors(w)](y, z, view, w);
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

MN_INLINE void unnormalize_rows(const int vectors, const bool compact, float *dz, const void *g,
                                const void *z, const mn_unnormalize *k, const mn_walk *w) {
  vf on_g[NARROW], on_z[NARROW], constant[NARROW];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    on_g[j] = load(k->on_g + j * MN_LANES);
    on_z[j] = load(k->on_z + j * MN_LANES);
    constant[j] = load(k->constant + j * MN_LANES);
  }
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = dz + line * w->to_line;
    ptrdiff_t from = line * w->from_line;
    for (int64_t r = 0; r < w->rows; r++) {
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = from + j * MN_LANES;
        __builtin_prefetch(form_at(mn_form_of_g(compact), g, at + AHEAD));
        __builtin_prefetch(form_at(mn_form_of_z(compact), z, at + AHEAD));
        store(to + j * MN_LANES,
              on_g[j] * form_load(mn_form_of_g(compact), g, at) +
                  (on_z[j] * form_load(mn_form_of_z(compact), z, at) + constant[j]));
      }
      for (int32_t c = vectors * MN_LANES; vectors == 0 && c < w->channels; c += MN_LANES) {
        const ptrdiff_t at = from + c;
        __builtin_prefetch(form_at(mn_form_of_g(compact), g, at + AHEAD));
        __builtin_prefetch(form_at(mn_form_of_z(compact), z, at + AHEAD));
        store(to + c, load(k->on_g + c) * form_load(mn_form_of_g(compact), g, at) +
                          (load(k->on_z + c) * form_load(mn_form_of_z(compact), z, at) +
                           load(k->constant + c)));
      }
      to += w->to_row, from += w->from_row;
    }
  }
}

typedef void unnormalize_fn(float *dz, const void *g, const void *z, const mn_unnormalize *k,
                            const mn_walk *w);
#define UNNORMALIZE(vectors)                                                               \
  static void unnormalize_##vectors(float *dz, const void *g, const void *z,               \
                                    const mn_unnormalize *k, const mn_walk *w) {           \
    unnormalize_rows(vectors, false, dz, g, z, k, w);                                      \
  }                                                                                        \
  static void unnormalize_##vectors##_compact(float *dz, const void *g, const void *z,     \
                                              const mn_unnormalize *k, const mn_walk *w) { \
    unnormalize_rows(vectors, true, dz, g, z, k, w);                                       \
  }
UNNORMALIZE(0)
UNNORMALIZE(1)
UNNORMALIZE(2)
#if MN_LANES == 16
UNNORMALIZE(3)
UNNORMALIZE(4)
static unnormalize_fn *const unnormalizers[2][NARROW + 1] = {
    {unnormalize_0, unnormalize_1, unnormalize_2, unnormalize_3, unnormalize_4},
    {unnormalize_0_compact, unnormalize_1_compact, unnormalize_2_compact, unnormalize_3_compact,
     unnormalize_4_compact}};
#else
static unnormalize_fn *const unnormalizers[2][NARROW + 1] = {
    {unnormalize_0, unnormalize_1, unnormalize_2},
    {unnormalize_0_compact, unnormalize_1_compact, unnormalize_2_compact}};
#endif

void MN_LANE(unnormalize)(float *dz, const void *g, const void *z, const mn_unnormalize *k,
                          const mn_walk *w) {
  unnormalizers[k->compact][narrow_vectors(w)](dz, g, z, k, w);
}

MN_INLINE void combine_to(const mn_form form, void *y, const float *a, float ka, const float *b,
                          float kb, int64_t count) {
  const vf wa = spread(ka), wb = spread(kb);
  for (int64_t i = 0; i < count; i += MN_LANES)
    form_store(form, y, i, wa * load(a + i) + wb * load(b + i));
}

void MN_LANE(combine)(void *y, mn_form form, const float *a, float ka, const float *b, float kb,
                      int64_t count) {
  switch (form) {
    case MN_FORM_FLOAT: combine_to(MN_FORM_FLOAT, y, a, ka, b, kb, count); return;
    case MN_FORM_HALF: combine_to(MN_FORM_HALF, y, a, ka, b, kb, count); return;
    case MN_FORM_BF16: combine_to(MN_FORM_BF16, y, a, ka, b, kb, count); return;
  }
}

MN_INLINE void scale_to(const mn_form form, void *y, const float *x, float k, bool accumulate,
                        int64_t count) {
  const vf w = spread(k);
  if (accumulate)
    for (int64_t i = 0; i < count; i += MN_LANES)
      form_store(form, y, i, form_load(form, y, i) + w * load(x + i));
  else
    for (int64_t i = 0; i < count; i += MN_LANES) form_store(form, y, i, w * load(x + i));
}

void MN_LANE(scale)(void *y, mn_form form, const float *x, float k, bool accumulate,
                    int64_t count) {
  switch (form) {
    case MN_FORM_FLOAT: scale_to(MN_FORM_FLOAT, y, x, k, accumulate, count); return;
    case MN_FORM_HALF: scale_to(MN_FORM_HALF, y, x, k, accumulate, count); return;
    case MN_FORM_BF16: scale_to(MN_FORM_BF16, y, x, k, accumulate, count); return;
  }
}

void MN_LANE(widen)(float *y, const void *x, mn_form form, int64_t count) {
  switch (form) {
    case MN_FORM_FLOAT: memcpy(y, x, (size_t)count * sizeof *y); return;
    case MN_FORM_HALF:
      for (int64_t i = 0; i < count; i += MN_LANES) store(y + i, form_load(MN_FORM_HALF, x, i));
      return;
    case MN_FORM_BF16:
      for (int64_t i = 0; i < count; i += MN_LANES) store(y + i, form_load(MN_FORM_BF16, x, i));
      return;
  }
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
