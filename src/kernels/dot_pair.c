/* dot_pair.c - see dot.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

#include "kernels/dot_three.h"

enum { MOST_TERMS = 256 }; /* 256 * 128 * 255 < 2^23 - 2^15 */

#if MN_THREE_ASSEMBLY == 2

/*   r0 block, r1 pair, r2 and r3 words of it, r2 at last the upper half of a word, r12 its bytes swapped,
 *   lr weight; r4-r6, r7-r9 sums; r10 where the block ends */
#define ROW(word, upper, whole_sum, upper_sum, swapped_sum) \
  "ldrsb lr, [r1], #1\n"                                    \
  "mla " whole_sum ", " word ", lr, " whole_sum             \
  "\n"                                                      \
  "mla " upper_sum ", " upper ", lr, " upper_sum            \
  "\n"                                                      \
  "mla " swapped_sum ", r12, lr, " swapped_sum "\n"
#define WORD(word)  \
  "lsrs r11, " word \
  ", #16\n"         \
  "rev16 r12, " word "\n" ROW(word, "r11", "r4", "r5", "r6") ROW(word, "r11", "r7", "r8", "r9")

static inline void multiply(mn_three t[2], const int8_t *pair, const uint8_t *block,
                            int32_t terms) {
  const uint8_t *last = block + 4 * terms;
  register const uint8_t *x __asm__("r0") = block;
  register const int8_t *k __asm__("r1") = pair;
  register uint32_t a0 __asm__("r4") = 0, a1 __asm__("r5") = 0, a2 __asm__("r6") = 0;
  register uint32_t b0 __asm__("r7") = 0, b1 __asm__("r8") = 0, b2 __asm__("r9") = 0;
  register const uint8_t *end __asm__("r10") = block + 4 * (terms & ~3);
  __asm__ volatile(
      "b 2f\n"
      "1:\n"
      "ldrd r2, r3, [r0], #8\n" WORD("r2") WORD("r3")
      "ldrd r2, r3, [r0], #8\n" WORD("r2") WORD("r3")
      "2:\n"
      "cmp r0, r10\n"
      "bne 1b\n"
      "ldr r10, %[last]\n"
      "b 4f\n"
      "3:\n"
      "ldr r2, [r0], #4\n" WORD("r2")
      "4:\n"
      "cmp r0, r10\n"
      "bne 3b\n"
      : "+r"(x), "+r"(k), "+r"(a0), "+r"(a1), "+r"(a2), "+r"(b0), "+r"(b1), "+r"(b2), "+r"(end)
      : [last] "m"(last)
      : "r2", "r3", "r11", "r12", "lr", "cc", "memory");
  t[0] = (mn_three){a0, a1, a2};
  t[1] = (mn_three){b0, b1, b2};
}

#else

static inline void multiply(mn_three t[2], const int8_t *pair, const uint8_t *block,
                            int32_t terms) {
  t[0] = t[1] = (mn_three){0, 0, 0};
  for (int32_t k = 0; k < terms; k++)
    for (int32_t r = 0; r < 2; r++) mn_three_term(&t[r], pair[2 * k + r], block + 4 * k);
}

#endif

void mn_dot_pair(int32_t *sum, const int8_t *pair, const uint8_t *block, int32_t terms) {
  int32_t part[8], *to = sum;
  for (int32_t count; terms > 0; terms -= count, pair += 2 * count, block += 4 * count, to = part) {
    mn_three t[2];
    count = terms < MOST_TERMS ? terms : MOST_TERMS;
    multiply(t, pair, block, count);
    mn_three_split(to, &t[0]);
    mn_three_split(to + 4, &t[1]);
    for (int32_t i = 0; to == part && i < 8; i++) sum[i] += part[i];
  }
}
