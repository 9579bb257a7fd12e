/* fully_connected_dsp.c - FULLY_CONNECTED int8 for Arm's DSP extension: the stream of matrix_dsp.h, four
 * outputs at a time; inputs are widened as they are read, once per four outputs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fully_connected_dsp.h"

/* Four outputs; `stream` holds their shifts and multipliers. */
static inline void four(int8_t *y, const mn_vector *v, int32_t offset) {
  const int32_t *multiplier = v->stream + 1;
  int32_t shifts = v->stream[0];
  y[0] = mn_requantize_fast(v->b0, multiplier[0], shifts & 31, offset);
  y[1] = mn_requantize_fast(mn_vector_odd(v->a0, v->b0), multiplier[1], shifts >> 8 & 31, offset);
  y[2] = mn_requantize_fast(v->b2, multiplier[2], shifts >> 16 & 31, offset);
  y[3] = mn_requantize_fast(mn_vector_odd(v->a2, v->b2), multiplier[3], shifts >> 24, offset);
}

void mn_fully_connected_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  int32_t offset = 2 * p->output_zero_point + 1;
  const int8_t *x = io->x[0];
  int8_t *y = io->y, rest[4];
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs) {
    const int32_t *stream = io->constant[0];
    for (int32_t o = 0; o < p->outputs; o += 4) {
      mn_vector v = mn_vector_sums(x, stream, p->inputs);
      int32_t count = p->outputs - o < 4 ? p->outputs - o : 4;
      four(count == 4 ? y : rest, &v, offset);
      for (int32_t c = 0; c < count && count < 4; c++) y[c] = rest[c];
      stream = v.stream + 5;
      y += count;
    }
  }
}
