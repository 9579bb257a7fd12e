/* conv_body.h - convolution and fully connected as a product of matrices: TILE positions times up to 4
 * vectors of output channels at a time, sums kept in registers. Included after a simd_*.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_CONV_BODY_H
#define MN_KERNELS_CONV_BODY_H

#include "kernels/host/plane_body.h"

#define TILE 6
#define MOST_VECTORS 4

typedef struct product {
  int32_t outputs;
  int32_t kernel_h, groups; /* groups: of one kernel row */
  int64_t kernel_row;       /* plane elements from one kernel row to the next */
  const weight_value *weights;
  const int32_t *bias, *multiplier, *shift;
  vec zero_point, low, high;
} product;

/* y [positions][outputs] for `vectors` vectors of channels from `first` on. Both counts are constants
 * at every call, so that all loops over them unroll. */
static inline __attribute__((always_inline)) void multiply(const product *p, int8_t *const *y,
                                                           const plane_value *const *x,
                                                           int32_t first, const int32_t positions,
                                                           const int32_t vectors) {
  vec acc[TILE][MOST_VECTORS];
  int64_t stream = (int64_t)p->kernel_h * p->groups * LANES * GROUP;
  const weight_value *w = p->weights + first * stream;
  for (int32_t m = 0; m < positions; m++)
    for (int32_t v = 0; v < vectors; v++) acc[m][v] = load(p->bias + (first + v) * LANES);

  for (int32_t i = 0; i < p->kernel_h; i++) {
    int64_t from = i * p->kernel_row;
    for (int32_t g = 0; g < p->groups; g++, from += GROUP, w += LANES * GROUP) {
      vec weights[MOST_VECTORS];
      for (int32_t v = 0; v < vectors; v++) weights[v] = load(w + v * stream);
      for (int32_t m = 0; m < positions; m++) {
        vec values = splat_group(x[m] + from);
        for (int32_t v = 0; v < vectors; v++) acc[m][v] = dot(acc[m][v], values, weights[v]);
      }
    }
  }

  for (int32_t v = 0; v < vectors; v++) {
    int32_t o = (first + v) * LANES;
    scaling s = scaling_of(load(p->multiplier + o), load(p->shift + o));
    for (int32_t m = 0; m < positions; m++)
      store_s8(y[m] + o, clamp(add(requantize(acc[m][v], &s), p->zero_point), p->low, p->high),
               p->outputs - o);
  }
}

static void multiply_tile(const product *p, int8_t *const *y, const plane_value *const *x,
                          int32_t first, int32_t vectors) {
  switch (vectors) {
    case 1: multiply(p, y, x, first, TILE, 1); break;
    case 2: multiply(p, y, x, first, TILE, 2); break;
    case 3: multiply(p, y, x, first, TILE, 3); break;
    default: multiply(p, y, x, first, TILE, 4); break;
  }
}

static void multiply_one(const product *p, int8_t *const *y, const plane_value *const *x,
                         int32_t first, int32_t vectors) {
  switch (vectors) {
    case 1: multiply(p, y, x, first, 1, 1); break;
    case 2: multiply(p, y, x, first, 1, 2); break;
    case 3: multiply(p, y, x, first, 1, 3); break;
    default: multiply(p, y, x, first, 1, 4); break;
  }
}

/* All output channels, in blocks of nearly equal numbers of vectors. */
static void all_channels(const product *p, int8_t *const *y, const plane_value *const *x,
                         int32_t positions) {
  int32_t vectors = (p->outputs + LANES - 1) / LANES;
  int32_t blocks = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
  for (int32_t b = 0; b < blocks; b++) {
    int32_t first = vectors * b / blocks, count = vectors * (b + 1) / blocks - first;
    if (positions == TILE)
      multiply_tile(p, y, x, first, count);
    else
      multiply_one(p, y, x, first, count);
  }
}

static product product_of(const mn_conv_2d *p, const mn_kernel_io *io, const plane *from) {
  return (product){.outputs = p->output_c,
                   .kernel_h = p->kernel_h,
                   .groups = (p->kernel_w * p->input_c + GROUP - 1) / GROUP,
                   .kernel_row = from->row * p->dilation_h,
                   .weights = io->constant[0],
                   .bias = io->constant[1],
                   .multiplier = io->constant[2],
                   .shift = io->constant[3],
                   .zero_point = splat(p->output_zero_point),
                   .low = splat(p->output_min),
                   .high = splat(p->output_max)};
}

void HOST(mn_conv_2d_s8)(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  window w = window_of(p);
  plane from = make_plane(&w, io, p->input_zero_point);
  product sums = product_of(p, io, &from);
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  int32_t positions = io->rows * p->output_w;
  const plane_value *x[TILE];
  int8_t *to[TILE];
  for (int32_t first = 0, count; first < positions; first += count) {
    count = positions - first >= TILE ? TILE : 1;
    for (int32_t m = 0; m < count; m++) {
      int32_t h = (first + m) / p->output_w, column = (first + m) % p->output_w;
      x[m] = from.data + h * p->stride_h * from.row + column * p->stride_w * p->input_c;
      to[m] = y + (first + m) * p->output_c;
    }
    all_channels(&sums, to, x, count);
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
