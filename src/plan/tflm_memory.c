/* tflm_memory.c - TFLM's arena. Placeholder until the planner of TFLM is in: unknown is 0.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/plan.h"

mn_status mn_tflm_memory_of(mn_tflm_memory *memory, mn_arena *arena, const mn_graph *graph, mn_error *error) {
  (void)arena;
  (void)graph;
  (void)error;
  *memory = (mn_tflm_memory){0};
  return MN_OK;
}
