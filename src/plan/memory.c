/* memory.c - what a plan holds in memory, in shares of tensors: for the smooth term of search.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* The output of an op: all of it, or a slab of rows. */
static void fill_output(mn_plan_block *to, const mn_planner *p, int32_t op) {
  mn_tensor_id y = p->graph->ops[op].output;
  const mn_op_rows *rows = &p->scheduler.rows[op];
  to->op = op;
  to->tensor = y;
  to->share = 1;
  if (rows->slab_rows > 0) to->share = (double)rows->slab_rows / p->scheduler.window[op].height;
}

/* What the last op of a group may be written over. */
static void fill_over(mn_plan_block *blocks, const mn_planner *p, const mn_group *group) {
  mn_dying dying[MN_BLOCK_MAX_OVER];
  int32_t block = p->block_of[p->graph->ops[group->first + group->count - 1].output];
  int32_t count = mn_group_dying(dying, group, &p->scheduler);
  for (int32_t i = 0; i < count && p->blocks[block].over[i] >= 0; i++) {
    blocks[block].over[i] = p->blocks[block].over[i];
    blocks[block].y_share[i] = dying[i].y_share;
    blocks[block].x_share[i] = dying[i].x_share;
  }
}

mn_status mn_planner_memory(mn_planner *p) {
  mn_plan_block *blocks = mn_arena_array(p->arena, (size_t)p->block_count + 1, sizeof *blocks);
  if (blocks == NULL) return mn_planner_no_memory(p);
  for (int32_t b = 0; b < p->block_count; b++)
    blocks[b] =
        (mn_plan_block){-1, -1, 0, p->blocks[b].first, p->blocks[b].last, {-1, -1}, {0}, {0}};
  for (int32_t t = 0; t < p->graph->tensor_count; t++) {
    if (p->block_of[t] < 0 || p->first[t] > 0) continue; /* inputs and state */
    blocks[p->block_of[t]].tensor = t;
    blocks[p->block_of[t]].share = 1;
  }
  for (int32_t op = 0; op < p->graph->op_count; op++) {
    mn_plan_block *to = &blocks[p->block_of[p->graph->ops[op].output]];
    if (to->tensor < 0) fill_output(to, p, op);
    if (p->scratch_block[op] < 0) continue;
    to = &blocks[p->scratch_block[op]];
    to->op = op;
    to->share = (double)p->blocks[p->scratch_block[op]].bytes;
  }
  for (int32_t i = 0; i < p->schedule.group_count; i++)
    fill_over(blocks, p, &p->schedule.groups[i]);
  p->plan->blocks = blocks;
  p->plan->block_count = p->block_count;
  return MN_OK;
}
