/* dot_halves.c - mn_dot_halves in C: for compilers other than GCC, for unoptimised builds, and for the
 * machine that runs the tests. dot_halves_asm.c has the same in assembly.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

#if !MN_DOT_ASSEMBLY
void mn_dot_halves(int32_t *sum, const int8_t *row, const int16_t *block, int32_t terms) {
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  for (const int8_t *end = row + terms; row != end; row++, block += 4) {
    int32_t u = *row;
    a0 -= u * block[0];
    a1 -= u * (block[1] - (block[0] >> 15));
    a2 -= u * block[2];
    a3 -= u * (block[3] - (block[2] >> 15));
  }
  sum[0] = a0, sum[1] = a1, sum[2] = a2, sum[3] = a3;
}
#endif
