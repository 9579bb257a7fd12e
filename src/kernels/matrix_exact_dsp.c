/* matrix_exact_dsp.c - mn_matrix_dsp for scales and output ranges that the fast requantization does
 * not cover. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/matrix_dsp.h"
#include "kernels/matrix_sums_dsp.h"
#include "kernels/requantize.h"

static int8_t output(const mn_matrix *m, int32_t sum, int32_t multiplier, int32_t shift) {
  int32_t y = mn_requantize(sum, multiplier, -shift) + m->output_zero_point;
  return (int8_t)mn_clamp(y, m->output_min, m->output_max);
}

void mn_matrix_exact_dsp(const mn_matrix *m) {
  int32_t sum[4][2];
  for (int32_t i = 0; i < m->count; i++) {
    const int32_t *stream = m->stream;
    int8_t *y = m->y + 2 * i * m->y_step;
    for (int32_t g = 0; g < m->groups; g++, y += 4) {
      stream = mn_matrix_sums(sum, m->x + i * m->pairs * 2, stream, m->pairs);
      uint32_t shifts = (uint32_t)*stream++;
      for (int32_t c = 0; c < 4; c++, shifts >>= 8, stream++) {
        int32_t shift = (int8_t)(uint8_t)shifts;
        y[m->y_step + c] = output(m, sum[c][1], *stream, shift);
        y[c] = output(m, sum[c][0], *stream, shift);
      }
    }
  }
}
