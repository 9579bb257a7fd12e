/* fully_connected_block.h - fully connected as the product of a row of inputs and blocks of weights, four
 * outputs at a time. Weights are moved up by 128, inputs by MOVED, 128 or 0, as the core wants them:
 *   weights  uint8 [O / 4][I][4], then the rows of the outputs that are left, [O % 4][I]
 *   bias     less (input zero point + MOVED) times the sum of (weight - weight zero point)
 *   scratch  value [I]
 * Included after macros that say which core multiplies and what writes outputs; defines run(), the body
 * of the kernel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_FULLY_CONNECTED_BLOCK_H
#define MN_KERNELS_FULLY_CONNECTED_BLOCK_H

#include "kernels/dot.h"
#include "kernels/fully_connected.h"
#include "kernels/outputs.h"

enum { COLUMNS = 4 };

/* Moves x up; returns the sum. */
static int32_t move_up(value *to, const int8_t *x, int32_t count) {
  int32_t sum = 0;
  for (const int8_t *end = x + count; x != end;) sum += *to++ = (value)(*x++ + MOVED);
  return sum;
}

static int32_t dot(const value *x, const uint8_t *k, int32_t count) {
  int32_t sum = 0;
  for (const value *end = x + count; x != end;) sum += *x++ * *k++;
  return sum;
}

/* y [O] of one x [I]. */
static void vector(const mn_fully_connected *p, const mn_outputs *q, int8_t *y, const value *x,
                   const uint8_t *k) {
  int32_t sum[COLUMNS], o = 0;
  for (; o + COLUMNS <= p->outputs; o += COLUMNS, k += COLUMNS * p->inputs) {
    dot_row(sum, x, k, p->inputs);
    write_outputs(q, y, sum, o, COLUMNS, 1);
  }
  for (; o < p->outputs; o++, k += p->inputs) {
    sum[0] = dot(x, k, p->inputs);
    write_outputs(q, y, sum, o, 1, 1);
  }
}

static void run(const mn_fully_connected *p, const mn_kernel_io *io) {
  mn_outputs q = MN_OUTPUTS(p, io, 0, 1);
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs, y += p->outputs) {
    q.start = -(p->weight_zero_point + 128) * move_up(io->scratch, x, p->inputs);
    vector(p, &q, y, io->scratch, io->constant[0]);
  }
}

#endif
