/* plan.c - a graph becomes a flat list of calls and loops: kernel rows and their arguments, liveness,
 * the schedule (schedule.c), memory (blocks.c, layout.c), steps (steps.c).
 *
 * Time: graph inputs are there at time 0; op i runs at time i + 1; graph outputs live to the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "plan/planner.h"
#include "plan/sram.h"

mn_status mn_planner_no_memory(const mn_planner *p) {
  return mn_error_set(p->error, MN_ERR_MEMORY, "out of memory while planning a graph of %d ops",
                      p->graph->op_count);
}

/* ---- Kernels and their arguments ---------------------------------------------------------------*/
static bool is_used(const mn_planner *p, int32_t ops, const mn_kernel_row *row) {
  for (int32_t op = 0; op < ops; op++)
    if (strcmp(p->calls[op].kernel->symbol, row->symbol) == 0) return true;
  return false;
}

/* The row that adds the least code to those of the ops before; what is not in the table of sizes is not
 * taken. NULL: there is none. */
static const mn_kernel_row *smallest_kernel(const mn_planner *p, int32_t index) {
  const mn_op *op = &p->graph->ops[index];
  const mn_kernel_row *row, *best = NULL;
  int32_t least = INT32_MAX;
  for (int32_t i = 0; (row = mn_kernel_row_at(i)) != NULL; i++) {
    if (row->op != op->kind || !mn_kernel_family_reaches(p->family, row->family)) continue;
    const mn_code_size *size =
        p->target != NULL ? mn_target_code_size(p->target, row->symbol) : NULL;
    if (size == NULL || row->refuses(p->graph, op) != NULL) continue;
    int32_t bytes = is_used(p, index, row) ? 0 : size->text_bytes;
    if (bytes >= least) continue;
    best = row;
    least = bytes;
  }
  return best;
}

/* Inside of a loop a pool over the whole map takes its input's rows as they come. */
static mn_status choose_turn(mn_planner *p, int32_t index) {
  const mn_op *op = &p->graph->ops[index];
  const mn_kernel_row *row = mn_kernel_by_input_rows(p->graph, op);
  mn_kernel_arguments arguments;
  p->turns[index] = p->calls[index];
  if (row == NULL) return MN_OK;
  MN_TRY(row->arguments(&arguments, p->arena, p->graph, op, p->error));
  p->turns[index].kernel = row;
  p->turns[index].params = arguments.params;
  p->turns[index].scratch_bytes = arguments.scratch_bytes;
  return MN_OK;
}

static mn_status choose_thrifty(mn_planner *p, int32_t index) {
  mn_kernel_arguments arguments;
  p->thrifty[index] = p->calls[index];
  p->thrifty[index].kernel = mn_kernel_thrifty(p->calls[index].kernel);
  if (p->thrifty[index].kernel == NULL) return MN_OK;
  MN_TRY(p->thrifty[index].kernel->arguments(&arguments, p->arena, p->graph, &p->graph->ops[index],
                                             p->error));
  p->thrifty[index].scratch_bytes = arguments.scratch_bytes;
  return MN_OK;
}

static mn_status choose_kernel(mn_planner *p, int32_t index) {
  const mn_op *op = &p->graph->ops[index];
  const char *reason = NULL;
  const mn_kernel_row *row = p->options->small ? smallest_kernel(p, index) : NULL;
  if (row == NULL) row = mn_kernel_find(p->graph, op, p->family, &reason);
  if (row == NULL)
    return mn_error_set(p->error, MN_ERR_UNSUPPORTED, "op %.80s (%s) cannot run: %s", op->name,
                        mn_op_info_get(op->kind)->text, reason);
  mn_kernel_arguments *arguments = &p->arguments[index];
  MN_TRY(row->arguments(arguments, p->arena, p->graph, op, p->error));
  const mn_shape *y = &p->graph->tensors[op->output].shape;
  p->calls[index] = (mn_plan_step){.kind = MN_STEP_CALL,
                                   .op = index,
                                   .kernel = row,
                                   .params = arguments->params,
                                   .scratch_bytes = arguments->scratch_bytes,
                                   .rows = y->rank == 4 ? y->dim[1] : 1};
  MN_TRY(choose_thrifty(p, index));
  return choose_turn(p, index);
}

/* ---- Liveness ------------------------------------------------------------------------------*/
static void use(mn_planner *p, mn_tensor_id id, int32_t time) {
  if (id >= 0 && time > p->last[p->storage[id]]) p->last[p->storage[id]] = time;
}

/* An output that is its input under another shape lies where the input lies. */
static void find_storage(mn_planner *p, int32_t op) {
  mn_tensor_id x = p->arguments[op].x[0], y = p->graph->ops[op].output;
  if (p->options->keep_all || p->options->no_in_place) return;
  if (p->calls[op].kernel->overlap != MN_OVERLAP_ALIAS || p->graph->tensors[x].constant) return;
  if (p->graph->tensors[x].variable || p->graph->tensors[y].variable) return;
  p->storage[y] = p->storage[x];
}

/* Constants are never in the arena; state stays in it for ever. */
static void find_lifetimes(mn_planner *p) {
  const mn_graph *g = p->graph;
  int32_t end = g->op_count + 1;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    p->first[t] = 0;
    p->storage[t] = t;
    p->last[t] = g->tensors[t].variable ? end : -1;
  }
  for (int32_t i = 0; i < g->input_count; i++) use(p, g->inputs[i], 0);
  for (int32_t op = 0; op < g->op_count; op++) {
    p->first[g->ops[op].output] = op + 1;
    find_storage(p, op);
    use(p, g->ops[op].output, op + 1);
    for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++) use(p, p->arguments[op].x[i], op + 1);
  }
  for (int32_t i = 0; i < g->output_count; i++) use(p, g->outputs[i], end);
  for (int32_t t = 0; t < g->tensor_count; t++)
    if (g->tensors[t].constant) p->last[t] = -1;
}

