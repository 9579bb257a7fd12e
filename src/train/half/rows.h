/* rows.h - walks over rows that become 16-bit factors, two rows at a time, so that coefficients are loaded half
 * as often. A file that includes it has pairs.h and says before what `take` does.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_HALF_ROWS_H
#define MN_TRAIN_HALF_ROWS_H

enum { AHEAD = 1024 }; /* floats */

/* ---- Stored values ------------------------------------------------------------------------------*/
typedef enum kind { PLAIN, VIEWED, ROUNDED } kind;

/* `count` rows, 1 or 2; constants at every call. */
MN_INLINE void read_some(const pass when, const kind how, const int count, sink *s, uint16_t *y,
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
      if (when != STORES) __builtin_prefetch(from + AHEAD);
      if (how != PLAIN) v = clamp(v * scale + shift, low, high);
      if (how == ROUNDED) v = nearest(v * inverse) * step;
      take(when, s, y + i * w->to_row + c, v);
    }
  }
}

MN_INLINE void read_lines(const pass when, const kind how, sink *s, uint16_t *y, const float *z,
                          const mn_view *k, const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++) {
    uint16_t *to = y + line * w->to_line;
    const float *from = z + line * w->from_line;
    int64_t r = 0;
    for (; r + 1 < w->rows; r += 2)
      read_some(when, how, 2, s, to + r * w->to_row, from + r * w->from_row, k, w);
    if (r < w->rows) read_some(when, how, 1, s, to + r * w->to_row, from + r * w->from_row, k, w);
  }
}

/* How the rows are viewed is a constant of each walk. */
MN_INLINE void read_rows(const pass when, sink *s, uint16_t *y, const float *z, const mn_view *k,
                         const mn_walk *w) {
  if (k->scale == NULL)
    read_lines(when, PLAIN, s, y, z, k, w);
  else if (k->step > 0.0f)
    read_lines(when, ROUNDED, s, y, z, k, w);
  else
    read_lines(when, VIEWED, s, y, z, k, w);
}

/* ---- Gradients ----------------------------------------------------------------------------------*/
MN_INLINE void unnormalize_some(const pass when, const int count, sink *s, uint16_t *dz,
                                const float *g, const float *z, const mn_unnormalize *k,
                                int32_t channels) {
  for (int32_t c = 0; c < channels; c += MN_LANES) {
    const vf on_g = load(k->on_g + c), on_z = load(k->on_z + c), constant = load(k->constant + c);
    MN_UNROLL for (int i = 0; i < count; i++) {
      const ptrdiff_t at = (ptrdiff_t)i * channels + c;
      if (when != STORES) {
        __builtin_prefetch(g + AHEAD + at);
        __builtin_prefetch(z + AHEAD + at);
      }
      take(when, s, dz + at, on_g * load(g + at) + (on_z * load(z + at) + constant));
    }
  }
}

MN_INLINE void unnormalize_rows(const pass when, sink *s, uint16_t *dz, const float *g,
                                const float *z, const mn_unnormalize *k, int64_t rows,
                                int32_t channels) {
  int64_t r = 0;
  for (; r + 1 < rows; r += 2)
    unnormalize_some(when, 2, s, dz + r * channels, g + r * channels, z + r * channels, k,
                     channels);
  if (r < rows)
    unnormalize_some(when, 1, s, dz + r * channels, g + r * channels, z + r * channels, k,
                     channels);
}

#endif
