/* measure.h - figures of a built model: instructions and cycles from counted runs, memory from the
 * program files and the painted stack.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_MEASURE_H
#define MN_BENCH_MEASURE_H

#include "bench/build.h"

/* Runs the plain and the marked program on the one vector in the file `input`. */
mn_status mn_measure_speed(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                           const char *input) MN_MUST_CHECK;
/* The marked program alone: result->layers and their count. */
mn_status mn_measure_layers(mn_bench_result *result, mn_workshop *shop, const mn_graph *graph,
                            const char *input) MN_MUST_CHECK;
/* Reads the program of nothing but the model. */
mn_status mn_measure_size(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                          const mn_model *model, const mn_plan_options *options,
                          const mn_objects *objects) MN_MUST_CHECK;

#endif
