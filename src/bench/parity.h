/* parity.h - whether the firmware computes the same bits: the reference's tensors, and what the
 * bench program said of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_PARITY_H
#define MN_BENCH_PARITY_H

#include "bench/vectors.h"

/* Every operator's output of every vector, from the host's reference kernels. */
typedef struct mn_reference {
  const mn_graph *graph;
  const int64_t *offset;   /* [op_count + 1] of each output in one vector's bytes */
  uint8_t *const *tensors; /* [vectors]: all outputs, one after another */
  const uint8_t **output;  /* [vectors]: the model's output tensor */
  int32_t vectors;
} mn_reference;

mn_status mn_reference_run(mn_reference *reference, mn_arena *arena, const mn_graph *graph,
                           const mn_vectors *vectors, mn_error *error) MN_MUST_CHECK;

/* Fills result->parity from the text of the bench program with checksums: every stretch of rows
 * against the reference, the reference against what a golden folder stores. */
mn_status mn_parity_check(mn_bench_result *result, mn_arena *arena, const mn_reference *reference,
                          const mn_vectors *vectors, mn_bytes text, mn_error *error) MN_MUST_CHECK;

#endif
