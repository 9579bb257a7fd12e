/* pending.c - stands in for what is not linked yet; goes as it lands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/eval.h"
#include "micronets/bench.h"
#include "micronets/train.h"
#define S __attribute__((weak))
S mn_status mn_bench(mn_bench_result *result, mn_arena *arena, const mn_model *model,                   const mn_bench_config *config, mn_error *error){(void)result;(void)arena;(void)model;(void)config;return mn_error_set(error,MN_ERR_USAGE,"this part is not built yet");}
#include "micronets/plan.h"
S mn_status mn_tflm_memory_of(mn_tflm_memory *memory, mn_arena *arena, const mn_graph *graph, mn_error *error){(void)arena;(void)graph;(void)error;*memory=(mn_tflm_memory){-1,-1,-1};return MN_OK;}
