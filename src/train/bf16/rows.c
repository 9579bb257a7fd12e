/* rows.c - rows rounded to bf16 while they are read, two at a time, so that coefficients are loaded half as
 * often.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/bf16/internal.h"

enum { AHEAD = 1024 }; /* floats */

MN_INLINE void half_store(uint16_t *p, vf x) {
  *(vh *)p = rounded(x);
}

/* `count` rows, 1 or 2: a constant at every call. */
MN_INLINE void read_some(const int count, const bool rounds, uint16_t *y, const float *z,
                         const mn_view *k, const mn_walk *w) {
  const vf step = spread(k->step), inverse = spread(k->inverse);
  for (int32_t c = 0; c < w->channels; c += MN_LANES) {
    const vf scale = load(k->scale + c), shift = load(k->shift + c);
    const vf low = load(k->low + c), high = load(k->high + c);
    MN_UNROLL for (int i = 0; i < count; i++) {
      const float *from = z + i * w->from_row + c;
      __builtin_prefetch(from + AHEAD);
      vf v = clamp(load(from) * scale + shift, low, high);
      if (rounds) v = nearest(v * inverse) * step;
      half_store(y + i * w->to_row + c, v);
    }
  }
}

MN_INLINE void read_lines(const bool rounds, uint16_t *y, const float *z, const mn_view *k,
                          const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++) {
    uint16_t *to = y + line * w->to_line;
    const float *from = z + line * w->from_line;
    int64_t r = 0;
    for (; r + 1 < w->rows; r += 2)
      read_some(2, rounds, to + r * w->to_row, from + r * w->from_row, k, w);
    if (r < w->rows) read_some(1, rounds, to + r * w->to_row, from + r * w->from_row, k, w);
  }
}

static void read_stored(uint16_t *y, const float *z, const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < w->rows; r++)
      for (int32_t c = 0; c < w->channels; c += MN_LANES)
        half_store(y + line * w->to_line + r * w->to_row + c,
                   load(z + line * w->from_line + r * w->from_row + c));
}

float MN_LANE(bf16_read)(uint16_t *y, const float *z, const mn_view *view, const mn_walk *w,
                         float most) {
  (void)most;
  if (view->scale == NULL)
    read_stored(y, z, w);
  else if (view->step > 0.0f)
    read_lines(true, y, z, view, w);
  else
    read_lines(false, y, z, view, w);
  return 1.0f;
}

MN_INLINE void unnormalize_some(const int count, uint16_t *dz, const float *g, const float *z,
                                const mn_unnormalize *k, int32_t channels) {
  for (int32_t c = 0; c < channels; c += MN_LANES) {
    const vf on_g = load(k->on_g + c), on_z = load(k->on_z + c), constant = load(k->constant + c);
    MN_UNROLL for (int i = 0; i < count; i++) {
      const ptrdiff_t at = (ptrdiff_t)i * channels + c;
      __builtin_prefetch(g + AHEAD + at);
      __builtin_prefetch(z + AHEAD + at);
      half_store(dz + at, on_g * load(g + at) + (on_z * load(z + at) + constant));
    }
  }
}

float MN_LANE(bf16_unnormalize)(uint16_t *dz, const float *g, const float *z,
                                const mn_unnormalize *k, int64_t rows, int32_t channels,
                                float most) {
  int64_t r = 0;
  (void)most;
  for (; r + 1 < rows; r += 2)
    unnormalize_some(2, dz + r * channels, g + r * channels, z + r * channels, k, channels);
  if (r < rows)
    unnormalize_some(1, dz + r * channels, g + r * channels, z + r * channels, k, channels);
  return 1.0f;
}
