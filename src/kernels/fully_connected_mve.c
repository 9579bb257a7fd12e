/* fully_connected_mve.c - FULLY_CONNECTED int8 for Helium: inputs as they lie times four rows of weights at
 * a time, whose sums become outputs in one vector. Weights as the file has them, the rest as outputs_mve.h
 * says, the input's zero point folded into the bias. No scratch.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fully_connected.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

/* x times four rows of weights, in assembly because gcc 12 has no intrinsics for tail-predicated loops:
 * WLSTP and LETP leave out what is beyond the last term. Rows that are not there are the first one again. */
static inline int32x4_t dot_four(const int8_t *x, const int8_t *k, int32_t terms, int32_t rows) {
  const int8_t *k1 = rows > 1 ? k + terms : k, *k2 = rows > 2 ? k1 + terms : k;
  const int8_t *k3 = rows > 3 ? k2 + terms : k;
  int32_t a = 0, b = 0, c = 0, d = 0;
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
      : [x] "+r"(x), [k0] "+r"(k), [k1] "+r"(k1), [k2] "+r"(k2), [k3] "+r"(k3), [a] "+Te"(a),
        [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d)
      : [terms] "r"(terms)
      : "lr", "q0", "q1", "q2", "q3", "memory");
  return (int32x4_t){a, b, c, d};
}

void mn_fully_connected_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  const int32_t *bias = io->constant[1], *multiplier = io->constant[2];
  const int8_t *shift = io->constant[3], *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs, y += p->outputs)
    for (int32_t o = 0; o < p->outputs; o += 4) {
      const int8_t *k = (const int8_t *)io->constant[0] + o * p->inputs;
      int32x4_t sum = dot_four(x, k, p->inputs, p->outputs - o);
      int32x4_t value = mn_requantize_any(vaddq_s32(sum, vldrwq_s32(bias + o)),
                                          vldrwq_s32(multiplier + o), vldrbq_s32(shift + o));
      value = vmaxq_s32(vaddq_n_s32(value, p->output_zero_point), vdupq_n_s32(p->output_min));
      vstrbq_p_s32(y + o, vminq_s32(value, vdupq_n_s32(p->output_max)),
                   vctp32q((uint32_t)(p->outputs - o)));
    }
}

#endif
