/* plan.c - a graph becomes a flat list of calls: kernel rows, packed constants, and arena offsets from
 * liveness and layout.c. Layerwise, one call per op, with outputs over dying inputs where the kernel
 * allows it.
 *
 * Time: graph inputs are there at time 0; op i runs at time i + 1; graph outputs live to the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "micronets/plan.h"
#include "plan/kernel_table.h"
#include "plan/layout.h"
#include "plan/names.h"

#define DEFAULT_NODE_LIMIT 5000

typedef struct planner {
  mn_arena *arena;
  const mn_graph *graph;
  const mn_plan_options *options;
  const char *family;
  mn_error *error;
  mn_plan_step *steps;
  mn_kernel_arguments *arguments; /* [op_count] */
  mn_constant *constants;
  int32_t constant_count;
  int32_t *first, *last;  /* [tensor_count] times a tensor lives at; last -1 where it never does */
  int32_t *block_of;      /* [tensor_count] index into blocks, -1 none */
  mn_block *blocks;       /* [tensor_count + op_count] */
  int32_t *scratch_block; /* [op_count] */
  int32_t block_count;
  mn_plan *plan;
} planner;

static mn_status no_memory(planner *p) {
  return mn_error_set(p->error, MN_ERR_MEMORY, "out of memory while planning a graph of %d ops",
                      p->graph->op_count);
}

/* ---- Kernels and their arguments ---------------------------------------------------------------*/
static mn_status choose_kernel(planner *p, int32_t index) {
  const mn_op *op = &p->graph->ops[index];
  const char *reason = NULL;
  const mn_kernel_row *row = mn_kernel_find(p->graph, op, p->family, &reason);
  if (row == NULL)
    return mn_error_set(p->error, MN_ERR_UNSUPPORTED, "op %.80s (%s) cannot run: %s", op->name,
                        mn_op_info_get(op->kind)->text, reason);
  mn_plan_step *step = &p->steps[index];
  mn_kernel_arguments *arguments = &p->arguments[index];
  MN_TRY(row->arguments(arguments, p->arena, p->graph, op, p->error));
  const mn_shape *y = &p->graph->tensors[op->output].shape;
  *step = (mn_plan_step){.kind = MN_STEP_CALL,
                         .op = index,
                         .group = index,
                         .kernel = row,
                         .params = arguments->params,
                         .scratch_bytes = arguments->scratch_bytes,
                         .rows = y->rank == 4 ? y->dim[1] : 1};
  return MN_OK;
}

/* ---- Liveness ------------------------------------------------------------------------------*/
static void use(planner *p, mn_tensor_id id, int32_t time) {
  if (id >= 0 && time > p->last[id]) p->last[id] = time;
}

/* Constants are never in the arena; state stays in it for ever. */
static void find_lifetimes(planner *p) {
  const mn_graph *g = p->graph;
  int32_t end = g->op_count + 1;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    p->first[t] = 0;
    p->last[t] = g->tensors[t].variable ? end : -1;
  }
  for (int32_t i = 0; i < g->input_count; i++) use(p, g->inputs[i], 0);
  for (int32_t op = 0; op < g->op_count; op++) {
    p->first[g->ops[op].output] = op + 1;
    use(p, g->ops[op].output, op + 1);
    for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++) use(p, p->arguments[op].x[i], op + 1);
  }
  for (int32_t i = 0; i < g->output_count; i++) use(p, g->outputs[i], end);
  for (int32_t t = 0; t < g->tensor_count; t++)
    if (g->tensors[t].constant) p->last[t] = -1;
}

/* ---- Blocks --------------------------------------------------------------------------------*/
static mn_block *add_block(planner *p, int64_t bytes, int32_t first, int32_t last) {
  mn_block *block = &p->blocks[p->block_count++];
  *block =
      (mn_block){.bytes = bytes > 0 ? bytes : 1, .first = first, .last = last, .over = {-1, -1}};
  return block;
}

/* An output that is its input under another shape shares the input's block. */
static bool share_block(planner *p, int32_t op) {
  mn_tensor_id x = p->arguments[op].x[0], y = p->graph->ops[op].output;
  if (p->options->keep_all || p->options->no_in_place) return false;
  if (p->steps[op].kernel->overlap != MN_OVERLAP_ALIAS || p->block_of[x] < 0) return false;
  if (p->graph->tensors[x].variable || p->graph->tensors[y].variable) return false;
  mn_block *block = &p->blocks[p->block_of[x]];
  if (p->last[y] > block->last) block->last = p->last[y];
  p->block_of[y] = p->block_of[x];
  return true;
}

