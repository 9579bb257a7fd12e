/* frontend_memory.c - where the front end of a compiled model works: its state lies behind the
 * plan's arena, because it lives from run to run; its scratch lies over the arena, because no run
 * is under way while sound comes in. Only the input tensor, which it fills, must stay clear of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/plan.h"

enum { ALIGN = 4 };

static int64_t align_up(int64_t bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool keeps_state(const mn_graph *graph) {
  for (int32_t i = 0; i < graph->tensor_count; i++)
    if (graph->tensors[i].variable) return true;
  return false;
}

/* Before the input tensor if there is room, else behind it; behind everything when the arena holds
 * what the next run needs. */
static int64_t scratch_place(const mn_plan *plan, int64_t scratch_bytes) {
  const mn_graph *graph = plan->graph;
  if (keeps_state(graph)) return align_up(plan->arena_bytes);
  mn_tensor_id input = graph->inputs[0];
  int64_t offset = plan->tensor_offset[input];
  if (scratch_bytes <= offset) return 0;
  return align_up(offset + (int64_t)mn_tensor_bytes(&graph->tensors[input]));
}

mn_frontend_memory mn_plan_frontend_memory(const mn_plan *plan, const mn_frontend *frontend) {
  mn_frontend_memory memory = {.total_bytes = plan->arena_bytes};
  bool audio = frontend != NULL && mn_frontend_listens(frontend);
  if (!audio) return memory;
  int64_t scratch_bytes = (int64_t)mn_frontend_scratch_bytes(frontend);
  memory.scratch_offset = scratch_place(plan, scratch_bytes);
  int64_t scratch_end = memory.scratch_offset + scratch_bytes;
  int64_t end = plan->arena_bytes > scratch_end ? plan->arena_bytes : scratch_end;
  memory.state_offset = align_up(end);
  memory.total_bytes = memory.state_offset + (int64_t)mn_frontend_state_bytes(frontend);
  memory.features_bytes = memory.total_bytes - plan->arena_bytes;
  return memory;
}
