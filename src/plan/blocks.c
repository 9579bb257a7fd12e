/* blocks.c - the memory of a schedule: one block per tensor, slab and scratch, with the times it lives
 * at and what it may be written over; then layout.c places them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

static int32_t add_block(mn_planner *p, int64_t bytes, int32_t first, int32_t last) {
  mn_block *block = &p->blocks[p->block_count];
  *block =
      (mn_block){.bytes = bytes > 0 ? bytes : 1, .first = first, .last = last, .over = {-1, -1}};
  return p->block_count++;
}

/* ---- Lifetimes, widened to whole loops -----------------------------------------------------------*/
static const mn_group *group_at(const mn_planner *p, int32_t time) {
  if (time < 1 || time > p->graph->op_count) return NULL;
  return &p->schedule.groups[p->group_of[time - 1]];
}

static int32_t begin_of(const mn_planner *p, int32_t time) {
  const mn_group *group = group_at(p, time);
  return group != NULL ? group->first + 1 : time;
}

static int32_t end_of(const mn_planner *p, int32_t time) {
  const mn_group *group = group_at(p, time);
  return group != NULL ? group->first + group->count : time;
}

/* ---- Blocks --------------------------------------------------------------------------------*/
/* The slab of op's output, or the whole of it. */
static void add_output(mn_planner *p, int32_t op) {
  const mn_op_rows *rows = &p->scheduler.rows[op];
  mn_tensor_id y = p->graph->ops[op].output;
  const mn_tensor *tensor = &p->graph->tensors[y];
  int64_t bytes = (int64_t)mn_tensor_bytes(tensor);
  int32_t first = begin_of(p, op + 1), last = end_of(p, p->last[y]);
  if (rows->slab_rows > 0) bytes = bytes / tensor->shape.dim[1] * rows->slab_rows;
  if (mn_op_is_passing(&p->scheduler, op)) {
    first = op + 1;
    last = p->last[y];
  }
  p->block_of[y] = add_block(p, bytes, first, last);
}

/* Shares a dying input's block where the kernel needs its output exactly there, else says what the
 * group's output may be written over. */
static void allow_in_place(mn_planner *p, const mn_group *group) {
  mn_dying dying[MN_BLOCK_MAX_OVER];
  int32_t op = group->first + group->count - 1;
  int32_t count = mn_group_dying(dying, group, &p->scheduler);
  if (count == 0) return;
  mn_block *y = &p->blocks[p->block_of[p->graph->ops[op].output]];
  if (group->rows == 0 && p->calls[op].kernel->overlap == MN_OVERLAP_PLANE) {
    int32_t x = p->block_of[dying[0].x];
    p->blocks[x].last = y->last;
    p->block_of[p->graph->ops[op].output] = x;
    p->block_count--;
    return;
  }
  for (int32_t i = 0; i < count; i++) {
    y->over[i] = p->block_of[p->storage[dying[i].x]];
    y->distance[i] = dying[i].distance;
  }
}

static void add_group(mn_planner *p, const mn_group *group) {
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    mn_tensor_id y = p->graph->ops[op].output;
    if (p->storage[y] != y) {
      p->block_of[y] = p->block_of[p->storage[y]];
    } else {
      add_output(p, op);
      if (op == group->first + group->count - 1) allow_in_place(p, group);
    }
  }
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    const mn_plan_step *step = mn_group_step(group, &p->scheduler, op);
    bool kept = step->kernel->by_input_rows; /* from turn to turn */
    p->scratch_block[op] = -1;
    if (step->scratch_bytes > 0)
      p->scratch_block[op] = add_block(p, step->scratch_bytes, kept ? begin_of(p, op + 1) : op + 1,
                                       kept ? end_of(p, op + 1) : op + 1);
  }
}

static void make_blocks(mn_planner *p) {
  const mn_graph *g = p->graph;
  p->block_count = 0;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    p->block_of[t] = -1;
    if (p->last[t] < 0 || p->first[t] > 0) continue;
    p->block_of[t] =
        add_block(p, (int64_t)mn_tensor_bytes(&g->tensors[t]), 0, end_of(p, p->last[t]));
  }
  for (int32_t i = 0; i < p->schedule.group_count; i++) add_group(p, &p->schedule.groups[i]);
}

/* ---- Layout --------------------------------------------------------------------------------*/
/* Every block its own place, in order: for dumps, and the reference of the watch hook. */
static mn_layout lay_out_apart(mn_planner *p) {
  int64_t offset = 0;
  for (int32_t b = 0; b < p->block_count; b++) {
    p->blocks[b].offset = offset;
    offset += (p->blocks[b].bytes + MN_ARENA_ALIGN - 1) / MN_ARENA_ALIGN * MN_ARENA_ALIGN;
  }
  return (mn_layout){.bytes = offset, .lower_bound = offset};
}

mn_status mn_planner_place(mn_planner *p) {
  mn_layout layout;
  mn_layout_limits limits = {
      .align = MN_ARENA_ALIGN,
      .nodes = p->options->node_limit > 0 ? p->options->node_limit : p->schedule.nodes,
      .most = p->schedule.most};
  make_blocks(p);
  if (p->options->keep_all)
    layout = lay_out_apart(p);
  else
    MN_TRY(mn_layout_solve(&layout, p->blocks, p->block_count, &limits, p->arena, p->error));
  p->plan->arena_bytes = layout.bytes;
  p->plan->lower_bound_bytes = layout.lower_bound;
  p->plan->schedule_bound_bytes = p->schedule.lower_bound;
  p->plan->schedule_bound_cycles = p->scheduler.uncounted != NULL ? -1 : p->schedule.fewest;
  p->plan->arena_align = MN_ARENA_ALIGN;
  return MN_OK;
}
