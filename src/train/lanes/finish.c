/* finish.c - the backward epilogue of an activation: gate, and every sum that the gradients of batch
 * norm, bias, mask and quantization range need, in the pass that last touches the gradient.
 *
 * Straight-through rule: rounding passes the gradient on; a clamp stops it and hands it to the bound.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

/* Rows per partial sum: short enough for single precision. z of rows ahead is fetched: a pool has not read it. */
enum { ROWS = 256, AHEAD = 8 };
/* What is stored is what was there or 0, so that nothing is rounded. */
MN_INLINE void gate_some(const bool compact, void *g, const void *z, const mn_finish *f,
                         int64_t rows, int32_t channels, int32_t c) {
  const mn_form of_z = mn_form_of_z(compact), of_g = mn_form_of_g(compact);
  const vf scale = load(f->view.scale + c), shift = load(f->view.shift + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  vf sum = {0}, dot = {0};
  for (int64_t r = 0; r < rows; r++) {
    const ptrdiff_t at = r * channels + c;
    __builtin_prefetch(form_at(of_z, z, at + AHEAD * channels));
    const vf x = form_load(of_z, z, at);
    const vf d = where_inside(x * scale + shift, low, high, form_load(of_g, g, at));
    form_store_exact(of_g, g, at, d);
    sum += d;
    dot += d * x;
  }
  add_to(f->sum + c, sum);
  add_to(f->dot + c, dot);
}

static void gate_rows(void *g, const void *z, const mn_finish *f, int64_t rows, int32_t channels,
                      int32_t c) {
  if (f->view.compact)
    gate_some(true, g, z, f, rows, channels, c);
  else
    gate_some(false, g, z, f, rows, channels, c);
}

static void quantized_rows(void *g, const void *z, const mn_finish *f, int64_t rows,
                           int32_t channels, int32_t c) {
  const vf scale = load(f->view.scale + c), shift = load(f->view.shift + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  const vf step = spread(f->view.step), inverse = spread(f->view.inverse);
  vf sum = {0}, dot = {0}, error = {0}, above = {0}, below = {0};
  for (int64_t r = 0; r < rows; r++) {
    float *p = (float *)g + r * channels + c;
    const vf x = load((const float *)z + r * channels + c), dy = load(p);
    const vf u = x * scale + shift, w = clamp(u, low, high);
    error += dy * (nearest(w * inverse) * step - w);
    above += where_greater(u, high, dy);
    below += where_greater(low, u, dy);
    const vf d = where_inside(u, low, high, dy);
    store(p, d);
    sum += d;
    dot += d * x;
  }
  add_to(f->sum + c, sum);
  add_to(f->dot + c, dot);
  add_to(f->error + c, error);
  add_to(f->above + c, above);
  add_to(f->below + c, below);
}

/* Where a mask may be exactly 0 its gradient is still wanted, so the activation is taken without it. */
MN_INLINE void masked_some(const bool compact, const bool rounds, void *g, const void *z,
                           const mn_finish *f, int64_t rows, int32_t channels, int32_t c) {
  const mn_form of_z = mn_form_of_z(compact), of_g = mn_form_of_g(compact);
  const vf scale = load(f->raw_scale + c), shift = load(f->raw_shift + c), mask = load(f->mask + c);
  const vf raw_low = load(f->raw_low + c), raw_high = load(f->raw_high + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  const vf step = spread(f->view.step), inverse = spread(f->view.inverse);
  vf sum = {0}, dot = {0}, open = {0}, error = {0}, above = {0}, below = {0};
  for (int64_t r = 0; r < rows; r++) {
    const ptrdiff_t at = r * channels + c;
    __builtin_prefetch(form_at(of_z, z, at + AHEAD * channels));
    const vf x = form_load(of_z, z, at), u = x * scale + shift;
    const vf a = clamp(u, raw_low, raw_high);
    vf dy = form_load(of_g, g, at);
    if (rounds) {
      const vf masked = mask * a, w = clamp(masked, low, high);
      error += dy * (nearest(w * inverse) * step - w);
      const vf over = where_greater(masked, high, dy), under = where_greater(low, masked, dy);
      above += over;
      below += under;
      dy -= over + under;
    }
    open += dy * a;
    const vf d = where_inside(u, raw_low, raw_high, dy * mask);
    form_store(of_g, g, at, d);
    sum += d;
    dot += d * x;
  }
  add_to(f->sum + c, sum);
  add_to(f->dot + c, dot);
  add_to(f->open + c, open);
  add_to(f->error + c, error);
  add_to(f->above + c, above);
  add_to(f->below + c, below);
}

static void masked_rows(void *g, const void *z, const mn_finish *f, int64_t rows, int32_t channels,
                        int32_t c) {
  if (f->view.compact)
    masked_some(true, false, g, z, f, rows, channels, c);
  else if (f->view.step > 0.0f)
    masked_some(false, true, g, z, f, rows, channels, c);
  else
    masked_some(false, false, g, z, f, rows, channels, c);
}

typedef void rows_fn(void *g, const void *z, const mn_finish *f, int64_t rows, int32_t channels,
                     int32_t c);

void MN_LANE(finish)(void *g, const void *z, const mn_finish *f, int64_t rows, int32_t channels) {
  const mn_form of_z = mn_form_of_z(f->view.compact);
  rows_fn *const finish_rows = f->mask != NULL       ? masked_rows
                               : f->view.step > 0.0f ? quantized_rows
                                                     : gate_rows;
  if (f->view.scale == NULL) return;
  for (int64_t r = 0; r < rows; r += ROWS) {
    const int64_t n = rows - r < ROWS ? rows - r : ROWS;
    const ptrdiff_t bytes = r * channels * mn_form_bytes(of_z); /* z and g are of one size */
    for (int32_t c = 0; c < channels; c += MN_LANES)
      finish_rows((char *)g + bytes, (const char *)z + bytes, f, n, channels, c);
  }
}
