/* dot_pair.c - see dot.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

/* Terms k of the eight sums. */
#define TERM(k)                                          \
  do {                                                   \
    int32_t u = pair[2 * (k)], v = pair[2 * (k) + 1], x; \
    x = block[4 * (k)];                                  \
    a0 += u * x, b0 += v * x;                            \
    x = block[4 * (k) + 1];                              \
    a1 += u * x, b1 += v * x;                            \
    x = block[4 * (k) + 2];                              \
    a2 += u * x, b2 += v * x;                            \
    x = block[4 * (k) + 3];                              \
    a3 += u * x, b3 += v * x;                            \
  } while (0)

void mn_dot_pair(int32_t *sum, const int8_t *pair, const uint8_t *block, int32_t terms) {
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  int32_t b0 = 0, b1 = 0, b2 = 0, b3 = 0;
  const int8_t *end = pair + 2 * (terms & ~3);
  for (; pair != end; pair += 8, block += 16) {
    TERM(0);
    TERM(1);
    TERM(2);
    TERM(3);
  }
  for (end += 2 * (terms & 3); pair != end; pair += 2, block += 4) TERM(0);
  sum[0] = a0, sum[1] = a1, sum[2] = a2, sum[3] = a3;
  sum[4] = b0, sum[5] = b1, sum[6] = b2, sum[7] = b3;
}
