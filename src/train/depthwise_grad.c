/* depthwise_grad.c - depthwise convolution, forward and backward, a chunk of channels of one item at a
 * time so that its padded plane stays in the first caches.
 *
 * The input gradient is a depthwise convolution too: turned weights over the output's gradient, spread
 * out by the stride. With a multiplier m, output channel o reads input channel o / m: the plane is
 * widened on the way in and summed on the way out.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

enum { CHUNK = 64 };

typedef struct geometry {
  mn_plane forward, input; /* input: the gradient's pass */
  int32_t top, left;       /* of the spread gradient in its plane */
  int32_t chunk;
  ptrdiff_t plane_floats, spread_floats;
} geometry;

static int32_t span(int32_t kernel, int32_t dilation) {
  return (kernel - 1) * dilation + 1;
}

static geometry geometry_of(const mn_unit *u) {
  const mn_window *w = &u->window;
  const mn_value *x = u->input[0], *y = u->output;
  const int32_t span_h = span(w->kernel_h, w->dilation_h),
                span_w = span(w->kernel_w, w->dilation_w);
  geometry g = {.chunk = w->multiplier == 1 ? CHUNK : y->stride};
  g.forward = (mn_plane){.stride = g.chunk,
                         .width = u->plane_w,
                         .out_h = y->height,
                         .out_w = y->width,
                         .kernel_h = w->kernel_h,
                         .kernel_w = w->kernel_w,
                         .stride_h = w->stride_h,
                         .stride_w = w->stride_w,
                         .dilation_h = w->dilation_h,
                         .dilation_w = w->dilation_w,
                         .weight_stride = y->stride};
  g.input = g.forward;
  g.input.width = x->width + span_w - 1;
  g.input.out_h = x->height, g.input.out_w = x->width;
  g.input.stride_h = g.input.stride_w = 1;
  g.top = span_h - 1 - u->pad_top;
  g.left = span_w - 1 - u->pad_left;
  g.plane_floats = (ptrdiff_t)u->plane_h * u->plane_w * g.chunk;
  g.spread_floats = (ptrdiff_t)(x->height + span_h - 1) * g.input.width * g.chunk;
  return g;
}

/* Every input channel, multiplier times. */
static void plane_widen(mn_trainer *t, const mn_unit *u, float *plane, int32_t item, float *spare) {
  const mn_value *x = u->input[0];
  const int32_t m = u->window.multiplier, n = u->output->stride;
  mn_value_plane(t, x, spare, item, 0, 0, x->width, x->stride, 0, x->stride);
  for (int32_t y = 0; y < x->height; y++)
    for (int32_t i = 0; i < x->width; i++, spare += x->stride) {
      float *to = plane + ((ptrdiff_t)(y + u->pad_top) * u->plane_w + i + u->pad_left) * n;
      for (int32_t c = 0; c < u->output->channels; c++) to[c] = spare[c / m];
    }
}

static void plane_read(mn_trainer *t, const mn_unit *u, float *plane, int32_t item, int32_t channel,
                       int32_t count, float *spare) {
  if (u->window.multiplier != 1)
    plane_widen(t, u, plane, item, spare);
  else
    mn_value_plane(t, u->input[0], plane, item, u->pad_top, u->pad_left, u->plane_w, CHUNK, channel,
                   count);
}

static int32_t chunk_at(const geometry *g, const mn_value *y, int32_t channel) {
  return y->stride - channel < g->chunk ? y->stride - channel : g->chunk;
}

static void depthwise_forward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  mn_value *y = u->output;
  geometry g = geometry_of(u);
  float *sum = t->scratch + thread * t->scratch_floats, *square = sum + y->stride;
  float *plane = square + y->stride, *spare = plane + g.plane_floats;
  const bool statistics = y->gamma != NULL && t->training;
  memset(sum, 0, (2 * (size_t)y->stride + (size_t)g.plane_floats) * sizeof *sum);
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    float *z = y->z + (int64_t)item * y->pixels * y->stride;
    for (int32_t c = 0; c < y->stride; c += g.chunk) {
      g.forward.channels = chunk_at(&g, y, c);
      plane_read(t, u, plane, item, c, g.forward.channels, spare);
      t->lanes->depthwise(z + c, y->stride, plane, u->packed + c, &g.forward,
                          statistics ? sum + c : NULL, square + c);
    }
    if (statistics) mn_value_flush(y, shard, sum);
  }
}