static mn_status make_blocks(planner *p) {
  const mn_graph *g = p->graph;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    p->block_of[t] = -1;
    bool made_by_op = p->first[t] > 0;
    if (p->last[t] < 0 || made_by_op) continue;
    p->block_of[t] = p->block_count;
    add_block(p, (int64_t)mn_tensor_bytes(&g->tensors[t]), 0, p->last[t]);
  }
  for (int32_t op = 0; op < g->op_count; op++) {
    mn_tensor_id y = g->ops[op].output;
    p->scratch_block[op] = -1;
    if (!share_block(p, op)) {
      p->block_of[y] = p->block_count;
      add_block(p, (int64_t)mn_tensor_bytes(&g->tensors[y]), op + 1, p->last[y]);
    }
    if (p->steps[op].scratch_bytes == 0) continue;
    p->scratch_block[op] = p->block_count;
    add_block(p, p->steps[op].scratch_bytes, op + 1, op + 1);
  }
  return MN_OK;
}

/* Says for every op which dying inputs its output may be written over. Runs when all lifetimes of
 * shared blocks are known. */
static void allow_in_place(planner *p) {
  const mn_graph *g = p->graph;
  for (int32_t op = 0; op < g->op_count; op++) {
    if (p->steps[op].kernel->overlap != MN_OVERLAP_ELEMENT) continue;
    mn_block *y = &p->blocks[p->block_of[g->ops[op].output]];
    for (int32_t i = 0, over = 0; i < MN_BLOCK_MAX_OVER; i++) {
      mn_tensor_id x = p->arguments[op].x[i];
      if (x < 0 || p->block_of[x] < 0 || p->blocks[p->block_of[x]].last != op + 1) continue;
      if (over > 0 && y->over[0] == p->block_of[x]) continue;
      y->over[over++] = p->block_of[x];
    }
  }
}

/* Every block its own place, in order: for dumps, and the reference of the watch hook. */
static mn_layout lay_out_apart(planner *p) {
  int64_t offset = 0;
  for (int32_t b = 0; b < p->block_count; b++) {
    p->blocks[b].offset = offset;
    offset += (p->blocks[b].bytes + MN_ARENA_ALIGN - 1) / MN_ARENA_ALIGN * MN_ARENA_ALIGN;
  }
  return (mn_layout){.bytes = offset, .lower_bound = offset};
}

static mn_status lay_out(planner *p) {
  mn_layout layout;
  int64_t limit = p->options->node_limit > 0 ? p->options->node_limit : DEFAULT_NODE_LIMIT;
  if (p->options->keep_all) {
    layout = lay_out_apart(p);
  } else {
    if (!p->options->no_in_place) allow_in_place(p);
    MN_TRY(mn_layout_solve(&layout, p->blocks, p->block_count, MN_ARENA_ALIGN, limit, p->arena,
                           p->error));
  }
  p->plan->arena_bytes = layout.bytes;
  p->plan->lower_bound_bytes = layout.lower_bound;
  p->plan->arena_align = MN_ARENA_ALIGN;
  return MN_OK;
}

/* ---- Places --------------------------------------------------------------------------------*/
static int32_t add_constant(planner *p, const mn_constant *constant, int32_t op) {
  mn_constant *to = &p->constants[p->constant_count];
  *to = *constant;
  to->name = mn_constant_name(p->arena, p->graph, op, constant->name);
  return to->name == NULL ? -1 : p->constant_count++;
}

static mn_place arena_place(const planner *p, int32_t tensor, int32_t block) {
  return (mn_place){.kind = MN_PLACE_ARENA, .tensor = tensor, .offset = p->blocks[block].offset};
}

/* An activation that is a constant of the graph. */
static mn_status place_constant_tensor(planner *p, mn_place *place, int32_t op, mn_tensor_id id) {
  const mn_tensor *tensor = &p->graph->tensors[id];
  mn_constant constant = {.name = "term",
                          .dtype = tensor->dtype,
                          .data = tensor->data,
                          .bytes = mn_tensor_bytes(tensor),
                          .weights = true};
  int32_t index = add_constant(p, &constant, op);
  if (index < 0) return no_memory(p);
  *place = (mn_place){.kind = MN_PLACE_CONSTANT, .tensor = id, .offset = index};
  return MN_OK;
}

