/* finish.c - the backward epilogue of an activation: gate, and every sum that the gradients of batch
 * norm, bias, mask and quantization range need, in the pass that last touches the gradient.
 *
 * Straight-through rule: rounding passes the gradient on; a clamp stops it and hands it to the bound.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

/* Rows per partial sum: short enough for single precision. */
enum { ROWS = 256 };

static void gate_rows(float *g, const float *z, const mn_finish *f, int64_t rows, int32_t channels,
                      int32_t c) {
  const vf scale = load(f->view.scale + c), shift = load(f->view.shift + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  vf sum = {0}, dot = {0};
  for (int64_t r = 0; r < rows; r++) {
    float *p = g + r * channels + c;
    const vf x = load(z + r * channels + c);
    const vf d = where_inside(x * scale + shift, low, high, load(p));
    store(p, d);
    sum += d;
    dot += d * x;
  }
  add_to(f->sum + c, sum);
  add_to(f->dot + c, dot);
}

static void quantized_rows(float *g, const float *z, const mn_finish *f, int64_t rows,
                           int32_t channels, int32_t c) {
  const vf scale = load(f->view.scale + c), shift = load(f->view.shift + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  const vf step = spread(f->view.step), inverse = spread(f->view.inverse);
  vf sum = {0}, dot = {0}, error = {0}, above = {0}, below = {0};
  for (int64_t r = 0; r < rows; r++) {
    float *p = g + r * channels + c;
    const vf x = load(z + r * channels + c), dy = load(p);
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
static void masked_rows(float *g, const float *z, const mn_finish *f, int64_t rows,
                        int32_t channels, int32_t c) {
  const vf scale = load(f->raw_scale + c), shift = load(f->raw_shift + c), mask = load(f->mask + c);
  const vf raw_low = load(f->raw_low + c), raw_high = load(f->raw_high + c);
  const vf low = load(f->view.low + c), high = load(f->view.high + c);
  const vf step = spread(f->view.step), inverse = spread(f->view.inverse);
  const bool rounds = f->view.step > 0.0f;
  vf sum = {0}, dot = {0}, open = {0}, error = {0}, above = {0}, below = {0};
  for (int64_t r = 0; r < rows; r++) {
    float *p = g + r * channels + c;
    const vf x = load(z + r * channels + c), u = x * scale + shift;
    const vf a = clamp(u, raw_low, raw_high);
    vf dy = load(p);
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
    store(p, d);
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

void MN_LANE(finish)(float *g, const float *z, const mn_finish *f, int64_t rows, int32_t channels) {
  if (f->view.scale == NULL) return;
  for (int64_t r = 0; r < rows; r += ROWS) {
    const int64_t n = rows - r < ROWS ? rows - r : ROWS;
    for (int32_t c = 0; c < channels; c += MN_LANES) {
      float *p = g + r * channels;
      const float *x = z + r * channels;
      if (f->mask != NULL)
        masked_rows(p, x, f, n, channels, c);
      else if (f->view.step > 0.0f)
        quantized_rows(p, x, f, n, channels, c);
      else
        gate_rows(p, x, f, n, channels, c);
    }
  }
}