/* ---- Schedule ------------------------------------------------------------------------------*/
static mn_status begin_schedule(mn_chooser **chooser, mn_planner *p) {
  p->scheduler = (mn_scheduler){.arena = p->arena,
                                .graph = p->graph,
                                .target = p->target,
                                .options = p->options,
                                .steps = p->calls,
                                .turns = p->turns,
                                .thrifty = p->thrifty,
                                .arguments = p->arguments,
                                .storage = p->storage,
                                .first = p->first,
                                .last = p->last,
                                .beside = mn_sram_least_beside(
                                    p->calls, p->turns, p->graph->op_count, p->options, p->target)};
  return mn_chooser_create(chooser, &p->scheduler, p->error);
}

static mn_status lay_out(mn_planner *p, const mn_schedule *schedule) {
  p->schedule = *schedule;
  for (int32_t i = 0; i < schedule->group_count; i++) {
    const mn_group *group = &schedule->groups[i];
    for (int32_t op = group->first; op < group->first + group->count; op++) p->group_of[op] = i;
  }
  return mn_planner_place(p);
}

/* What the chooser judges a proposal by: all SRAM is known once its steps are written. */
static mn_status sram_of(int64_t *bytes, mn_planner *p) {
  *bytes = p->plan->arena_bytes;
  if (p->options->max_sram == 0) return MN_OK;
  mn_arena_mark mark = mn_arena_mark_get(p->arena);
  MN_TRY(mn_planner_write(p));
  *bytes = mn_plan_sram(p->plan, p->options, p->target).total;
  mn_arena_release(p->arena, mark);
  return MN_OK;
}

/* The best proposal, placed. */
static mn_status choose_schedule(mn_planner *p, mn_chooser *chooser) {
  mn_schedule proposal = {0}, best = {0};
  bool more = true, placed = true;
  for (;;) {
    int64_t sram;
    const mn_plan *plan = p->plan;
    MN_TRY(mn_chooser_propose(&proposal, &more, chooser, p->error));
    if (!more) break;
    MN_TRY(lay_out(p, &proposal));
    placed = plan->arena_bytes <= proposal.most;
    if (!placed) continue;
    MN_TRY(sram_of(&sram, p));
    placed = mn_chooser_judge(chooser, plan->arena_bytes, sram);
    if (placed) best = proposal;
  }
  MN_TRY(mn_chooser_check(chooser, p->error));
  if (placed) return MN_OK;
  mn_schedule_refit(&best, &p->scheduler);
  best.most = INT64_MAX;
  return lay_out(p, &best);
}

/* ---- Entry ---------------------------------------------------------------------------------*/
static mn_status allocate(mn_planner *p) {
  size_t ops = (size_t)p->graph->op_count, tensors = (size_t)p->graph->tensor_count;
  p->plan = mn_arena_alloc(p->arena, sizeof *p->plan);
  p->calls = mn_arena_array(p->arena, ops, sizeof *p->calls);
  p->turns = mn_arena_array(p->arena, ops, sizeof *p->turns);
  p->thrifty = mn_arena_array(p->arena, ops, sizeof *p->thrifty);
  p->arguments = mn_arena_array(p->arena, ops, sizeof *p->arguments);
  p->scratch_block = mn_arena_array(p->arena, ops, sizeof *p->scratch_block);
  p->group_of = mn_arena_array(p->arena, ops, sizeof *p->group_of);
  p->first = mn_arena_array(p->arena, tensors, sizeof *p->first);
  p->last = mn_arena_array(p->arena, tensors, sizeof *p->last);
  p->storage = mn_arena_array(p->arena, tensors, sizeof *p->storage);
  p->block_of = mn_arena_array(p->arena, tensors, sizeof *p->block_of);
  p->blocks = mn_arena_array(p->arena, tensors + ops, sizeof *p->blocks);
  bool all = p->plan != NULL && p->calls != NULL && p->turns != NULL && p->thrifty != NULL &&
             p->arguments != NULL && p->scratch_block != NULL && p->group_of != NULL &&
             p->first != NULL && p->last != NULL && p->storage != NULL && p->block_of != NULL &&
             p->blocks != NULL;
  return all ? MN_OK : mn_planner_no_memory(p);
}

static const char *family_of(const mn_plan_options *options, const mn_target *target) {
  if (options->kernels != NULL) return options->kernels;
  return target != NULL && target->kernels != NULL ? target->kernels : "ref";
}

mn_status mn_plan_make(const mn_plan **plan, mn_arena *arena, const mn_graph *graph,
                       const mn_target *target, const mn_plan_options *options, mn_error *error) {
  static const mn_plan_options defaults;
  assert(plan != NULL && arena != NULL && graph != NULL);
  mn_planner p = {.arena = arena,
                  .graph = graph,
                  .target = target,
                  .error = error,
                  .options = options != NULL ? options : &defaults};
  mn_chooser *chooser = NULL;
  p.family = family_of(p.options, target);
  MN_TRY(allocate(&p));
  for (int32_t op = 0; op < graph->op_count; op++) MN_TRY(choose_kernel(&p, op));
  find_lifetimes(&p);
  MN_TRY(begin_schedule(&chooser, &p));
  MN_TRY(choose_schedule(&p, chooser));
  MN_TRY(mn_planner_write(&p));
  MN_TRY(mn_planner_memory(&p));
  p.plan->target = target;
  *plan = p.plan;
  return MN_OK;
}
