/* vector.h - the few vector operations the training kernels are written in, on GCC's vector_size with
 * MN_LANES floats. The operations that the compiler does not find by itself come from vector_<isa>.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_VECTOR_H
#define MN_TRAIN_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "train/lanes.h"

#define MN_INLINE static inline __attribute__((always_inline))
#define MN_GLUE2(a, b) a##_##b
#define MN_GLUE1(a, b) MN_GLUE2(a, b)
#define MN_LANE(name) MN_GLUE1(mn_lane_##name, MN_ISA) /* mn_lane_gemm_avx512 */

#define MN_TEXT1(x) #x
#define MN_TEXT(x) MN_TEXT1(x)

#if defined(__clang__)
#define MN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MN_UNROLL _Pragma("GCC unroll 16")
#endif

/* Aligned to 4 bytes: every load and store may be unaligned. */
typedef float vf __attribute__((vector_size(4 * MN_LANES), aligned(4), may_alias));
/* Without these attributes: these live in registers and nothing may alias them. */
typedef float vs __attribute__((vector_size(4 * MN_LANES)));
typedef int32_t vi __attribute__((vector_size(4 * MN_LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * MN_LANES), aligned(4), may_alias));
typedef uint16_t vh __attribute__((vector_size(2 * MN_LANES), aligned(2), may_alias));

MN_INLINE vf load(const float *p) {
  return *(const vf *)p;
}
MN_INLINE void store(float *p, vf v) {
  *(vf *)p = v;
}
MN_INLINE vf spread(float x) {
  return x - (vf){0};
}

#if MN_LANES == 16
#include "train/lanes/vector_avx512.h"
#elif MN_LANES == 8
#include "train/lanes/vector_avx2.h"
#else
#include "train/lanes/vector_portable.h"
#endif

MN_INLINE vf bf16_widened(vh x) {
  return (vf)(__builtin_convertvector(x, vu) << 16);
}
MN_INLINE vh bf16_narrowed(vf x) {
  const vu bits = (vu)x;
  return __builtin_convertvector((bits + 0x7fffu + (bits >> 16 & 1)) >> 16, vh);
}

/* Element i of stored numbers, and where it lies. The form is a constant at every call. */
MN_INLINE const void *form_at(const mn_form form, const void *p, ptrdiff_t i) {
  return (const char *)p + i * mn_form_bytes(form);
}
MN_INLINE vf form_load(const mn_form form, const void *p, ptrdiff_t i) {
  const void *at = form_at(form, p, i);
  if (form == MN_FORM_FLOAT) return load(at);
  return form == MN_FORM_HALF ? half_widened(*(const vh *)at) : bf16_widened(*(const vh *)at);
}
MN_INLINE void form_store(const mn_form form, void *p, ptrdiff_t i, vf v) {
  void *at = (char *)p + i * mn_form_bytes(form);
  if (form == MN_FORM_FLOAT)
    store(at, v);
  else
    *(vh *)at = form == MN_FORM_HALF ? half_narrowed(v) : bf16_narrowed(v);
}
/* Of floats that came from that form: nothing is rounded. */
MN_INLINE void form_store_exact(const mn_form form, void *p, ptrdiff_t i, vf v) {
  if (form == MN_FORM_BF16)
    *(vh *)((uint16_t *)p + i) = __builtin_convertvector((vu)v >> 16, vh);
  else
    form_store(form, p, i, v);
}

MN_INLINE vf clamp(vf x, vf low, vf high) {
  return lesser(greater(x, low), high);
}

/* Nearest integer, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. */
MN_INLINE vf nearest(vf x) {
  const vf magic = spread(12582912.0f);
  return (x + magic) - magic;
}

/* sums[lane] += v, in double: partial sums of a block leave single precision here. */
MN_INLINE void add_to(double *sums, vf v) {
  for (int i = 0; i < MN_LANES; i++) sums[i] += (double)v[i];
}

#endif
