/* bf16.h - products whose factors are rounded to bfloat16 and whose sums are floats: half the bytes of
 * float, and twice its operations where the processor has VDPBF16PS.
 *
 * A bf16 is the upper half of a float, rounded to nearest, ties to even. The instruction takes factors in
 * pairs that lie side by side along the depth of the product. In rows of a matrix they lie so already
 * (of an even number of columns: the last of an odd number needs a zero behind it); for a product along
 * the rows, each two rows are woven into one. Rounding rides where rows are read through their view or
 * made from gradients, so it costs no pass of its own.
 *
 * Who multiplies so: convolutions and fully connected layers, in steps of training. The forward pass only
 * until values are rounded to 8 bits, the backward pass always. Everything else, and every evaluation, is
 * in float: weights, statistics of batch norm, gradients, moments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_BF16_H
#define MN_TRAIN_BF16_H

#include "train/engine.h"

typedef struct mn_bf16 {
  const char *name;
  bool native; /* has the instruction; else the same arithmetic is made of floats, to rounding */
  /* Elements of A and B are pairs, k counts them. */
  void (*gemm)(const mn_gemm *g);
  /* from[k * k_step + n * n_step] into panels [(k + 1) / 2][panel] of pairs; zeros from n_valid on. */
  void (*pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
               ptrdiff_t k_step, ptrdiff_t n_step);
  /* As the functions of mn_lanes, but for what they write. */
  void (*read)(uint16_t *y, const float *z, const mn_view *view, const mn_walk *walk);
  void (*unnormalize)(uint16_t *dz, const float *g, const float *z, const mn_unnormalize *k,
                      int64_t rows, int32_t channels);
  /* Rows 2r and 2r + 1 of [rows][columns] into row r of pairs; behind an odd last row, zeros. columns: any. */
  void (*weave)(uint32_t *to, const uint16_t *from, int32_t rows, int32_t columns);
} mn_bf16;

/* The kernels that go with a table of float ones, with the instruction where this processor has it. */
const mn_bf16 *mn_bf16_get(const mn_lanes *lanes);

/* Whether the unit multiplies so in the pass under way. */
bool mn_bf16_forward(const mn_trainer *t, const mn_unit *u);
bool mn_bf16_backward(const mn_trainer *t, const mn_unit *u);
/* Packs as mn_lanes or mn_bf16 do. */
void mn_weights_pack(const mn_trainer *t, bool half, void *to, const float *from, int32_t k,
                     int32_t n, int32_t n_valid, ptrdiff_t k_step, ptrdiff_t n_step);
/* As mn_value_read and mn_value_lines; always copied. */
void mn_value_read_bf16(const mn_trainer *t, const mn_value *v, uint16_t *to, int64_t first,
                        int64_t rows);
void mn_value_lines_bf16(const mn_trainer *t, const mn_value *v, uint16_t *to, ptrdiff_t to_row,
                         ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines);

static inline uint16_t mn_bf16_round(float x) {
  union {
    float value;
    uint32_t bits;
  } u = {x};
  return (uint16_t)((u.bits + 0x7fffu + (u.bits >> 16 & 1)) >> 16);
}

#endif
