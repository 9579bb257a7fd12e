/* dot_halves_asm.c - mn_dot_halves for the Cortex-M0 and M0+ in assembly: 16 products in 41 instructions.
 *
 * A weight times a word is 2^16 u + l with u, l the products of its halves. Those are in [-16384, 16256],
 * as columns are negated, so that two such l fit 16 bits with their sign. All words are summed modulo
 * 2^32; ASRS by 16 leaves the upper half, and in the carry what ADCS must add where l is negative. So
 * the upper sum is exact, and taken from the sum of the words it leaves the lower one.
 *   r0 block, r7 row; r1-r3 products; r4 weight; r5, r6 upper sums of columns 1 and 3; r8, r9 sums of words;
 *   r10 where the fours end, r11 where the row ends
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

#if MN_DOT_ASSEMBLY

#define WEIGHT(offset) \
  "movs r4, #" #offset \
  "\n"                 \
  "ldrsb r4, [r7, r4]\n"
#define SUM(product, words, upper) \
  "add " words ", " product        \
  "\n"                             \
  "asrs " product ", " product     \
  ", #16\n"                        \
  "adcs " upper ", " product "\n"
#define SUMS SUM("r1", "r8", "r5") SUM("r2", "r9", "r6")
#define ONE_TERM(offset) \
  WEIGHT(offset)         \
  "ldm r0!, {r1, r2}\n"  \
  "muls r1, r4\n"        \
  "muls r2, r4\n"
#define TWO_TERMS(first, second) \
  ONE_TERM(first)                \
  WEIGHT(second)                 \
  "ldm r0!, {r3}\n"              \
  "muls r3, r4\n"                \
  "adds r1, r3\n"                \
  "ldm r0!, {r3}\n"              \
  "muls r3, r4\n"                \
  "adds r2, r3\n" SUMS

void mn_dot_halves(int32_t *sum, const int8_t *row, const int16_t *block, int32_t terms) {
  register const int16_t *x __asm__("r0") = block;
  register const int8_t *k __asm__("r7") = row;
  register uint32_t upper_1 __asm__("r5") = 0, upper_3 __asm__("r6") = 0;
  register uint32_t words_0 __asm__("r8") = 0, words_2 __asm__("r9") = 0;
  register const int8_t *fours __asm__("r10") = row + (terms & ~3);
  register const int8_t *end __asm__("r11") = row + terms;
  __asm__ volatile(
      ".syntax unified\n"
      "b 2f\n"
      "1:\n" TWO_TERMS(0, 1) TWO_TERMS(2, 3)
      "adds r7, #4\n"
      "2:\n"
      "cmp r7, r10\n"
      "bne 1b\n"
      "b 4f\n"
      "3:\n" ONE_TERM(0) SUMS
      "adds r7, #1\n"
      "4:\n"
      "cmp r7, r11\n"
      "bne 3b\n"
      : "+l"(x), "+l"(k), "+l"(upper_1), "+l"(upper_3), "+h"(words_0), "+h"(words_2)
      : "h"(fours), "h"(end)
      : "r1", "r2", "r3", "r4", "cc", "memory");
  sum[0] = (int32_t)((upper_1 << 16) - words_0), sum[1] = (int32_t)(0 - upper_1);
  sum[2] = (int32_t)((upper_3 << 16) - words_2), sum[3] = (int32_t)(0 - upper_3);
}

#endif
