/* vector.h - what an instruction does to bf16, or floats do in its place, comes from vector_<way>.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_BF16_VECTOR_H
#define MN_TRAIN_BF16_VECTOR_H

#include "train/half.h"
#include "train/lanes/vector.h"

#if defined(__AVX512BF16__)
#include "train/bf16/vector_avx512bf16.h"
#else
#include "train/bf16/vector_floats.h"
#endif

#endif
