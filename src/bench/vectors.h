/* vectors.h - the inputs a bench runs on, and every tensor they must give.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_VECTORS_H
#define MN_BENCH_VECTORS_H

#include "micronets/bench.h"

/* Checksums that a golden folder stores of one operator's output. */
typedef struct mn_golden_tensor {
  int32_t op;
  size_t bytes;
} mn_golden_tensor;

typedef struct mn_vectors {
  int32_t count;
  const uint8_t **input;  /* [count] */
  const uint8_t **output; /* [count], NULL where none is stored */
  size_t input_bytes, output_bytes;
  const mn_golden_tensor *tensors; /* golden: [tensor_count]; else none */
  int32_t tensor_count;
  const uint32_t *crc;  /* [count][tensor_count] */
  mn_bytes activations; /* golden act00.bin; size 0: none */
} mn_vectors;

/* From a folder of inNN.bin and, if present, outNN.bin, act00.bin and tensors.json. */
mn_status mn_vectors_read(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph,
                          const char *folder, mn_error *error) MN_MUST_CHECK;
/* Made from a seed: uniform bytes. */
mn_status mn_vectors_make(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph,
                          int32_t count, uint64_t seed, mn_error *error) MN_MUST_CHECK;

#endif
