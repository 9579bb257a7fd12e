/* steps.c - writes the plan: where operands lie, constants, and the list of calls and loops.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/move.h"
#include "plan/names.h"
#include "plan/planner.h"

typedef struct writer {
  mn_planner *p;
  mn_plan_step *steps;
  mn_constant *constants;
  int32_t step_count, constant_count;
} writer;

/* ---- Constants -----------------------------------------------------------------------------*/
static int32_t add_constant(writer *w, const mn_constant *constant, int32_t op) {
  mn_constant *to = &w->constants[w->constant_count];
  *to = *constant;
  to->name = mn_constant_name(w->p->arena, w->p->graph, op, constant->name);
  return to->name == NULL ? -1 : w->constant_count++;
}

/* An activation that is a constant of the graph. */
static mn_status place_constant_tensor(writer *w, mn_place *place, int32_t op, mn_tensor_id id) {
  const mn_tensor *tensor = &w->p->graph->tensors[id];
  mn_constant constant = {.name = "term",
                          .dtype = tensor->dtype,
                          .data = tensor->data,
                          .bytes = mn_tensor_bytes(tensor),
                          .weights = true};
  int32_t index = add_constant(w, &constant, op);
  if (index < 0) return mn_planner_no_memory(w->p);
  *place = (mn_place){.kind = MN_PLACE_CONSTANT, .tensor = id, .offset = index};
  return MN_OK;
}

static mn_status place_constants(writer *w, mn_plan_step *step) {
  const mn_kernel_arguments *a = &w->p->arguments[step->op];
  for (int32_t i = 0; i < MN_CALL_MAX_CONSTANTS; i++) {
    step->constant[i] = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
    if (i >= a->constants || a->constant[i].bytes == 0) continue;
    int32_t index = add_constant(w, &a->constant[i], step->op);
    if (index < 0) return mn_planner_no_memory(w->p);
    step->constant[i] = (mn_place){.kind = MN_PLACE_CONSTANT, .tensor = -1, .offset = index};
  }
  return MN_OK;
}

/* ---- Places --------------------------------------------------------------------------------*/
static mn_place arena_place(const mn_planner *p, mn_tensor_id tensor, int32_t block) {
  return (mn_place){.kind = MN_PLACE_ARENA, .tensor = tensor, .offset = p->blocks[block].offset};
}

/* The rows of a tensor's slab, where it has one. */
static const mn_op_rows *slab_of(const mn_planner *p, mn_tensor_id id) {
  if (p->storage[id] != id || p->first[id] < 1) return NULL;
  const mn_op_rows *rows = &p->scheduler.rows[p->first[id] - 1];
  return rows->slab_rows > 0 ? rows : NULL;
}

static mn_place tensor_place(const mn_planner *p, mn_tensor_id id) {
  mn_place place = arena_place(p, id, p->block_of[id]);
  const mn_op_rows *slab = slab_of(p, id);
  if (slab != NULL) {
    place.row = slab->slab_row;
    place.row_step = slab->step;
  }
  return place;
}

static mn_status place_operands(writer *w, mn_plan_step *step) {
  const mn_planner *p = w->p;
  const mn_kernel_arguments *a = &p->arguments[step->op];
  for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++) {
    step->x[i] = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
    if (a->x[i] < 0) continue;
    if (p->block_of[a->x[i]] >= 0)
      step->x[i] = tensor_place(p, a->x[i]);
    else
      MN_TRY(place_constant_tensor(w, &step->x[i], step->op, a->x[i]));
  }
  step->y = tensor_place(p, p->graph->ops[step->op].output);
  step->scratch = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
  if (p->scratch_block[step->op] >= 0)
    step->scratch = arena_place(p, -1, p->scratch_block[step->op]);
  return place_constants(w, step);
}

/* Nothing is called where the output already is what the input is. */
static void drop_empty_call(mn_plan_step *step) {
  if (step->kernel->overlap == MN_OVERLAP_ALIAS && step->x[0].kind == MN_PLACE_ARENA &&
      step->x[0].offset == step->y.offset)
    step->kernel = NULL;
}

/* ---- Steps ---------------------------------------------------------------------------------*/
/* Before an op's turn: the rows of its slab that are still needed go to the slab's front. */
static mn_status add_move(writer *w, int32_t op, int32_t group) {
  const mn_planner *p = w->p;
  const mn_op_rows *rows = &p->scheduler.rows[op];
  mn_tensor_id y = p->graph->ops[op].output;
  if (rows->slab_rows <= rows->step) return MN_OK;
  mn_move *params = mn_arena_alloc(p->arena, sizeof *params);
  if (params == NULL) return mn_planner_no_memory(p);
  const mn_tensor *tensor = &p->graph->tensors[y];
  int32_t row = (int32_t)mn_tensor_bytes(tensor) / tensor->shape.dim[1];
  params->bytes = (rows->slab_rows - rows->step) * row;
  mn_place none = {.kind = MN_PLACE_NONE, .tensor = -1};
  mn_plan_step *step = &w->steps[w->step_count++];
  *step = (mn_plan_step){.kind = MN_STEP_CALL,
                         .op = op,
                         .group = group,
                         .kernel = mn_kernel_move(),
                         .params = params,
                         .x = {none, none, none},
                         .y = arena_place(p, -1, p->block_of[y]),
                         .scratch = none,
                         .constant = {none, none, none, none},
                         .rows = 1};
  step->x[0] = step->y;
  step->x[0].offset += (int64_t)rows->step * row;
  return MN_OK;
}

