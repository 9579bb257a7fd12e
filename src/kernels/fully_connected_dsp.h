/* fully_connected_dsp.h - four sums of one input vector, for fully_connected_dsp.c and its exact form.
 * See matrix_dsp.h for the stream and the method.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_FULLY_CONNECTED_DSP_H
#define MN_KERNELS_FULLY_CONNECTED_DSP_H

#include "kernels/dsp.h"
#include "kernels/fully_connected.h"
#include "kernels/matrix_dsp.h"
#include "kernels/matrix_sums_dsp.h"

/* A of channels 0, 1 and 2, 3; B of channels 0 and 2; and where the sums are. */
typedef struct mn_vector {
  const int8_t *x;
  const int32_t *stream;
  int32_t a0, b0, a2, b2;
} mn_vector;

static inline void mn_vector_pair(mn_vector *v, int32_t x) {
  v->a0 = mn_smlad(v->stream[0], x, v->a0);
  v->b0 = mn_smlad(mn_sxtb16((uint32_t)v->stream[0]), x, v->b0);
  v->a2 = mn_smlad(v->stream[1], x, v->a2);
  v->b2 = mn_smlad(mn_sxtb16((uint32_t)v->stream[1]), x, v->b2);
  v->stream += 2;
}

#if MN_DSP_ASSEMBLY
/* Four inputs, four outputs: 16 products in 19 instructions, the loads side by side. */
#define MN_VECTOR_STEP                   \
  "ldr %[even], [%[x]], #4\n"            \
  "ldr %[w0], [%[s]], #16\n"             \
  "ldr %[w1], [%[s], #-12]\n"            \
  "ldr %[w2], [%[s], #-8]\n"             \
  "ldr %[w3], [%[s], #-4]\n"             \
  "sxtb16 %[odd], %[even], ror #8\n"     \
  "sxtb16 %[even], %[even]\n"            \
  "smlad %[a0], %[w0], %[even], %[a0]\n" \
  "smlad %[a2], %[w1], %[even], %[a2]\n" \
  "sxtb16 %[w0], %[w0]\n"                \
  "sxtb16 %[w1], %[w1]\n"                \
  "smlad %[b0], %[w0], %[even], %[b0]\n" \
  "smlad %[b2], %[w1], %[even], %[b2]\n" \
  "smlad %[a0], %[w2], %[odd], %[a0]\n"  \
  "smlad %[a2], %[w3], %[odd], %[a2]\n"  \
  "sxtb16 %[w2], %[w2]\n"                \
  "sxtb16 %[w3], %[w3]\n"                \
  "smlad %[b0], %[w2], %[odd], %[b0]\n"  \
  "smlad %[b2], %[w3], %[odd], %[b2]\n"
#define MN_VECTOR_LOOP(v, count, STEPS)                                                    \
  do {                                                                                     \
    int32_t even, odd, w0, w1, w2, w3, times = count;                                      \
    __asm__ volatile(                                                                      \
        "0:\n" STEPS "subs %[n], #1\nbne 0b\n"                                             \
        : [x] "+r"((v)->x), [s] "+r"((v)->stream), [a0] "+r"((v)->a0), [b0] "+r"((v)->b0), \
          [a2] "+r"((v)->a2), [b2] "+r"((v)->b2), [n] "+r"(times), [even] "=&r"(even),     \
          [odd] "=&r"(odd), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3) \
        :                                                                                  \
        : "cc", "memory");                                                                 \
  } while (0)

/* n / 4 words of inputs. */
static inline void mn_vector_words(mn_vector *v, int32_t words) {
  if (words >= 4)
    MN_VECTOR_LOOP(v, words >> 2, MN_VECTOR_STEP MN_VECTOR_STEP MN_VECTOR_STEP MN_VECTOR_STEP);
  if ((words & 3) > 0) MN_VECTOR_LOOP(v, words & 3, MN_VECTOR_STEP);
}
#else
static inline void mn_vector_words(mn_vector *v, int32_t words) {
  for (; words > 0; words--, v->x += 4) {
    uint32_t word = mn_load4(v->x);
    mn_vector_pair(v, mn_sxtb16(word));
    mn_vector_pair(v, mn_sxtb16_odd(word));
  }
}
#endif

/* Four channels over n inputs; leaves the stream at their shifts. */
static inline mn_vector mn_vector_sums(const int8_t *x, const int32_t *stream, int32_t n) {
  mn_vector v = {x, stream + 4, stream[0], stream[1], stream[2], stream[3]};
  int32_t rest = n & 3;
  mn_vector_words(&v, n >> 2);
  if (rest > 0) mn_vector_pair(&v, mn_pair(v.x[0], rest > 1 ? v.x[1] : 0));
  if (rest > 2) mn_vector_pair(&v, mn_pair(v.x[2], 0));
  return v;
}

/* The sum of the odd channel of a pair. */
static inline int32_t mn_vector_odd(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a - (uint32_t)b) >> 8;
}

#endif
