/* fully_connected_block.h - fully connected as the product of a row of inputs and blocks of weights, four
 * outputs at a time. Weights and inputs are moved up by 128, so that they are bytes without sign:
 *   weights  uint8 [O / 4][I][4], then the rows of the outputs that are left, [O % 4][I]
 *   bias     less (input zero point + 128) times the sum of (weight - weight zero point)
 *   scratch  uint8 [I]
 * Included after a macro that says what writes outputs; defines run(), the body of the kernel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_FULLY_CONNECTED_BLOCK_H
#define MN_KERNELS_FULLY_CONNECTED_BLOCK_H

#include "kernels/dot.h"
#include "kernels/fully_connected.h"
#include "kernels/outputs.h"

enum { COLUMNS = 4, GROUP = 4 * COLUMNS }; /* outputs of a block of weights; written together */

/* Moves x up; returns the sum. */
static int32_t move_up(uint8_t *to, const int8_t *x, int32_t count) {
  int32_t sum = 0;
  for (const int8_t *end = x + count; x != end;) sum += *to++ = (uint8_t)(*x++ + 128);
  return sum;
}

static int32_t dot(const uint8_t *x, const uint8_t *k, int32_t count) {
  int32_t sum = 0;
  for (const uint8_t *end = x + count; x != end;) sum += *x++ * *k++;
  return sum;
}

/* Outputs [o, o + count). With one scale for all they are written as positions of channel 0, once sums have
 * what their own bias is more than that one's. */
static void write_group(const mn_outputs *q, int8_t *y, int32_t *sum, int32_t o, int32_t count) {
  if (q->per_channel) {
    write_outputs(q, y, sum, o, count, 1);
    return;
  }
  for (int32_t i = 0; i < count; i++) sum[i] += q->bias[o + i] - q->bias[0];
  write_outputs(q, y + o, sum, 0, 1, count);
}

/* y [O] of one x [I]. */
static void vector(const mn_fully_connected *p, const mn_outputs *q, int8_t *y, const uint8_t *x,
                   const uint8_t *k) {
  int32_t sum[GROUP];
  for (int32_t o = 0, count; o < p->outputs; o += count, k += count * p->inputs) {
    count = p->outputs - o < GROUP ? p->outputs - o : GROUP;
    int32_t blocks = count / COLUMNS, whole = blocks * COLUMNS;
    mn_dot_row(sum, x, k, p->inputs, blocks);
    for (int32_t i = whole; i < count; i++) sum[i] = dot(x, k + i * p->inputs, p->inputs);
    write_group(q, y, sum, o, count);
  }
}

static void run(const mn_fully_connected *p, const mn_kernel_io *io) {
  mn_outputs q = MN_OUTPUTS(p, io, 1, 1);
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs, y += p->outputs) {
    q.start = -(p->weight_zero_point + 128) * move_up(io->scratch, x, p->inputs);
    vector(p, &q, y, io->scratch, io->constant[0]);
  }
}

#endif
