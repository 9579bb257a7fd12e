/* layers.h - many layers of one kernel in one graph, each on a constant of its own, for measuring.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_LAYERS_H
#define MN_BENCH_LAYERS_H

#include "micronets/graph.h"
#include "plan/kernel_table.h"

/* A frozen graph of up to `count` layers that `row` takes, of shapes drawn from a fixed list; the
 * same for the same seed. *graph is NULL where it takes none of them. */
mn_status mn_layers_make(const mn_graph **graph, mn_arena *arena, const mn_kernel_row *row,
                         int32_t count, uint64_t seed, mn_error *error) MN_MUST_CHECK;
/* The part of it for rows of SVDF. */
mn_status mn_layers_make_svdf(const mn_graph **graph, mn_arena *arena, const mn_kernel_row *row,
                              int32_t count, uint64_t seed, mn_error *error) MN_MUST_CHECK;

#endif
