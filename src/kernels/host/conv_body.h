/* conv_body.h - convolution and fully connected as a product of matrices: a tile of positions times up
 * to MOST_VECTORS vectors of output channels at a time, as many as the registers hold sums (TILE_OF_*).
 * Included after rounding_body.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_CONV_BODY_H
#define MN_KERNELS_CONV_BODY_H

#include "kernels/host/plane_body.h"

typedef struct product {
  int32_t outputs;
  int32_t kernel_h, groups; /* groups: of one kernel row */
  int64_t kernel_row;       /* plane elements from one kernel row to the next */
  const weight_value *weights;
  const int32_t *bias;
  channels channels;
} product;

/* Where a tile of positions reads and writes. */
typedef struct tile {
  const plane_value *x[MOST_TILE];
  int8_t *y[MOST_TILE];
} tile;

/* `count` vectors of bytes, `vectors` for each position, from channel `o` on; y has room for `room`. */
static inline __attribute__((always_inline)) void store_tile(int8_t *const *y, int32_t o, vec bytes,
                                                             int32_t room, const int32_t count,
                                                             const int32_t vectors) {
  room = room < vectors * LANES ? room : vectors * LANES;
#pragma GCC unroll 4
  for (int32_t v = 0; v < count; v += vectors)
    store_part(y[v / vectors] + o, bytes, v, room, vectors);
}

/* Sums [positions][vectors] for `vectors` vectors of channels from `first` on. Both counts are constants
 * at every call, so that all loops over them unroll. */
