/* dot_long.c - see dot.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

enum { MOST_TERMS = 256 }; /* 256 * 255 * 255 < 2^24 */

/* Four bytes as one word, the first lowest; compilers know this for a single load. */
static inline uint32_t word_at(const uint8_t *b) {
  return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

#define TERM(k)                                                       \
  do {                                                                \
    uint32_t w = word_at(block + 4 * (k));                            \
    a += (int64_t)((uint64_t)row[k] * (w & outer));                   \
    b += (int64_t)((uint64_t)row[k] * ((w >> 16 | w << 16) & outer)); \
  } while (0)

/* Of two bytes 24 bits apart, one multiplication gives both products, and a 64-bit sum holds both sums. */
void mn_dot_long(int32_t *sum, const uint8_t *row, const uint8_t *block, int32_t terms) {
  const uint32_t outer = 0xff0000ffu;
  sum[0] = sum[1] = sum[2] = sum[3] = 0;
  for (int32_t count; terms > 0; terms -= count) {
    int64_t a = 0,
            b = 0; /* with a sign, so that compilers keep the order and add while they multiply */
    count = terms < MOST_TERMS ? terms : MOST_TERMS;
    const uint8_t *end = row + (count & ~3);
    for (; row != end; row += 4, block += 16) {
      TERM(0);
      TERM(1);
      TERM(2);
      TERM(3);
    }
    for (end += count & 3; row != end; row++, block += 4) TERM(0);
    sum[0] += (int32_t)(a & 0xffffff), sum[3] += (int32_t)(a >> 24);
    sum[2] += (int32_t)(b & 0xffffff), sum[1] += (int32_t)(b >> 24);
  }
}
