/* detector_fit.h - makes a detector of normal vectors.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EVAL_DETECTOR_FIT_H
#define MN_EVAL_DETECTOR_FIT_H

#include "micronets/base.h"
#include "micronets/features.h"

/* Vectors [count][dims], Q8, each of a state; -1: not used. */
typedef struct mn_vectors {
  int32_t count, dims, states;
  const int16_t *x;
  const int32_t *state;
} mn_vectors;

/* Tables live in `arena`. Every state needs a vector. One covariance for all states where theirs would
 * take more than 128 KB together. */
mn_status mn_detector_fit(mn_detector *detector, mn_arena *arena, const mn_vectors *vectors,
                          int32_t rows, mn_error *error) MN_MUST_CHECK;

#endif
