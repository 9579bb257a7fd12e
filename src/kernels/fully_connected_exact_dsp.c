/* fully_connected_exact_dsp.c - fully_connected_dsp.c for scales and output ranges that its fast
 * requantization does not cover. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fully_connected_dsp.h"
#include "kernels/requantize.h"

void mn_fully_connected_exact_s8_dsp(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs) {
    const int32_t *stream = io->constant[0];
    for (int32_t o = 0; o < p->outputs; o += 4) {
      mn_vector v = mn_vector_sums(x, stream, p->inputs);
      int32_t sum[4] = {v.b0, mn_vector_odd(v.a0, v.b0), v.b2, mn_vector_odd(v.a2, v.b2)};
      uint32_t shifts = (uint32_t)v.stream[0];
      for (int32_t c = 0; c < 4 && o + c < p->outputs; c++, shifts >>= 8) {
        int32_t shift = -(int8_t)(uint8_t)shifts;
        int32_t value = mn_requantize(sum[c], v.stream[1 + c], shift) + p->output_zero_point;
        *y++ = (int8_t)mn_clamp(value, p->output_min, p->output_max);
      }
      stream = v.stream + 5;
    }
  }
}
