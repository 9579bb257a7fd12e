/* pool_grad.c - average pools (windowed, whole map, MEAN) and max pools, forward and backward.
 *
 * Padding does not count in an average, as in TFLite. The maximum's gradient goes to the first of
 * equal items.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "train/engine.h"

/* The part of a window inside the map. */
typedef struct extent {
  int32_t y0, y1, x0, x1;
} extent;

static extent extent_at(const mn_unit *u, int32_t oy, int32_t ox) {
  const mn_value *x = u->input[0];
  const int32_t y0 = oy * u->window.stride_h - u->pad_top,
                x0 = ox * u->window.stride_w - u->pad_left;
  const int32_t y1 = y0 + u->window.kernel_h, x1 = x0 + u->window.kernel_w;
  return (extent){y0 < 0 ? 0 : y0, y1 > x->height ? x->height : y1, x0 < 0 ? 0 : x0,
                  x1 > x->width ? x->width : x1};
}

static const float *item_read(mn_trainer *t, const mn_value *x, float *scratch, int32_t item) {
  return mn_value_read(t, x, scratch, (int64_t)item * x->pixels, x->pixels);
}

static void *item_gradient(const mn_unit *u, int32_t item) {
  mn_value *x = u->input[0];
  void *g = mn_gradient_row(x, item * x->pixels);
  if (!u->accumulate[0]) memset(g, 0, (size_t)mn_value_offset(x, x->pixels));
  return g;
}

static void item_finish(mn_trainer *t, const mn_unit *u, int32_t shard, int32_t item) {
  mn_value *x = u->input[0];
  if (u->finish[0]) mn_value_finish(t, x, shard, (int64_t)item * x->pixels, x->pixels);
}

static float share_of(extent e) {
  return 1.0f / (float)((e.y1 - e.y0) * (e.x1 - e.x0));
}

/* ---- Average --------------------------------------------------------------------------------*/
static void average_one(mn_trainer *t, const mn_unit *u, void *z, float *sum, const float *x,
                        extent e) {
  const mn_value *in = u->input[0];
  bool begun = false;
  for (int32_t y = e.y0; y < e.y1; y++)
    for (int32_t i = e.x0; i < e.x1; i++, begun = true)
      t->lanes->scale(sum, MN_FORM_FLOAT, x + ((ptrdiff_t)y * in->width + i) * in->stride, 1.0f,
                      begun, in->stride);
  t->lanes->scale(z, mn_value_form(u->output), sum, share_of(e), false, in->stride);
}

static void average_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *y = u->output;
  float *sum = mn_scratch_of(t, thread), *spare = sum + y->stride;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *x = item_read(t, u->input[0], spare, item);
    for (int32_t p = 0; p < y->pixels; p++)
      average_one(t, u, mn_value_row(y, item * y->pixels + p), sum, x,
                  extent_at(u, p / y->width, p % y->width));
  }
}

/* Where windows overlap or there is a gradient already: all of each window grows. */
static void average_add(mn_trainer *t, const mn_unit *u, const float *gy, void *g) {
  const mn_value *x = u->input[0], *y = u->output;
  for (int32_t p = 0; p < y->pixels; p++, gy += y->stride) {
    const extent e = extent_at(u, p / y->width, p % y->width);
    for (int32_t i = e.y0; i < e.y1; i++)
      for (int32_t j = e.x0; j < e.x1; j++)
        t->lanes->scale((char *)g + mn_value_offset(x, (int64_t)i * x->width + j),
                        mn_gradient_form(x), gy, share_of(e), true, x->stride);
  }
}

/* Else each pixel takes from its window, or is 0 where it is in none. */
static void average_write(mn_trainer *t, const mn_unit *u, const float *gy, void *g) {
  const mn_value *x = u->input[0], *y = u->output;
  for (int32_t p = 0; p < x->pixels; p++) {
    const int32_t i = p / x->width, j = p % x->width;
    const int32_t oy = (i + u->pad_top) / u->window.stride_h;
    const int32_t ox = (j + u->pad_left) / u->window.stride_w;
    const bool out = oy >= y->height || ox >= y->width;
    const extent e = extent_at(u, out ? 0 : oy, out ? 0 : ox);
    const bool inside = !out && i < e.y1 && j < e.x1;
    const float *from = gy + (inside ? (ptrdiff_t)oy * y->width + ox : 0) * y->stride;
    t->lanes->scale((char *)g + mn_value_offset(x, p), mn_gradient_form(x), from,
                    inside ? share_of(e) : 0.0f, false, x->stride);
  }
}

static void average_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *x = u->input[0], *y = u->output;
  const mn_window *w = &u->window;
  const bool adds = u->accumulate[0] || w->stride_h < w->kernel_h || w->stride_w < w->kernel_w;
  if (x->input) return;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *gy = mn_gradient_read(t, y, mn_scratch_of(t, thread), item * y->pixels, y->pixels);
    if (adds)
      average_add(t, u, gy, item_gradient(u, item));
    else
      average_write(t, u, gy, mn_gradient_row(x, item * x->pixels));
    item_finish(t, u, shard, item);
  }
}

/* ---- Maximum --------------------------------------------------------------------------------*/
static ptrdiff_t largest(const mn_value *in, const float *x, extent e, int32_t c) {
  ptrdiff_t best = ((ptrdiff_t)e.y0 * in->width + e.x0) * in->stride + c;
  for (int32_t y = e.y0; y < e.y1; y++)
    for (int32_t i = e.x0; i < e.x1; i++) {
      const ptrdiff_t at = ((ptrdiff_t)y * in->width + i) * in->stride + c;
      if (x[at] > x[best]) best = at;
    }
  return best;
}

static void max_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *in = u->input[0], *y = u->output;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *x = item_read(t, in, mn_scratch_of(t, thread), item);
    float *z = mn_value_row(y, (int64_t)item * y->pixels);
    for (int32_t oy = 0; oy < y->height; oy++)
      for (int32_t ox = 0; ox < y->width; ox++, z += y->stride)
        for (int32_t c = 0; c < y->channels; c++) z[c] = x[largest(in, x, extent_at(u, oy, ox), c)];
  }
}

static void max_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  const mn_value *in = u->input[0], *y = u->output;
  if (in->input) return;
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    const float *x = item_read(t, in, mn_scratch_of(t, thread), item);
    float *g = item_gradient(u, item);
    const float *gy = mn_gradient_row(y, item * y->pixels);
    for (int32_t oy = 0; oy < y->height; oy++)
      for (int32_t ox = 0; ox < y->width; ox++, gy += y->stride)
        for (int32_t c = 0; c < y->channels; c++)
          g[largest(in, x, extent_at(u, oy, ox), c)] += gy[c];
    item_finish(t, u, shard, item);
  }
}

const mn_unit_family mn_average_family = {"average_pool_2d", average_forward, average_backward};
const mn_unit_family mn_max_family = {"max_pool_2d", max_forward, max_backward};
