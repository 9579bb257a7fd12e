/* dot_mve.c - see dot_mve.h. The loops are written in assembly because gcc 12 has no intrinsics for
 * tail-predicated ones: WLSTP and LETP leave out what is beyond the last term.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot_mve.h"

#if defined(__ARM_FEATURE_MVE)

void mn_dot_mve_1x4(int32_t *sum, const int8_t *x, const int8_t *k, const int32_t *bias,
                    int32_t terms, int32_t outputs) {
  for (int32_t left = outputs; left > 0; left -= 4, sum += 4, bias += 4, k += 4 * terms) {
    const int8_t *at = x, *k0 = k; /* rows that are not there are the first one again */
    const int8_t *k1 = left > 1 ? k + terms : k, *k2 = left > 2 ? k + 2 * terms : k;
    const int8_t *k3 = left > 3 ? k + 3 * terms : k;
    int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
    __asm__(
        "wlstp.8 lr, %[terms], 2f\n"
        "1:\n"
        "vldrb.8 q0, [%[x]], #16\n"
        "vldrb.8 q1, [%[k0]], #16\n"
        "vmladava.s8 %[a], q0, q1\n"
        "vldrb.8 q2, [%[k1]], #16\n"
        "vmladava.s8 %[b], q0, q2\n"
        "vldrb.8 q3, [%[k2]], #16\n"
        "vmladava.s8 %[c], q0, q3\n"
        "vldrb.8 q1, [%[k3]], #16\n"
        "vmladava.s8 %[d], q0, q1\n"
        "letp lr, 1b\n"
        "2:\n"
        : [x] "+r"(at), [k0] "+r"(k0), [k1] "+r"(k1), [k2] "+r"(k2), [k3] "+r"(k3), [a] "+Te"(a),
          [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d)
        : [terms] "r"(terms)
        : "lr", "q0", "q1", "q2", "q3", "memory");
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
  }
}

/* What the loop over pairs of rows of weights keeps in memory, for want of registers. */
typedef struct pairs {
  const int8_t *k;
  int32_t terms;
  const int8_t *x[3];
  const int32_t *bias;
  int32_t step; /* bytes from the sums of one x to those of the next */
  int32_t left;
} pairs;

/* An even number of rows. Sums need even registers, of which there are seven. */
static void dot_pairs(int32_t *sum, pairs *p) {
  register int32_t *to __asm__("r7") = sum;
  register pairs *at __asm__("r12") = p;
  __asm__ volatile(
      "1:\n"
      "ldrd r1, lr, [r12]\n"
      "ldrd r5, r9, [r12, #8]\n"
      "add r3, r1, lr\n"
      "ldrd r11, r6, [r12, #16]\n"
      "add r4, r3, lr\n"
      "ldrd r0, r2, [r6], #8\n"
      "str r4, [r12]\n"
      "str r6, [r12, #20]\n"
      "mov r4, r0\n"
      "mov r8, r0\n"
      "mov r6, r2\n"
      "mov r10, r2\n"
      "wlstp.8 lr, lr, 3f\n"
      "2:\n"
      "vldrb.8 q0, [r1], #16\n"
      "vldrb.8 q2, [r5], #16\n"
      "vmladava.s8 r0, q0, q2\n"
      "vldrb.8 q1, [r3], #16\n"
      "vmladava.s8 r2, q1, q2\n"
      "vldrb.8 q3, [r9], #16\n"
      "vmladava.s8 r4, q0, q3\n"
      "vmladava.s8 r6, q1, q3\n"
      "vldrb.8 q2, [r11], #16\n"
      "vmladava.s8 r8, q0, q2\n"
      "vmladava.s8 r10, q1, q2\n"
      "letp lr, 2b\n"
      "3:\n"
      "ldrd r1, r3, [r12, #24]\n"
      "strd r0, r2, [r7], #8\n"
      "add r0, r7, r1\n"
      "strd r4, r6, [r0, #-8]\n"
      "add r0, r0, r1\n"
      "strd r8, r10, [r0, #-8]\n"
      "subs r3, r3, #2\n"
      "str r3, [r12, #28]\n"
      "bgt 1b\n"
      : "+r"(to), "+r"(at)
      :
      : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "lr", "q0", "q1", "q2",
        "q3", "cc", "memory");
}

void mn_dot_mve_3x2(int32_t *sum, int32_t step, const int8_t *x, const int8_t *k,
                    const int32_t *bias, int32_t terms, int32_t outputs) {
  int32_t even = outputs & ~1;
  pairs p = {.k = k,
             .terms = terms,
             .x = {x, x + terms, x + 2 * terms},
             .bias = bias,
             .step = step * (int32_t)sizeof *sum,
             .left = even};
  if (even > 0) dot_pairs(sum, &p);
  if (even == outputs) return;
  for (int32_t i = 0; i < 3; i++)
    mn_dot_mve_1x4(sum + i * step + even, p.x[i], k + even * terms, bias + even, terms, 1);
}

#endif
