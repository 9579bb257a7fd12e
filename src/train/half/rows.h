/* rows.h - walks over rows that become 16-bit factors, two rows at a time, so that coefficients are loaded half
 * as often. A file that includes it has pairs.h and says before what `take` does.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_HALF_ROWS_H
#define MN_TRAIN_HALF_ROWS_H

enum { AHEAD = 1024 }; /* floats */

/* ---- Stored values ------------------------------------------------------------------------------*/
/* Of compact values no walk rounds to a grid. */
typedef enum kind { PLAIN, VIEWED, ROUNDED, COMPACT_PLAIN, COMPACT_VIEWED } kind;

/* `count` rows, 1 or 2; constants at every call. */
MN_INLINE void read_some(const pass when, const kind how, const int count, sink *s, uint16_t *y,
                         const void *z, const mn_view *k, const mn_walk *w) {
  const bool compact = how >= COMPACT_PLAIN, plain = how == PLAIN || how == COMPACT_PLAIN;
  const vf step = spread(k->step), inverse = spread(k->inverse);
  for (int32_t c = 0; c < w->channels; c += MN_LANES) {
    vf scale = {0}, shift = {0}, low = {0}, high = {0};
    if (!plain) {
      scale = load(k->scale + c), shift = load(k->shift + c);
      low = load(k->low + c), high = load(k->high + c);
    }
    MN_UNROLL for (int i = 0; i < count; i++) {
      const ptrdiff_t from = i * w->from_row + c;
      vf v = form_load(mn_form_of_z(compact), z, from);
      if (when != STORES) __builtin_prefetch(form_at(mn_form_of_z(compact), z, from + AHEAD));
      if (!plain) v = clamp(v * scale + shift, low, high);
      if (how == ROUNDED) v = nearest(v * inverse) * step;
      take(when, s, y + i * w->to_row + c, v);
    }
  }
}

MN_INLINE void read_lines(const pass when, const kind how, sink *s, uint16_t *y, const void *z,
                          const mn_view *k, const mn_walk *w) {
  for (int32_t line = 0; line < w->lines; line++) {
    uint16_t *to = y + line * w->to_line;
    for (int64_t r = 0; r < w->rows; r += 2) {
      const void *from =
          form_at(mn_form_of_z(how >= COMPACT_PLAIN), z, line * w->from_line + r * w->from_row);
      if (r + 1 < w->rows)
        read_some(when, how, 2, s, to + r * w->to_row, from, k, w);
      else
        read_some(when, how, 1, s, to + r * w->to_row, from, k, w);
    }
  }
}

/* How the rows are viewed is a constant of each walk. */
MN_INLINE void read_rows(const pass when, sink *s, uint16_t *y, const void *z, const mn_view *k,
                         const mn_walk *w) {
  if (k->compact && k->scale == NULL)
    read_lines(when, COMPACT_PLAIN, s, y, z, k, w);
  else if (k->compact)
    read_lines(when, COMPACT_VIEWED, s, y, z, k, w);
  else if (k->scale == NULL)
    read_lines(when, PLAIN, s, y, z, k, w);
  else if (k->step > 0.0f)
    read_lines(when, ROUNDED, s, y, z, k, w);
  else
    read_lines(when, VIEWED, s, y, z, k, w);
}

/* ---- Gradients ----------------------------------------------------------------------------------*/
MN_INLINE void unnormalize_some(const pass when, const bool compact, const int count, sink *s,
                                uint16_t *dz, const void *g, const void *z, const mn_unnormalize *k,
                                int32_t channels) {
  for (int32_t c = 0; c < channels; c += MN_LANES) {
    const vf on_g = load(k->on_g + c), on_z = load(k->on_z + c), constant = load(k->constant + c);
    MN_UNROLL for (int i = 0; i < count; i++) {
      const ptrdiff_t at = (ptrdiff_t)i * channels + c;
      if (when != STORES) {
        __builtin_prefetch(form_at(mn_form_of_g(compact), g, AHEAD + at));
        __builtin_prefetch(form_at(mn_form_of_z(compact), z, AHEAD + at));
      }
      take(when, s, dz + at,
           on_g * form_load(mn_form_of_g(compact), g, at) +
               (on_z * form_load(mn_form_of_z(compact), z, at) + constant));
    }
  }
}

MN_INLINE void unnormalize_pairs(const pass when, const bool compact, sink *s, uint16_t *dz,
                                 const void *g, const void *z, const mn_unnormalize *k,
                                 int64_t rows, int32_t channels) {
  for (int64_t r = 0; r < rows; r += 2) {
    const ptrdiff_t at = r * channels;
    const void *from_g = form_at(mn_form_of_g(compact), g, at),
               *from_z = form_at(mn_form_of_z(compact), z, at);
    if (r + 1 < rows)
      unnormalize_some(when, compact, 2, s, dz + at, from_g, from_z, k, channels);
    else
      unnormalize_some(when, compact, 1, s, dz + at, from_g, from_z, k, channels);
  }
}

MN_INLINE void unnormalize_rows(const pass when, sink *s, uint16_t *dz, const void *g,
                                const void *z, const mn_unnormalize *k, int64_t rows,
                                int32_t channels) {
  if (k->compact)
    unnormalize_pairs(when, true, s, dz, g, z, k, rows, channels);
  else
    unnormalize_pairs(when, false, s, dz, g, z, k, rows, channels);
}

#endif
