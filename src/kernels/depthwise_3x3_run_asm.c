/* depthwise_3x3_run_asm.c - the inner part of depthwise 3x3 for Cortex-M4, M7 and M33 in assembly: all
 * weights, two sums and the pointers fill the 14 registers, everything else waits on the stack.
 *
 * 27 instructions for a pair of outputs (18 multiplications), 18 for a single one.
 *   r4-r9 weights w0w1, w1w2 of three rows; r0, r1, r12 the window's rows; lr y; r10, r11 sums;
 *   r2, r3 what was just loaded
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "kernels/dsp.h"

#if MN_DSP_ASSEMBLY

_Static_assert(MN_FOLDED_SHIFT == 8, "the shift below");

#define PAIR_ROW(pointer, w01, w12) \
  "ldrd r2, r3, [" pointer          \
  "], #4\n"                         \
  "smlad r10, r2, " w01             \
  ", r10\n"                         \
  "smlatb r11, r2, " w01            \
  ", r11\n"                         \
  "smlabt r10, r3, " w12            \
  ", r10\n"                         \
  "smlad r11, r3, " w12 ", r11\n"
#define SINGLE_ROW(pointer, w01, w12) \
  "ldrd r2, r3, [" pointer            \
  "], #4\n"                           \
  "smlad r10, r2, " w01               \
  ", r10\n"                           \
  "smlabt r10, r3, " w12 ", r10\n"

void mn_depthwise_3x3_run(const mn_depthwise_3x3_strip *strip) {
  /* Loaded by pairs, from the stack. */
  int32_t scale[2] = {strip->folded[1], strip->folded[2]};
  int32_t geometry[2] = {strip->pitch, strip->pairs};
  int32_t skip[2] = {strip->x_skip, strip->y_skip};
  int32_t step_end[2] = {strip->y_step, 0}; /* and where the line's pairs or singles end */
  int32_t bias = strip->folded[0], singles = strip->singles;
  const int16_t *last = strip->end;
  register const int16_t *x __asm__("r0") = strip->x;
  register const int32_t *weights __asm__("r4") = strip->weights;
  register int8_t *y __asm__("lr") = strip->y;
  __asm__ volatile(
      "ldm r4, {r4, r5, r6, r7, r8, r9}\n"
      "1:\n" /* a line */
      "ldrd r2, r3, %[geometry]\n"
      "add r1, r0, r2\n"
      "add r12, r1, r2\n"
      "cbz r3, 3f\n"
      "add r3, r0, r3\n"
      "str r3, %[end]\n"
      "2:\n" /* two outputs */
      "ldrd r2, r3, [r0], #4\n"
      "ldr r11, %[bias]\n"
      "smlad r10, r2, r4, r11\n"
      "smlatb r11, r2, r4, r11\n"
      "smlabt r10, r3, r5, r10\n"
      "smlad r11, r3, r5, r11\n"
      PAIR_ROW("r1", "r6", "r7")
      PAIR_ROW("r12", "r8", "r9")
      "ldrd r2, r3, %[scale]\n"
      "smmla r10, r10, r2, r3\n"
      "smmla r11, r11, r2, r3\n"
      "ldrd r2, r3, %[step_end]\n"
      "ssat r10, #8, r10, asr #8\n"
      "ssat r11, #8, r11, asr #8\n"
      "strb r10, [lr]\n"
      "strb r11, [lr, r2]\n"
      "add lr, lr, r2, lsl #1\n"
      "cmp r0, r3\n"
      "bne 2b\n"
      "3:\n"
      "ldr r3, %[singles]\n"
      "cbz r3, 5f\n"
      "add r3, r0, r3\n"
      "str r3, %[end]\n"
      "4:\n" /* one output */
      "ldr r10, %[bias]\n"
      SINGLE_ROW("r0", "r4", "r5")
      SINGLE_ROW("r1", "r6", "r7")
      SINGLE_ROW("r12", "r8", "r9")
      "ldrd r2, r3, %[scale]\n"
      "smmla r10, r10, r2, r3\n"
      "ldrd r2, r3, %[step_end]\n"
      "ssat r10, #8, r10, asr #8\n"
      "strb r10, [lr]\n"
      "add lr, lr, r2\n"
      "cmp r0, r3\n"
      "bne 4b\n"
      "5:\n"
      "ldrd r2, r3, %[skip]\n"
      "add r0, r0, r2\n"
      "add lr, lr, r3\n"
      "ldr r2, %[last]\n"
      "cmp r0, r2\n"
      "bne 1b\n"
      : "+r"(x), "+r"(y), "+r"(weights), [step_end] "+m"(step_end), [end] "=m"(step_end[1])
      : [scale] "m"(scale), [geometry] "m"(geometry), [skip] "m"(skip), [bias] "m"(bias),
        [singles] "m"(singles), [last] "m"(last)
      : "r1", "r2", "r3", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "memory", "cc");
}

#endif