static inline __attribute__((always_inline)) void product_sums(vec *sums, const product *p,
                                                               const tile *at, int32_t first,
                                                               const int32_t positions,
                                                               const int32_t vectors) {
  vec acc[MOST_TILE][MOST_VECTORS];
  int64_t stream = (int64_t)p->kernel_h * p->groups * LANES * GROUP;
  const weight_value *w = p->weights + first * stream;
#pragma GCC unroll 16
  for (int32_t m = 0; m < positions; m++)
#pragma GCC unroll 4
    for (int32_t v = 0; v < vectors; v++) acc[m][v] = load(p->bias + (first + v) * LANES);

  for (int32_t i = 0; i < p->kernel_h; i++) {
    int64_t from = i * p->kernel_row;
    for (int32_t g = 0; g < p->groups; g++, from += GROUP, w += LANES * GROUP) {
      vec weights[MOST_VECTORS];
#pragma GCC unroll 4
      for (int32_t v = 0; v < vectors; v++) weights[v] = load(w + v * stream);
#pragma GCC unroll 16
      for (int32_t m = 0; m < positions; m++) {
        vec values = splat_group(at->x[m] + from);
#pragma GCC unroll 4
        for (int32_t v = 0; v < vectors; v++) acc[m][v] = dot(acc[m][v], values, weights[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int32_t m = 0; m < positions; m++)
#pragma GCC unroll 4
    for (int32_t v = 0; v < vectors; v++) sums[m * vectors + v] = acc[m][v];
}

/* Of these sums y, four vectors at a time, or the three of a position. */
static inline __attribute__((always_inline)) void multiply(const product *p, const tile *at,
                                                           int32_t first, const int32_t positions,
                                                           const int32_t vectors) {
  vec sums[MOST_TILE * MOST_VECTORS];
  const int32_t together = vectors == 3 ? 3 : 4;
  const int32_t total = positions * vectors, count = total < together ? total : together;
  int32_t channel[4], left = p->outputs - first * LANES;
  product_sums(sums, p, at, first, positions, vectors);
#pragma GCC unroll 4
  for (int32_t v = 0; v < count; v++) channel[v] = (first + v % vectors) * LANES;
#pragma GCC unroll 1
  for (int32_t k = 0; k < total; k += count) {
    vec bytes = in_order(quantize(sums + k, &p->channels, channel, count));
    store_tile(at->y + k / vectors, first * LANES, bytes, left, count, vectors);
  }
}

static void multiply_tile(const product *p, const tile *at, int32_t first, int32_t vectors) {
  switch (vectors) {
    case 1: multiply(p, at, first, TILE_OF_1, 1); break;
    case 2: multiply(p, at, first, TILE_OF_2, 2); break;
#if MOST_VECTORS > 2
    case 3: multiply(p, at, first, TILE_OF_3, 3); break;
    default: multiply(p, at, first, TILE_OF_4, 4); break;
#endif
  }
}

static void multiply_one(const product *p, const tile *at, int32_t first, int32_t vectors) {
  switch (vectors) {
    case 1: multiply(p, at, first, 1, 1); break;
    case 2: multiply(p, at, first, 1, 2); break;
#if MOST_VECTORS > 2
    case 3: multiply(p, at, first, 1, 3); break;
    default: multiply(p, at, first, 1, 4); break;
#endif
  }
}

static product product_of(const mn_conv_2d *p, const mn_kernel_io *io, const plane *from) {
  int32_t lanes = (p->output_c + LANES - 1) / LANES * LANES;
  return (product){
      .outputs = p->output_c,
      .kernel_h = p->kernel_h,
      .groups = (p->kernel_w * p->input_c + GROUP - 1) / GROUP,
      .kernel_row = from->row * p->dilation_h,
      .weights = io->constant[0],
      .bias = io->constant[1],
      .channels = channels_of(io, lanes, p->output_zero_point, p->output_min, p->output_max)};
}

static walk walk_from(const mn_conv_2d *p, const plane *from, int32_t positions) {
  return (walk){.x = from->data,
                .row = from->data,
                .step = (int64_t)p->stride_w * p->input_c,
                .row_step = p->stride_h * from->row,
                .width = p->output_w,
                .left = positions};
}

/* All positions for a block of channels at a time, whose weights stay close. */
void HOST(mn_conv_2d_s8)(const void *params, const mn_kernel_io *io) {
  static const int32_t tile_of[] = {0, TILE_OF_1, TILE_OF_2, TILE_OF_3, TILE_OF_4};
  const mn_conv_2d *p = params;
  window w = window_of(p);
  plane from = make_plane(&w, io, p->input_zero_point);
  product sums = product_of(p, io, &from);
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  int32_t positions = io->rows * p->output_w;
  int32_t vectors = (p->output_c + LANES - 1) / LANES;
  int32_t blocks = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
  for (int32_t b = 0; b < blocks; b++) {
    int32_t first = vectors * b / blocks, count = vectors * (b + 1) / blocks - first;
    walk at = walk_from(p, &from, positions);
    tile t;
    int32_t size = positions == 1 ? 1 : tile_of[count];
    for (int32_t done = 0; done < positions; done += size) {
      next_positions(t.x, &at, size);
      for (int32_t m = 0; m < size; m++) /* what is too much does the last position again */
        t.y[m] = y + (done + m < positions ? done + m : positions - 1) * p->output_c;
      if (size == 1)
        multiply_one(&sums, &t, first, count);
      else
        multiply_tile(&sums, &t, first, count);
    }
  }
}

/* A 1x1 convolution over a column of `batch` positions. */
void HOST(mn_fully_connected_s8)(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  mn_conv_2d conv = {.input_h = 1,
                     .input_w = p->batch,
                     .input_c = p->inputs,
                     .output_h = 1,
                     .output_w = p->batch,
                     .output_c = p->outputs,
                     .kernel_h = 1,
                     .kernel_w = 1,
                     .stride_h = 1,
                     .stride_w = 1,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .input_zero_point = p->input_zero_point,
                     .output_zero_point = p->output_zero_point,
                     .output_min = p->output_min,
                     .output_max = p->output_max};
  HOST(mn_conv_2d_s8)(&conv, io);
}

#endif