static mn_status add_call(writer *w, int32_t op, int32_t group) {
  mn_plan_step *step = &w->steps[w->step_count++];
  bool loop = w->p->schedule.groups[group].rows > 0;
  *step = *mn_group_step(&w->p->schedule.groups[group], &w->p->scheduler, op);
  step->group = group;
  if (loop) {
    const mn_op_rows *rows = &w->p->scheduler.rows[op];
    step->first_row = rows->first_row;
    step->rows = step->row_step = rows->step;
  }
  MN_TRY(place_operands(w, step));
  drop_empty_call(step);
  return MN_OK;
}

static mn_status add_group(writer *w, int32_t index) {
  const mn_group *group = &w->p->schedule.groups[index];
  bool loop = group->rows > 0;
  if (loop)
    w->steps[w->step_count++] =
        (mn_plan_step){.kind = MN_STEP_LOOP, .group = index, .count = group->turns};
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    if (loop) MN_TRY(add_move(w, op, index));
    MN_TRY(add_call(w, op, index));
  }
  if (loop) w->steps[w->step_count++] = (mn_plan_step){.kind = MN_STEP_END, .group = index};
  return MN_OK;
}

int32_t mn_plan_step_height(const mn_graph *graph, const mn_plan_step *step) {
  const mn_op *op = &graph->ops[step->op];
  bool input = step->kernel != NULL && step->kernel->by_input_rows;
  const mn_shape *shape = &graph->tensors[input ? op->input[0] : op->output].shape;
  return shape->rank == 4 ? shape->dim[1] : 1;
}

int64_t mn_plan_step_row_bytes(const mn_graph *graph, const mn_plan_step *step) {
  int64_t bytes = (int64_t)mn_tensor_bytes(&graph->tensors[graph->ops[step->op].output]);
  if (step->kernel != NULL && step->kernel->by_input_rows) return bytes;
  return bytes / mn_plan_step_height(graph, step);
}

/* ---- Entry ---------------------------------------------------------------------------------*/
static mn_status write_groups(mn_planner *p) {
  int32_t count = p->schedule.group_count;
  mn_plan_group *groups = mn_arena_array(p->arena, (size_t)count + 1, sizeof *groups);
  if (groups == NULL) return mn_planner_no_memory(p);
  for (int32_t i = 0; i < count; i++) {
    const mn_group *g = &p->schedule.groups[i];
    groups[i] = (mn_plan_group){g->first, g->count, g->rows, g->turns, g->slab_bytes, g->bytes};
  }
  p->plan->groups = groups;
  p->plan->group_count = count;
  return MN_OK;
}

static mn_status write_offsets(mn_planner *p) {
  const mn_graph *g = p->graph;
  int64_t *offset = mn_arena_array(p->arena, (size_t)g->tensor_count, sizeof *offset);
  if (offset == NULL && g->tensor_count > 0) return mn_planner_no_memory(p);
  for (int32_t t = 0; t < g->tensor_count; t++) {
    bool whole = p->block_of[t] >= 0 && slab_of(p, t) == NULL;
    offset[t] = whole ? p->blocks[p->block_of[t]].offset : -1;
  }
  p->plan->tensor_offset = offset;
  return MN_OK;
}

mn_status mn_planner_write(mn_planner *p) {
  size_t ops = (size_t)p->graph->op_count;
  enum {
    OPERANDS = MN_CALL_MAX_CONSTANTS + MN_CALL_MAX_INPUTS,
    STEPS = 4 /* loop, move, call, end */
  };
  writer w = {.p = p,
              .steps = mn_arena_array(p->arena, ops * STEPS + 1, sizeof *w.steps),
              .constants = mn_arena_array(p->arena, ops * OPERANDS + 1, sizeof *w.constants)};
  if (w.steps == NULL || w.constants == NULL) return mn_planner_no_memory(p);
  for (int32_t i = 0; i < p->schedule.group_count; i++) MN_TRY(add_group(&w, i));
  MN_TRY(write_offsets(p));
  p->plan->graph = p->graph;
  p->plan->steps = w.steps;
  p->plan->step_count = w.step_count;
  p->plan->constants = w.constants;
  p->plan->constant_count = w.constant_count;
  return write_groups(p);
}
