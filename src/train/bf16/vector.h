/* vector.h - vectors of pairs of bf16, as many as there are lanes. What an instruction does, or floats do in
 * its place, comes from vector_<way>.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_BF16_VECTOR_H
#define MN_TRAIN_BF16_VECTOR_H

#include "train/bf16.h"
#include "train/lanes/vector.h"

typedef uint32_t vu __attribute__((vector_size(4 * MN_LANES), aligned(4), may_alias));
typedef uint16_t vh __attribute__((vector_size(2 * MN_LANES), aligned(2), may_alias));

#if defined(__AVX512BF16__)
#include "train/bf16/vector_avx512bf16.h"
#else
#include "train/bf16/vector_floats.h"
#endif

/* Low and high halves of pairs. */
MN_INLINE vu woven(vh low, vh high) {
  return __builtin_convertvector(low, vu) | __builtin_convertvector(high, vu) << 16;
}

#endif
