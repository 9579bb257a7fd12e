/* rows.c - reading stored outputs through their view, and the sums of batch norm. Columns are taken in
 * chunks of up to four vectors, whose coefficients stay in registers while rows stream by.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/lanes/lanes_internal.h"

enum { CHUNK = 4, AHEAD = 16 };

typedef struct coefficients {
  vf scale[CHUNK], shift[CHUNK], low[CHUNK], high[CHUNK];
} coefficients;

MN_INLINE coefficients view_chunk(const int vectors, const mn_view *view, int32_t c) {
  coefficients k;
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    k.scale[j] = load(view->scale + c + j * MN_LANES);
    k.shift[j] = load(view->shift + c + j * MN_LANES);
    k.low[j] = load(view->low + c + j * MN_LANES);
    k.high[j] = load(view->high + c + j * MN_LANES);
  }
  return k;
}

MN_INLINE void read_chunk(const int vectors, const bool rounds, float *y, const float *z,
                          const mn_view *view, const mn_walk *w, int32_t c) {
  const coefficients k = view_chunk(vectors, view, c);
  const vf step = spread(view->step), inverse = spread(view->inverse);
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = y + line * w->to_line + c;
    const float *from = z + line * w->from_line + c;
    for (int64_t r = 0; r < w->rows; r++, to += w->to_row, from += w->from_row)
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        __builtin_prefetch(from + AHEAD * w->from_row + j * MN_LANES);
        vf v = load(from + j * MN_LANES) * k.scale[j] + k.shift[j];
        v = clamp(v, k.low[j], k.high[j]);
        if (rounds) v = nearest(v * inverse) * step;
        store(to + j * MN_LANES, v);
      }
  }
}

static void read_4(float *y, const float *z, const mn_view *view, const mn_walk *w, int32_t c) {
  read_chunk(CHUNK, false, y, z, view, w, c);
}
static void read_4_rounded(float *y, const float *z, const mn_view *view, const mn_walk *w,
                           int32_t c) {
  read_chunk(CHUNK, true, y, z, view, w, c);
}
static void read_1(float *y, const float *z, const mn_view *view, const mn_walk *w, int32_t c) {
  read_chunk(1, false, y, z, view, w, c);
}
static void read_1_rounded(float *y, const float *z, const mn_view *view, const mn_walk *w,
                           int32_t c) {
  read_chunk(1, true, y, z, view, w, c);
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
  const bool rounds = view->step > 0.0f;
  int32_t c = 0;
  for (; c + CHUNK * MN_LANES <= w->channels; c += CHUNK * MN_LANES)
    (rounds ? read_4_rounded : read_4)(y, z, view, w, c);
  for (; c < w->channels; c += MN_LANES) (rounds ? read_1_rounded : read_1)(y, z, view, w, c);
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

MN_INLINE void unnormalize_chunk(const int vectors, float *dz, const float *g, const float *z,
                                 const mn_unnormalize *k, const mn_walk *w, int32_t c) {
  vf a[CHUNK], b[CHUNK], d[CHUNK];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    a[j] = load(k->on_g + c + j * MN_LANES);
    b[j] = load(k->on_z + c + j * MN_LANES);
    d[j] = load(k->constant + c + j * MN_LANES);
  }
  for (int32_t line = 0; line < w->lines; line++) {
    float *to = dz + line * w->to_line + c;
    ptrdiff_t at = line * w->from_line + c;
    for (int64_t r = 0; r < w->rows; r++, to += w->to_row, at += w->from_row)
      MN_UNROLL for (int j = 0; j < vectors; j++) {
        __builtin_prefetch(g + at + AHEAD * w->from_row + j * MN_LANES);
        __builtin_prefetch(z + at + AHEAD * w->from_row + j * MN_LANES);
        const vf on_g = a[j] * load(g + at + j * MN_LANES);
        store(to + j * MN_LANES, on_g + (b[j] * load(z + at + j * MN_LANES) + d[j]));
      }
  }
}

static void unnormalize_4(float *dz, const float *g, const float *z, const mn_unnormalize *k,
                          const mn_walk *w, int32_t c) {
  unnormalize_chunk(CHUNK, dz, g, z, k, w, c);
}
static void unnormalize_1(float *dz, const float *g, const float *z, const mn_unnormalize *k,
                          const mn_walk *w, int32_t c) {
  unnormalize_chunk(1, dz, g, z, k, w, c);
}

void MN_LANE(unnormalize)(float *dz, const float *g, const float *z, const mn_unnormalize *k,
                          const mn_walk *w) {
  int32_t c = 0;
  for (; c + CHUNK * MN_LANES <= w->channels; c += CHUNK * MN_LANES)
    unnormalize_4(dz, g, z, k, w, c);
  for (; c < w->channels; c += MN_LANES) unnormalize_1(dz, g, z, k, w, c);
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
  vf acc = {0};
  for (int64_t i = 0; i < count; i += MN_LANES) acc += load(a + i) * load(b + i);
  double sum = 0;
  for (int i = 0; i < MN_LANES; i++) sum += (double)acc[i];
  return sum;
}
