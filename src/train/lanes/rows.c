/* rows.c - reading stored outputs through their view, and the sums of batch norm. Columns are taken in
 * chunks of up to four vectors, whose coefficients stay in registers while rows stream by.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/lanes/lanes_internal.h"

enum { CHUNK = 4 };

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

MN_INLINE void read_chunk(const int vectors, const bool rounds, float *y, ptrdiff_t y_row, const float *z,
                          ptrdiff_t z_row, const mn_view *view, int64_t rows, int32_t c) {
  const coefficients k = view_chunk(vectors, view, c);
  const vf step = spread(view->step), inverse = spread(view->inverse);
  for (int64_t r = 0; r < rows; r++, y += y_row, z += z_row)
    MN_UNROLL for (int j = 0; j < vectors; j++) {
      vf v = load(z + j * MN_LANES) * k.scale[j] + k.shift[j];
      v = clamp(v, k.low[j], k.high[j]);
      if (rounds) v = nearest(v * inverse) * step;
      store(y + j * MN_LANES, v);
    }
}

static void read_4(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, const mn_view *view,
                   int64_t rows, int32_t c) {
  read_chunk(CHUNK, false, y, y_row, z, z_row, view, rows, c);
}
static void read_4_rounded(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, const mn_view *view,
                           int64_t rows, int32_t c) {
  read_chunk(CHUNK, true, y, y_row, z, z_row, view, rows, c);
}
static void read_1(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, const mn_view *view,
                   int64_t rows, int32_t c) {
  read_chunk(1, false, y, y_row, z, z_row, view, rows, c);
}
static void read_1_rounded(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, const mn_view *view,
                           int64_t rows, int32_t c) {
  read_chunk(1, true, y, y_row, z, z_row, view, rows, c);
}

static void read_plain(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, int64_t rows,
                       int32_t channels) {
  for (int64_t r = 0; r < rows; r++)
    memcpy(y + r * y_row, z + r * z_row, (size_t)channels * sizeof *y);
}

void MN_LANE(read)(float *y, ptrdiff_t y_row, const float *z, ptrdiff_t z_row, const mn_view *view,
                   int64_t rows, int32_t channels) {
  if (view->scale == NULL) {
    read_plain(y, y_row, z, z_row, rows, channels);
    return;
  }
  const bool rounds = view->step > 0.0f;
  int32_t c = 0;
  for (; c + CHUNK * MN_LANES <= channels; c += CHUNK * MN_LANES)
    (rounds ? read_4_rounded : read_4)(y + c, y_row, z + c, z_row, view, rows, c);
  for (; c < channels; c += MN_LANES)
    (rounds ? read_1_rounded : read_1)(y + c, y_row, z + c, z_row, view, rows, c);
}

void MN_LANE(row_sums)(double *sum, double *square, const float *z, int64_t rows, int32_t channels) {
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

MN_INLINE void unnormalize_chunk(const int vectors, float *y, ptrdiff_t y_row, const float *g,
                                 const float *z, ptrdiff_t z_row, const float *on_g, const float *on_z,
                                 const float *constant, int64_t rows) {
  vf a[CHUNK], b[CHUNK], d[CHUNK];
  MN_UNROLL for (int j = 0; j < vectors; j++) {
    a[j] = load(on_g + j * MN_LANES);
    b[j] = load(on_z + j * MN_LANES);
    d[j] = load(constant + j * MN_LANES);
  }
  for (int64_t r = 0; r < rows; r++, y += y_row, g += z_row, z += z_row)
    MN_UNROLL for (int j = 0; j < vectors; j++)
      store(y + j * MN_LANES,
            a[j] * load(g + j * MN_LANES) + b[j] * load(z + j * MN_LANES) + d[j]);
}

static void unnormalize_4(float *y, ptrdiff_t y_row, const float *g, const float *z, ptrdiff_t z_row,
                          const float *on_g, const float *on_z, const float *constant, int64_t rows) {
  unnormalize_chunk(CHUNK, y, y_row, g, z, z_row, on_g, on_z, constant, rows);
}
static void unnormalize_1(float *y, ptrdiff_t y_row, const float *g, const float *z, ptrdiff_t z_row,
                          const float *on_g, const float *on_z, const float *constant, int64_t rows) {
  unnormalize_chunk(1, y, y_row, g, z, z_row, on_g, on_z, constant, rows);
}

void MN_LANE(unnormalize)(float *y, ptrdiff_t y_row, const float *g, const float *z, ptrdiff_t z_row,
                          const float *on_g, const float *on_z, const float *constant, int64_t rows,
                          int32_t channels) {
  int32_t c = 0;
  for (; c + CHUNK * MN_LANES <= channels; c += CHUNK * MN_LANES)
    unnormalize_4(y + c, y_row, g + c, z + c, z_row, on_g + c, on_z + c, constant + c, rows);
  for (; c < channels; c += MN_LANES)
    unnormalize_1(y + c, y_row, g + c, z + c, z_row, on_g + c, on_z + c, constant + c, rows);
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
