/* matrix_dsp_asm.c - mn_matrix_dsp in assembly. Eight sums, two inputs, two weights and two pointers
 * are the 14 registers there are; GCC 12 spills some of them, a third more instructions.
 *
 * A step is one pair of inputs of two columns: 16 products in 14 instructions. The loop of eight steps
 * (448 bytes) is entered so that it ends with the last pair. Registers:
 *   r4 r5  A of channels 0, 1 (two columns)    r8 r9    A of channels 2, 3
 *   r6 r7  B of channel 0                      r10 r11  B of channel 2
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dsp.h"
#include "kernels/matrix_dsp.h"

#if MN_DSP_ASSEMBLY
#define STEP                 \
  "ldr.w r2, [r0], #8\n"     \
  "ldr.w r12, [r1], #8\n"    \
  "ldr.w r3, [r0, #-4]\n"    \
  "ldr.w lr, [r1, #-4]\n"    \
  "smlad r4, r12, r2, r4\n"  \
  "smlad r5, r12, r3, r5\n"  \
  "sxtb16 r12, r12\n"        \
  "smlad r8, lr, r2, r8\n"   \
  "smlad r9, lr, r3, r9\n"   \
  "sxtb16 lr, lr\n"          \
  "smlad r6, r12, r2, r6\n"  \
  "smlad r7, r12, r3, r7\n"  \
  "smlad r10, lr, r2, r10\n" \
  "smlad r11, lr, r3, r11\n"
#define STEP_BYTES "56"

/* Sums of an odd channel, doubled: (A - B) >> 7; of an even one: 2 * B. */
#define DOUBLE_ODD(a) "asr.w " #a ", " #a ", #7\n"
#define DOUBLE_EVEN(b) "add.w " #b ", " #b ", " #b "\n"
#define OUTPUT(sum)        \
  "add.w r0, r12, " #sum   \
  ", asr #31\n"            \
  "smmlar " #sum ", " #sum \
  ", r2, r0\n"             \
  "asr.w " #sum ", " #sum  \
  ", lr\n"                 \
  "ssat " #sum ", #8, " #sum "\n"
/* One channel, two columns: r2 multiplier, r12 its offset, lr its shift in bits 0-7, r3 the offset. */
#define CHANNEL(DOUBLE, first, second) \
  "ldr r2, [r1], #4\n"                 \
  "lsl.w r12, r3, lr\n"                \
  "asr.w r12, r12, #1\n" DOUBLE(first) DOUBLE(second) OUTPUT(first) OUTPUT(second)
#define NEXT_SHIFT "lsr.w lr, lr, #8\n"

void mn_matrix_dsp(const mn_matrix *m) {
  int32_t column_bytes = m->pairs * 8, offset = 2 * m->output_zero_point + 1, entry = 0;
  int32_t group_words = 2 * m->pairs + MN_MATRIX_EXTRA_WORDS;
  const int32_t *x = m->x, *x_end = x + 2 * m->pairs, *stream = m->stream;
  const int32_t *stream_end = stream + m->groups * group_words;
  int8_t *y = m->y;
  int32_t step = m->y_step, next = 2 * step - 4 * m->groups, count = m->count;
  int32_t skipped = -m->pairs & 7;
  __asm__ volatile(
      "ldr r0, %[skipped]\n"
      "movs r1, #" STEP_BYTES "\n"
      "adr.w r2, 2f\n"
      "mla r2, r0, r1, r2\n"
      "orr r2, r2, #1\n"
      "str r2, %[entry]\n"
      "0:\n" /* two columns */
      "ldr r1, %[stream]\n"
      "1:\n" /* four channels */
      "ldm r1!, {r4, r6, r8, r10}\n"
      "ldr r0, %[x]\n"
      "ldr r2, %[entry]\n"
      "mov r5, r4\n"
      "mov r7, r6\n"
      "mov r9, r8\n"
      "mov r11, r10\n"
      "bx r2\n"
      ".balign 4\n"
      "2:\n"
      STEP STEP STEP STEP STEP STEP STEP STEP
      "ldr r2, %[x_end]\n"
      "cmp r0, r2\n"
      "bne.w 2b\n"
      "ldr lr, [r1], #4\n"
      "ldr r3, %[offset]\n"
      "subs r4, r4, r6\n"
      "subs r5, r5, r7\n"
      "sub.w r8, r8, r10\n"
      "sub.w r9, r9, r11\n"
      CHANNEL(DOUBLE_EVEN, r6, r7) NEXT_SHIFT
      CHANNEL(DOUBLE_ODD, r4, r5) NEXT_SHIFT
      CHANNEL(DOUBLE_EVEN, r10, r11) NEXT_SHIFT
      CHANNEL(DOUBLE_ODD, r8, r9)
      "ldr r0, %[y]\n"
      "ldr r2, %[step]\n"
      "ldr r12, %[stream_end]\n"
      "adds r2, r0, r2\n"
      "strb r7, [r2]\n" /* the odd column first: the even one stays where both are one place */
      "strb r5, [r2, #1]\n"
      "strb r11, [r2, #2]\n"
      "strb r9, [r2, #3]\n"
      "strb r6, [r0]\n"
      "strb r4, [r0, #1]\n"
      "strb r10, [r0, #2]\n"
      "strb r8, [r0, #3]\n"
      "adds r0, #4\n"
      "str r0, %[y]\n"
      "cmp r1, r12\n"
      "bne.w 1b\n"
      "ldr r1, %[next]\n"
      "adds r0, r0, r1\n"
      "str r0, %[y]\n"
      "ldr r0, %[x_end]\n"
      "str r0, %[x]\n"
      "ldr r1, %[column_bytes]\n"
      "adds r0, r0, r1\n"
      "str r0, %[x_end]\n"
      "ldr r0, %[count]\n"
      "subs r0, #1\n"
      "str r0, %[count]\n"
      "bne.w 0b\n"
      : [entry] "+m"(entry), [x] "+m"(x), [x_end] "+m"(x_end), [y] "+m"(y), [count] "+m"(count)
      : [skipped] "m"(skipped), [stream] "m"(stream), [stream_end] "m"(stream_end),
        [offset] "m"(offset), [step] "m"(step), [next] "m"(next), [column_bytes] "m"(column_bytes)
      : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc",
        "memory");
}
#endif
