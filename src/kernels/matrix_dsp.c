/* matrix_dsp.c - mn_matrix_dsp in C with intrinsics: for compilers other than GCC, for unoptimised
 * builds, and for the machine that runs the tests. matrix_dsp_asm.c has the same in assembly.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/matrix_dsp.h"
#include "kernels/matrix_sums_dsp.h"

#if !MN_DSP_ASSEMBLY
void mn_matrix_dsp(const mn_matrix *m) {
  int32_t offset = 2 * m->output_zero_point + 1, sum[4][2];
  for (int32_t i = 0; i < m->count; i++) {
    const int32_t *stream = m->stream;
    int8_t *y = m->y + 2 * i * m->y_step;
    for (int32_t g = 0; g < m->groups; g++, y += 4) {
      stream = mn_matrix_sums(sum, m->x + i * m->pairs * 2, stream, m->pairs);
      uint32_t shifts = (uint32_t)*stream++;
      for (int32_t c = 0; c < 4; c++, shifts >>= 8, stream++) {
        y[m->y_step + c] = mn_requantize_fast(sum[c][1], *stream, (int32_t)(shifts & 31u), offset);
        y[c] = mn_requantize_fast(sum[c][0], *stream, (int32_t)(shifts & 31u), offset);
      }
    }
  }
}
#endif
