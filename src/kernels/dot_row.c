/* dot_row.c - see dot.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot.h"

#include "kernels/dot_three.h"

enum { MOST_TERMS = 128 }; /* 128 * 255 * 255 < 2^23 - 2^15 */

#if MN_THREE_ASSEMBLY == 1

#define WORD(offset, word) \
  "ldrb r4, [r0, #" offset \
  "]\n"                    \
  "lsrs r5, " word         \
  ", #16\n"                \
  "rev16 r6, " word        \
  "\n"                     \
  "muls " word             \
  ", r4\n"                 \
  "muls r5, r4\n"          \
  "muls r6, r4\n"          \
  "add r8, " word          \
  "\n"                     \
  "add r9, r5\n"           \
  "add r10, r6\n"
#define TWO(first, second) "ldm r1!, {r2, r3}\n" WORD(first, "r2") WORD(second, "r3")
#define EIGHT TWO("0", "1") TWO("2", "3") TWO("4", "5") TWO("6", "7") "adds r0, #8\n"
#define ONE "ldm r1!, {r2}\n" WORD("0", "r2") "adds r0, #1\n"

#elif MN_THREE_ASSEMBLY == 2

#define WORD(word)       \
  "ldrb r4, [r0], #1\n"  \
  "lsrs r5, " word       \
  ", #16\n"              \
  "rev16 r6, " word      \
  "\n"                   \
  "mla r8, " word        \
  ", r4, r8\n"           \
  "mla r9, r5, r4, r9\n" \
  "mla r10, r6, r4, r10\n"
#define TWO "ldrd r2, r3, [r1], #8\n" WORD("r2") WORD("r3")
#define EIGHT TWO TWO TWO TWO
#define ONE "ldr r2, [r1], #4\n" WORD("r2")

#endif

#if MN_THREE_ASSEMBLY

/*   r0 row, r1 block, r2, r3 words, r4 value, r5 upper half, r6 bytes swapped; r8-r10 sums;
 *   r11 where the eights end, r12 where the row ends */
static inline mn_three multiply(const uint8_t *row, const uint8_t *block, int32_t terms) {
  register const uint8_t *k __asm__("r0") = row;
  register const uint8_t *x __asm__("r1") = block;
  register uint32_t whole __asm__("r8") = 0, upper __asm__("r9") = 0, swapped __asm__("r10") = 0;
  register const uint8_t *eights __asm__("r11") = row + (terms & ~7);
  register const uint8_t *end __asm__("r12") = row + terms;
  __asm__ volatile(
      ".syntax unified\n"
      "b 2f\n"
      "1:\n" EIGHT
      "2:\n"
      "cmp r0, r11\n"
      "bne 1b\n"
      "b 4f\n"
      "3:\n" ONE
      "4:\n"
      "cmp r0, r12\n"
      "bne 3b\n"
      : "+r"(k), "+r"(x), "+r"(whole), "+r"(upper), "+r"(swapped)
      : "r"(eights), "r"(end)
      : "r2", "r3", "r4", "r5", "r6", "cc", "memory");
  return (mn_three){whole, upper, swapped};
}

#else

static inline mn_three multiply(const uint8_t *row, const uint8_t *block, int32_t terms) {
  mn_three t = {0, 0, 0};
  for (int32_t k = 0; k < terms; k++) mn_three_term(&t, row[k], block + 4 * k);
  return t;
}

#endif

/* sum [4] of one block. */
static inline void one_block(int32_t *sum, const uint8_t *row, const uint8_t *block,
                             int32_t terms) {
  int32_t part[4], *to = sum;
  for (int32_t count; terms > 0; terms -= count, row += count, block += 4 * count, to = part) {
    count = terms < MOST_TERMS ? terms : MOST_TERMS;
    mn_three t = multiply(row, block, count);
    mn_three_split(to, &t);
    for (int32_t i = 0; to == part && i < 4; i++) sum[i] += part[i];
  }
}

void mn_dot_row(int32_t *sum, const uint8_t *row, const uint8_t *block, int32_t terms,
                int32_t blocks) {
  for (; blocks > 0; blocks--, sum += 4, block += 4 * terms) one_block(sum, row, block, terms);
}
