/* random_graph.h - small random networks for differential and property tests: odd sizes, every
 * padding, strides, extreme scales; the same seed gives the same network.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_RANDOM_GRAPH_H
#define MN_TEST_RANDOM_GRAPH_H

#include "micronets/graph.h"

/* 1 to `most_ops` ops. Bare, then frozen with random parameters. */
const mn_graph *test_random_bare(mn_arena *arena, uint64_t seed, int32_t most_ops);
/* The same of other types: int16 activations, int8 with int4 weights, or int8 with uint8 at both ends. */
const mn_graph *test_random_typed(mn_arena *arena, uint64_t seed, int32_t most_ops, mn_dtype values,
                                  mn_dtype weights);
/* Frozen: int16 in, SVDFs with int16 and int8 state, int32 or int16 out. */
const mn_graph *test_random_svdf(mn_arena *arena, uint64_t seed);
const mn_graph *test_random_frozen(mn_arena *arena, const mn_graph *bare, uint64_t seed);
void test_random_bytes(void *data, size_t size, uint64_t seed);

#endif
