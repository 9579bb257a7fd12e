/* memory.c - the schedule that the smooth SRAM term follows: that of one network of the space under the
 * budget, by the real planner, with its ops and tensors found again in the supernet by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "search/internal.h"

/* The supernet's op of that kind and name; -1 none. */
static int32_t named(const mn_graph *supernet, mn_op_kind kind, const char *name,
                     const char *ending) {
  const size_t length = strlen(name);
  for (int32_t op = 0; op < supernet->op_count; op++) {
    const mn_op *o = &supernet->ops[op];
    if (o->kind == kind && strncmp(o->name, name, length) == 0 &&
        strcmp(o->name + length, ending) == 0)
      return op;
  }
  return -1;
}

/* A pool that stands for an absent layer with a stride is called after the layer alone; in the supernet both
 * are there. *shortcut: it is that one. */
static int32_t find_op(bool *shortcut, const mn_graph *supernet, const mn_op *op) {
  const int32_t same = named(supernet, op->kind, op->name, "");
  *shortcut = same < 0 && op->kind == MN_OP_AVERAGE_POOL_2D;
  return *shortcut ? named(supernet, op->kind, op->name, ".pool") : same;
}

static bool reads(const mn_op *op, mn_tensor_id id) {
  for (int32_t i = 0; i < op->inputs; i++)
    if (op->input[i] == id) return true;
  return false;
}

/* The supernet's op for each op of `graph`. A PAD between different widths is not in the supernet: it makes
 * what the sum behind it makes. */
static void find_ops(int32_t *found, const mn_graph *graph, const mn_graph *supernet) {
  bool shortcut;
  for (int32_t op = graph->op_count - 1; op >= 0; op--) {
    found[op] = find_op(&shortcut, supernet, &graph->ops[op]);
    for (int32_t r = op + 1; r < graph->op_count && found[op] < 0; r++)
      if (reads(&graph->ops[r], graph->ops[op].output)) found[op] = found[r];
  }
}

/* The op whose output later layers read in the place of that of `op`: the MIX behind an optional layer, or
 * behind the pool of its shortcut. */
static int32_t flows_to(const mn_graph *supernet, int32_t op, bool shortcut) {
  for (int32_t mix = op + 1; mix < supernet->op_count; mix++) {
    const mn_op *o = &supernet->ops[mix];
    if (o->kind == MN_OP_MIX && o->input[shortcut] == supernet->ops[op].output) {
      op = mix;
      shortcut = false;
    }
  }
  return op;
}

static void take_block(mn_plan_block *to, const mn_plan_block *from, const mn_cost *cost,
                       const mn_graph *graph) {
  const mn_graph *supernet = cost->graph;
  *to = *from;
  if (from->op < 0) {
    to->tensor = supernet->inputs[0];
    return;
  }
  to->op = cost->op[from->op];
  if (from->tensor < 0) return;
  bool shortcut;
  (void)find_op(&shortcut, supernet, &graph->ops[from->op]);
  to->op = flows_to(supernet, to->op, shortcut);
  to->tensor = supernet->ops[to->op].output;
}

static mn_status plan_of(const mn_plan **plan, mn_subject *s, const mn_cost *cost,
                         mn_arena *scratch, const mn_search_config *config, mn_error *error) {
  mn_price price;
  MN_TRY(mn_search_subject(s, scratch, cost->net, &cost->scheduled, config, error));
  MN_TRY(mn_budget_price(&price, &s->options, scratch, s->graph, &s->frontend, config->target,
                         config->runtime, &config->budget, error));
  return mn_plan_make(plan, scratch, s->graph, config->target, &s->options, error);
}

mn_status mn_cost_schedule(mn_cost *cost, const mn_pick *pick, mn_arena *scratch,
                           const mn_search_config *config, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  const mn_plan *plan = NULL;
  mn_subject s;
  if (cost->paper || cost->tflm) return MN_OK;
  mn_pick_copy(&cost->scheduled, pick);
  mn_status status = plan_of(&plan, &s, cost, scratch, config, error);
  if (status == MN_OK &&
      (s.graph->op_count > cost->op_room || plan->block_count > cost->block_room))
    status =
        mn_error_set(error, MN_ERR_FAILED, "%s: found %d ops in a network; expected at most %d",
                     mn_net_path(cost->net), (int)s.graph->op_count, (int)cost->op_room);
  if (status == MN_OK) {
    find_ops(cost->op, s.graph, cost->graph);
    for (int32_t b = 0; b < plan->block_count; b++)
      take_block(&cost->blocks[b], &plan->blocks[b], cost, s.graph);
    cost->memory = (mn_memory){cost->blocks, plan->block_count, cost->op, s.graph->op_count};
  }
  mn_arena_release(scratch, mark);
  return status;
}