static mn_status place_operands(planner *p, int32_t op) {
  mn_plan_step *step = &p->steps[op];
  const mn_kernel_arguments *a = &p->arguments[op];
  mn_tensor_id y = p->graph->ops[op].output;
  for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++) {
    step->x[i] = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
    if (a->x[i] < 0) continue;
    if (p->block_of[a->x[i]] >= 0)
      step->x[i] = arena_place(p, a->x[i], p->block_of[a->x[i]]);
    else
      MN_TRY(place_constant_tensor(p, &step->x[i], op, a->x[i]));
  }
  step->y = arena_place(p, y, p->block_of[y]);
  step->scratch = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
  if (p->scratch_block[op] >= 0) step->scratch = arena_place(p, -1, p->scratch_block[op]);

  for (int32_t i = 0; i < MN_CALL_MAX_CONSTANTS; i++) {
    step->constant[i] = (mn_place){.kind = MN_PLACE_NONE, .tensor = -1};
    if (i >= a->constants || a->constant[i].bytes == 0) continue;
    int32_t index = add_constant(p, &a->constant[i], op);
    if (index < 0) return no_memory(p);
    step->constant[i] = (mn_place){.kind = MN_PLACE_CONSTANT, .tensor = -1, .offset = index};
  }
  return MN_OK;
}

/* Nothing is called where the output already is what the input is. */
static void drop_empty_call(mn_plan_step *step) {
  if (step->kernel->overlap == MN_OVERLAP_ALIAS && step->x[0].kind == MN_PLACE_ARENA &&
      step->x[0].offset == step->y.offset)
    step->kernel = NULL;
}

static mn_status finish(planner *p) {
  const mn_graph *g = p->graph;
  int64_t *offset = mn_arena_array(p->arena, (size_t)g->tensor_count, sizeof *offset);
  if (offset == NULL && g->tensor_count > 0) return no_memory(p);
  for (int32_t t = 0; t < g->tensor_count; t++)
    offset[t] = p->block_of[t] < 0 ? -1 : p->blocks[p->block_of[t]].offset;
  for (int32_t op = 0; op < g->op_count; op++) {
    MN_TRY(place_operands(p, op));
    drop_empty_call(&p->steps[op]);
  }
  p->plan->graph = g;
  p->plan->steps = p->steps;
  p->plan->constants = p->constants;
  p->plan->tensor_offset = offset;
  p->plan->step_count = p->plan->group_count = g->op_count;
  p->plan->constant_count = p->constant_count;
  return MN_OK;
}

/* ---- Entry ---------------------------------------------------------------------------------*/
static mn_status allocate(planner *p) {
  size_t ops = (size_t)p->graph->op_count, tensors = (size_t)p->graph->tensor_count;
  size_t operands = MN_CALL_MAX_CONSTANTS + MN_CALL_MAX_INPUTS;
  p->plan = mn_arena_alloc(p->arena, sizeof *p->plan);
  p->steps = mn_arena_array(p->arena, ops, sizeof *p->steps);
  p->arguments = mn_arena_array(p->arena, ops, sizeof *p->arguments);
  p->constants = mn_arena_array(p->arena, ops * operands, sizeof *p->constants);
  p->scratch_block = mn_arena_array(p->arena, ops, sizeof *p->scratch_block);
  p->first = mn_arena_array(p->arena, tensors, sizeof *p->first);
  p->last = mn_arena_array(p->arena, tensors, sizeof *p->last);
  p->block_of = mn_arena_array(p->arena, tensors, sizeof *p->block_of);
  p->blocks = mn_arena_array(p->arena, tensors + ops, sizeof *p->blocks);
  bool all = p->plan != NULL && p->steps != NULL && p->arguments != NULL && p->constants != NULL &&
             p->scratch_block != NULL && p->first != NULL && p->last != NULL &&
             p->block_of != NULL && p->blocks != NULL;
  return all ? MN_OK : no_memory(p);
}

mn_status mn_plan_make(const mn_plan **plan, mn_arena *arena, const mn_graph *graph,
                       const mn_target *target, const mn_plan_options *options, mn_error *error) {
  static const mn_plan_options defaults;
  assert(plan != NULL && arena != NULL && graph != NULL);
  planner p = {.arena = arena,
               .graph = graph,
               .error = error,
               .options = options != NULL ? options : &defaults};
  p.family = p.options->kernels != NULL                  ? p.options->kernels
             : target != NULL && target->kernels != NULL ? target->kernels
                                                         : "ref";
  MN_TRY(allocate(&p));
  for (int32_t op = 0; op < graph->op_count; op++) MN_TRY(choose_kernel(&p, op));
  find_lifetimes(&p);
  MN_TRY(make_blocks(&p));
  MN_TRY(lay_out(&p));
  p.plan->target = target;
  MN_TRY(finish(&p));
  *plan = p.plan;
  return MN_OK;
}