/* The chunk's dz, spread out by the stride in its plane; the zeros between stay from the beginning. */
static void spread_gradient(mn_trainer *t, const mn_unit *u, const geometry *g, float *spread,
                            int32_t item, int32_t channel) {
  const mn_value *y = u->output;
  const int64_t at = (int64_t)item * y->pixels * y->stride + channel;
  const mn_unnormalize k = {y->on_g + channel, y->on_z + channel, y->constant + channel};
  const mn_walk walk = {.rows = y->width,
                        .lines = y->height,
                        .channels = g->forward.channels,
                        .from_row = y->stride,
                        .from_line = (ptrdiff_t)y->width * y->stride,
                        .to_row = (ptrdiff_t)u->window.stride_w * g->chunk,
                        .to_line = (ptrdiff_t)u->window.stride_h * g->input.width * g->chunk};
  float *to = spread + ((ptrdiff_t)g->top * g->input.width + g->left) * g->chunk;
  t->lanes->unnormalize(to, y->g + at, y->z + at, &k, &walk);
}

static void chunk_weights(mn_trainer *t, mn_unit *u, const geometry *g, int32_t shard,
                          const float *plane, const float *spread, int32_t channel) {
  const float *dz = spread + ((ptrdiff_t)g->top * g->input.width + g->left) * g->chunk;
  float *gradient = u->weights->gradient + shard * u->weights->count + channel;
  t->lanes->depthwise_weights(gradient, plane, dz,
                              (ptrdiff_t)u->window.stride_h * g->input.width * g->chunk,
                              (ptrdiff_t)u->window.stride_w * g->chunk, &g->forward);
}

/* Adds (or writes) a widened gradient plane [pixels][from_row] to the item's gradient. */
static void give_narrow(const mn_unit *u, float *to, const float *from, int32_t from_row) {
  const mn_value *x = u->input[0];
  const int32_t m = u->window.multiplier;
  for (int64_t i = 0; i < x->pixels; i++, to += x->stride, from += from_row) {
    if (!u->accumulate[0]) memset(to, 0, (size_t)x->stride * sizeof *to);
    for (int32_t c = 0; c < u->output->channels; c++) to[c / m] += from[c];
  }
}

static void chunk_input(mn_trainer *t, mn_unit *u, const geometry *g, const float *spread,
                        int32_t item, int32_t channel, float *spare) {
  const mn_value *x = u->input[0];
  float *to = x->g + (int64_t)item * x->pixels * x->stride;
  if (!u->accumulate[0] && u->window.multiplier == 1) {
    t->lanes->depthwise(to + channel, x->stride, spread, u->turned + channel, &g->input, NULL,
                        NULL);
    return;
  }
  t->lanes->depthwise(spare, g->chunk, spread, u->turned + channel, &g->input, NULL, NULL);
  if (u->window.multiplier != 1) {
    give_narrow(u, to, spare, g->chunk);
    return;
  }
  for (int64_t i = 0; i < x->pixels; i++)
    t->lanes->scale(to + i * x->stride + channel, spare + i * g->chunk, 1.0f, true,
                    g->input.channels);
}

static void depthwise_backward(mn_trainer *t, mn_unit *u, int32_t shard, int32_t thread) {
  mn_value *x = u->input[0], *y = u->output;
  geometry g = geometry_of(u);
  float *plane = t->scratch + thread * t->scratch_floats, *spread = plane + g.plane_floats;
  float *spare = spread + g.spread_floats;
  memset(plane, 0, (size_t)(g.plane_floats + g.spread_floats) * sizeof *plane);
  memset(u->weights->gradient + shard * u->weights->count, 0,
         (size_t)u->weights->count * sizeof(float));
  for (int32_t item = mn_shard_first(t, shard); item < mn_shard_first(t, shard + 1); item++) {
    for (int32_t c = 0; c < y->stride; c += g.chunk) {
      g.forward.channels = g.input.channels = chunk_at(&g, y, c);
      spread_gradient(t, u, &g, spread, item, c);
      if (t->updates) {
        plane_read(t, u, plane, item, c, g.forward.channels, spare);
        chunk_weights(t, u, &g, shard, plane, spread, c);
      }
      if (!x->input) chunk_input(t, u, &g, spread, item, c, spare);
    }
    if (!x->input && u->finish[0])
      mn_value_finish(t, x, shard, (int64_t)item * x->pixels, x->pixels);
  }
}

const mn_unit_family mn_depthwise_family = {"depthwise_conv_2d", depthwise_forward,
                                            depthwise_backward};
