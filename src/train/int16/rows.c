/* rows.c - rows made 16-bit integers while they are read: once for the greatest magnitude, once for the
 * integers; the second time they lie in a cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/int16/internal.h"

enum { AHEAD = 1024 }; /* floats */

/* What becomes of values: the greatest of their magnitudes, or integers. */
typedef struct sink {
  vf magnitude;
  float inverse;
} sink;

MN_INLINE void take(const bool stores, sink *s, uint16_t *to, vf x) {
  if (stores) {
    const vi q = __builtin_convertvector(nearest(x * s->inverse), vi);
    *(vh *)to = __builtin_convertvector((vu)q, vh);
    return;
  }
  s->magnitude = greater((vf)((vu)x & 0x7fffffffu), s->magnitude);
}

static mn_half_scale scale_of(const sink *s, float most) {
  uint32_t greatest = 0;
  for (int i = 0; i < MN_LANES; i++) {
    const uint32_t x = mn_magnitude(s->magnitude[i]);
    if (x > greatest) greatest = x;
  }
  return mn_half_scale_of(greatest, most);
}

/* ---- Stored values ------------------------------------------------------------------------------*/
typedef enum kind { PLAIN, VIEWED, ROUNDED } kind;

/* `count` rows, 1 or 2; constants at every call. Two, so that coefficients are loaded half as often. */
MN_INLINE void read_some(const bool stores, const kind how, const int count, sink *s, uint16_t *y,
                         const float *z, const mn_view *k, const mn_walk *w) {
  const vf step = spread(k->step), inverse = spread(k->inverse);
  for (int32_t c = 0; c < w->channels; c += MN_LANES) {
    vf scale = {0}, shift = {0}, low = {0}, high = {0};
    if (how != PLAIN) {
      scale = load(k->scale + c), shift = load(k->shift + c);
      low = load(k->low + c), high = load(k->high + c);
    }
    MN_UNROLL for (int i = 0; i < count; i++) {
      const float *from = z + i * w->from_row + c;
      vf v = load(from);
      if (!stores) __builtin_prefetch(from + AHEAD);
      if (how != PLAIN) v = clamp(v * scale + shift, low, high);
      if (how == ROUNDED) v = nearest(v * inverse) * step;
      take(stores, s, y + i * w->to_row + c, v);
    }
  }
}

MN_INLINE void read_lines(const bool stores, const kind how, sink *s, uint16_t *y, const float *z,
                          const mn_view *k, const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++) {
    uint16_t *to = y + line * w->to_line;
    const float *from = z + line * w->from_line;
    int64_t r = 0;
    for (; r + 1 < w->rows; r += 2)
      read_some(stores, how, 2, s, to + r * w->to_row, from + r * w->from_row, k, w);
    if (r < w->rows) read_some(stores, how, 1, s, to + r * w->to_row, from + r * w->from_row, k, w);
  }
}

MN_INLINE float read_twice(const kind how, uint16_t *y, const float *z, const mn_view *k,
                           const mn_walk *w, float most) {
  sink s = {0};
  read_lines(false, how, &s, y, z, k, w);
  const mn_half_scale scale = scale_of(&s, most);
  s.inverse = scale.inverse;
  read_lines(true, how, &s, y, z, k, w);
  return scale.scale;
}

float MN_LANE(int16_read)(uint16_t *y, const float *z, const mn_view *view, const mn_walk *w,
                          float most) {
  if (view->scale == NULL) return read_twice(PLAIN, y, z, view, w, most);
  if (view->step > 0.0f) return read_twice(ROUNDED, y, z, view, w, most);
  return read_twice(VIEWED, y, z, view, w, most);
}

/* ---- Gradients ----------------------------------------------------------------------------------*/
MN_INLINE void unnormalize_some(const bool stores, const int count, sink *s, uint16_t *dz,
                                const float *g, const float *z, const mn_unnormalize *k,
                                int32_t channels) {
  for (int32_t c = 0; c < channels; c += MN_LANES) {
    const vf on_g = load(k->on_g + c), on_z = load(k->on_z + c), constant = load(k->constant + c);
    MN_UNROLL for (int i = 0; i < count; i++) {
      const ptrdiff_t at = (ptrdiff_t)i * channels + c;
      if (!stores) {
        __builtin_prefetch(g + AHEAD + at);
        __builtin_prefetch(z + AHEAD + at);
      }
      take(stores, s, dz + at, on_g * load(g + at) + (on_z * load(z + at) + constant));
    }
  }
}

MN_INLINE void unnormalize_rows(const bool stores, sink *s, uint16_t *dz, const float *g,
                                const float *z, const mn_unnormalize *k, int64_t rows,
                                int32_t channels) {
  int64_t r = 0;
  for (; r + 1 < rows; r += 2)
    unnormalize_some(stores, 2, s, dz + r * channels, g + r * channels, z + r * channels, k,
                     channels);
  if (r < rows)
    unnormalize_some(stores, 1, s, dz + r * channels, g + r * channels, z + r * channels, k,
                     channels);
}

float MN_LANE(int16_unnormalize)(uint16_t *dz, const float *g, const float *z,
                                 const mn_unnormalize *k, int64_t rows, int32_t channels,
                                 float most) {
  sink s = {0};
  unnormalize_rows(false, &s, dz, g, z, k, rows, channels);
  const mn_half_scale scale = scale_of(&s, most);
  s.inverse = scale.inverse;
  unnormalize_rows(true, &s, dz, g, z, k, rows, channels);
  return scale.scale;
}
