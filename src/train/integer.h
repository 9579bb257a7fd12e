/* integer.h - the forward pass of quantized training in integers: the sums of the int8 executor.
 *
 * Where the input of a convolution or fully connected layer is rounded to int8, it is read as bytes
 * x + 128, multiplied with the integers of the weights into int32 sums, and only the sum becomes a
 * float: z = sum * x_scale * weight_step. The backward pass stays in float (straight-through).
 * Kernels (src/train/integer/) need a dot product of bytes; machines without one multiply the same
 * fake-quantized values in float.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_INTEGER_H
#define MN_TRAIN_INTEGER_H

#include "train/engine.h"

/* z[row][n] = scale * (start + sum over lines, groups and 4 of x * weights); n outputs, a multiple of
 * the lanes. Row r begins at x + row_at[r], line l of it `line_at[l]` further on. */
typedef struct mn_integer_product {
  const uint8_t *x;
  const int32_t *row_at, *line_at;
  int32_t rows, lines, groups, n;
  const int8_t *weights; /* as mn_integer_pack orders them */
  const int32_t *start;  /* [n] */
  const float *scale;    /* [n] */
  float *z;
  ptrdiff_t z_row;
  float *sum, *square; /* [n] += column sums of z; NULL: none */
} mn_integer_product;

/* A line of the output of a depthwise layer, 4 vectors of channels: `taps` (a multiple of 4, the
 * surplus has weights 0) lie `tap_at` behind the begin of the window. */
typedef struct mn_integer_depthwise {
  const uint8_t *x;
  const int32_t *tap_at;
  int32_t taps, width, step; /* outputs; bytes from one window to the next */
  const int8_t *weights;     /* [taps / 4][4 vectors][lanes][4] */
  const int32_t *start;
  const float *scale;
  int32_t vectors; /* of the 4 that exist in z */
  float *z;
  ptrdiff_t z_row;
  float *sum, *square; /* as above */
} mn_integer_depthwise;

typedef struct mn_integer {
  const char *name;
  int32_t lanes, panel; /* panel: vectors of outputs whose weights stand together */
  /* Rows as bytes, round(view) + zero_point + 128; strides of `to` in bytes. Groups of 4 vectors in the
   * order of their channels, or interleaved as `depthwise` reads them. */
  void (*read)(uint8_t *to, const float *z, const mn_view *view, int32_t zero_point,
               const mn_walk *walk, bool interleaved);
  void (*product)(const mn_integer_product *p);
  void (*depthwise)(const mn_integer_depthwise *d);
} mn_integer;

/* Of one unit: its weights as integers. */
typedef struct mn_integer_unit {
  int8_t *weights;
  int32_t *start, *line_at; /* line_at: also of the taps of a depthwise layer */
  float *scale;
  int32_t lines, groups;
  float *moved; /* [4][moved_stride]: view of an input that is stored rounded; else NULL */
  int32_t moved_stride;
} mn_integer_unit;

/* Makes room where the unit can run in integers: u->integer, else NULL. */
mn_status mn_integer_place(mn_trainer *t, mn_unit *u) MN_MUST_CHECK;
/* Whether it does in the pass under way. */
bool mn_unit_is_integer(const mn_trainer *t, const mn_unit *u);
/* After mn_unit_round_weights. */
void mn_integer_pack(const mn_trainer *t, mn_unit *u);
/* Floats of scratch that its forward pass needs. */
int64_t mn_integer_scratch(const mn_trainer *t, const mn_unit *u);
void mn_integer_conv(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch);
void mn_integer_depthwise_unit(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch);

/* The kernels that go with a table of float ones; NULL: none on this processor. */
const mn_integer *mn_integer_get(const mn_lanes *lanes);

/* Vectors in the panel that begins at vector `first` of `total`. */
static inline int32_t mn_integer_panel(int32_t most, int32_t total, int32_t first) {
  const int32_t width = most == 4 && total % 4 != 0 && total % 3 == 0 ? 3 : most;
  return total - first < width ? total - first : width;
}

#endif
