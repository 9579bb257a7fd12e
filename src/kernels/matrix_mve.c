/* matrix_mve.c - see matrix_mve.h. In assembly because sums need even registers, of which there are
 * seven, and gcc 12 makes no low-overhead loops around them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/matrix_mve.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

enum { RULE = 9, SHIFT = 8 }; /* words of a rule, where its shifts are */

void mn_matrix_mve_rule(mn_matrix_mve *m, const int32_t *rules, int32_t outputs, int32_t min,
                        int32_t max) {
  int32_t most = -128;
  for (; outputs > 0; outputs -= 4, rules += RULE)
    most = vmaxvq_s32(most, vldrbq_s32((const int8_t *)(rules + SHIFT)));
  m->how = most < 0 && min == -128 && max == 127 ? MN_MATRIX_MVE_RIGHT : MN_MATRIX_MVE_ANY;
  if (m->how == MN_MATRIX_MVE_RIGHT && m->zero_point == min) m->how = MN_MATRIX_MVE_RELU;
  vstrwq_s32(m->min, vdupq_n_s32(min));
  vstrwq_s32(m->max, vdupq_n_s32(max));
}

/* Sixteen terms: r0, r2 of x[0], r4, r6 of x[1], r8, r10 of x[2]; rows of weights at r1 and r3. */
#define TERMS(dot)                                  \
  "vldrb.8 q0, [r1], #16\n"                         \
  "vldrb.8 q2, [r5], #16\n" dot                     \
  " r0, q0, q2\n"                                   \
  "vldrb.8 q1, [r3], #16\n" dot                     \
  " r2, q1, q2\n"                                   \
  "vldrb.8 q3, [r9], #16\n" dot " r4, q0, q3\n" dot \
  " r6, q1, q3\n"                                   \
  "vldrb.8 q2, [r11], #16\n" dot " r8, q0, q2\n" dot " r10, q1, q2\n"

/* Two rows of weights; their sums go to two lanes of q4, q5, q6. */
#define PAIR(high, low) \
  "ldrd r5, r9, [r12]\n"                                    \
  "ldrd r11, lr, [r12, #8]\n" TERMS("vmladav.s8")           \
  "wls lr, lr, 3f\n"                                        \
  "2:\n" TERMS("vmladava.s8") "le lr, 2b\n"                 \
  "3:\n"                                                    \
  "vmov q4[" high "], q4[" low "], r0, r2\n"                \
  "ldrd r0, r2, [r12, #16]\n"                               \
  "vmov q5[" high "], q5[" low "], r4, r6\n"                \
  "vmov q6[" high "], q6[" low "], r8, r10\n"               \
  "sub r1, r3, r0\n"                                        \
  "add r3, r1, r2\n"

/* The same with the sums of three positions. */
#define THREE(name, with) \
  name " q4, q4, " with "\n" name " q5, q5, " with "\n" name " q6, q6, " with "\n"
#define NARROW(name) name " q4, q4\n" name " q5, q5\n" name " q6, q6\n"
/* VRSHL rounds halves up: one is taken from what is below 0, and shifted to the right. */
#define AWAY(sum) "vshr.s32 q7, " sum ", #31\nvadd.i32 " sum ", " sum ", q7\n"
#define AWAY_IF_RIGHT(sum) \
  "vand q7, " sum ", q2\nvshr.s32 q7, q7, #31\nvadd.i32 " sum ", " sum ", q7\n"

void mn_matrix_mve_multiply(mn_matrix_mve *m, int8_t *y, const int8_t *weights) {
  register const int8_t *k __asm__("r1") = weights;
  m->y = y;
  register mn_matrix_mve *at __asm__("r12") = m;
  __asm__ volatile(
      "ldr r3, [r12, #20]\n"
      "add r3, r1, r3\n"
      "1:\n" PAIR("2", "0") PAIR("3", "1")
      /* The rules of four channels, and where their outputs go. */
      "ldrd r4, r6, [r12, #40]\n"
      "ldrd r8, r10, [r12, #24]\n"
      "ldrd r0, r2, [r12, #32]\n"
      "vldrw.32 q0, [r4], #16\n"
      "vldrw.32 q1, [r4], #16\n"
      "vldrb.s32 q2, [r4], #4\n"
      "vctp.32 r6\n" THREE("vadd.i32", "q0")
      "cmp r2, #1\n"
      "bgt 5f\n" THREE("vqrdmulh.s32", "q1")
      "bne 4f\n" AWAY("q4") AWAY("q5") AWAY("q6")
      "4:\n" THREE("vrshl.s32", "q2") THREE("vadd.i32", "r0")
      NARROW("vqmovnb.s32") NARROW("vqmovnb.s16")
      "6:\n"
      "ldr r2, [r12, #80]\n"
      "add r5, r2, r8\n"
      "add r0, r5, r10\n"
      "vpsttt\n"
      "vstrbt.32 q4, [r2], #4\n"
      "vstrbt.32 q5, [r5]\n"
      "vstrbt.32 q6, [r0]\n"
      "subs r6, r6, #4\n"
      "strd r4, r6, [r12, #40]\n"
      "str r2, [r12, #80]\n"
      "bgt 1b\n"
      "b 7f\n"
      "5:\n"
      "vmov.i32 q0, #0\n"
      "vmax.s32 q3, q2, q0\n"
      "vmin.s32 q2, q2, q0\n" THREE("vshl.s32", "q3") THREE("vqrdmulh.s32", "q1")
      AWAY_IF_RIGHT("q4") AWAY_IF_RIGHT("q5") AWAY_IF_RIGHT("q6")
      THREE("vrshl.s32", "q2") THREE("vadd.i32", "r0")
      "vldrw.32 q0, [r12, #48]\n" THREE("vmax.s32", "q0")
      "vldrw.32 q0, [r12, #64]\n" THREE("vmin.s32", "q0")
      "b 6b\n"
      "7:\n"
      : "+r"(k), "+r"(at)
      :
      : "r0", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "lr", "q0", "q1", "q2", "q3",
        "q4", "q5", "q6", "q7", MN_MVE_PREDICATE "cc", "memory");
}

#endif
