/* matrix_sums_dsp.h - the sums of matrix_dsp.h in C, and the fast requantization, for the bodies that
 * are written in C. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MATRIX_SUMS_DSP_H
#define MN_KERNELS_MATRIX_SUMS_DSP_H

#include "kernels/dsp.h"

/* Sums of two columns and four channels: [channel][column]. `stream` is left at the shifts. */
static inline const int32_t *mn_matrix_sums(int32_t sum[4][2], const int32_t *x,
                                            const int32_t *stream, int32_t pairs) {
  int32_t a0 = stream[0], b0 = stream[1], a2 = stream[2], b2 = stream[3];
  int32_t a1 = a0, b1 = b0, a3 = a2, b3 = b2;
  stream += 4;
  for (int32_t i = 0; i < pairs; i++, x += 2, stream += 2) {
    int32_t even = mn_sxtb16((uint32_t)stream[0]);
    a0 = mn_smlad(stream[0], x[0], a0), a1 = mn_smlad(stream[0], x[1], a1);
    b0 = mn_smlad(even, x[0], b0), b1 = mn_smlad(even, x[1], b1);
    even = mn_sxtb16((uint32_t)stream[1]);
    a2 = mn_smlad(stream[1], x[0], a2), a3 = mn_smlad(stream[1], x[1], a3);
    b2 = mn_smlad(even, x[0], b2), b3 = mn_smlad(even, x[1], b3);
  }
  sum[0][0] = b0, sum[0][1] = b1, sum[2][0] = b2, sum[2][1] = b3;
  sum[1][0] = (int32_t)((uint32_t)a0 - (uint32_t)b0) >> 8;
  sum[1][1] = (int32_t)((uint32_t)a1 - (uint32_t)b1) >> 8;
  sum[3][0] = (int32_t)((uint32_t)a2 - (uint32_t)b2) >> 8;
  sum[3][1] = (int32_t)((uint32_t)a3 - (uint32_t)b3) >> 8;
  return stream;
}

/* See "Fast" in matrix_dsp.h; offset is 2 * zero point + 1, shift in [1, 22]. */
static inline int8_t mn_requantize_fast(int32_t sum, int32_t multiplier, int32_t shift,
                                        int32_t offset) {
  int32_t constant = (int32_t)((uint32_t)offset << shift) >> 1;
  int32_t product = mn_smmlar(2 * sum, multiplier, constant + (sum >> 31));
  return (int8_t)mn_ssat8(product >> shift);
}

#endif
