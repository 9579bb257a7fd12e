/* schedule.h - which consecutive ops run together: a group of ops shares one loop, each turn makes a
 * few rows of the group's last op, and inner tensors live only as slabs of the rows that later ops of
 * the group still need (halo rows are kept, nothing is computed twice).
 *
 * Times are those of plan.c: graph inputs are there at time 0, op i runs at time i + 1. Everything a
 * looping group holds from turn to turn lives at all times of its ops.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_SCHEDULE_H
#define MN_PLAN_SCHEDULE_H

#include "plan/kernel_table.h"

/* Ops [first, first + count). rows 0: one op, one call. */
typedef struct mn_group {
  int32_t first, count;
  int32_t rows, turns; /* of the last op per turn; turns of the loop */
  bool thrifty;        /* kernels in less scratch, for those ops that have one */
  int64_t bytes;       /* no arena that runs the group is smaller */
  int64_t slab_bytes;  /* of inner tensors */
  int64_t drift;       /* how far the output begins below the input it is written over */
  double cycles;
} mn_group;

/* How an op runs inside of a loop: turn i makes rows [first_row + i * step, + step), cut to the
 * tensor. Its output's slab begins at row slab_row + i * step and holds slab_rows rows, 0: the whole
 * tensor is held. */
typedef struct mn_op_rows {
  int32_t first_row, step;
  int32_t slab_row, slab_rows;
} mn_op_rows;

/* Which rows of an input an output row needs: span rows from row * stride - before on; span 0: the op
 * cannot run by rows. */
typedef struct mn_row_window {
  int32_t stride, before, span, height, input_height;
} mn_row_window;

enum { MN_MOST_ROWS = 32 }; /* more rows a turn cost what these cost */

/* What is known of a graph before its schedule is chosen; arrays are the caller's. */
typedef struct mn_scheduler {
  mn_arena *arena;
  const mn_graph *graph;
  const mn_target *target; /* may be NULL: cycles are unknown */
  const mn_plan_options *options;
  const mn_plan_step *steps;            /* [op_count] kernel, scratch_bytes: of one whole call */
  const mn_plan_step *turns;            /* [op_count] the same inside of a loop */
  const mn_plan_step *thrifty;          /* [op_count] in less scratch; kernel NULL: there is none */
  const mn_kernel_arguments *arguments; /* [op_count] */
  const int32_t *storage;               /* [tensor_count] the tensor in whose place it lies */
  const int32_t *first, *last;          /* [tensor_count] times of storage; last -1: never */
  mn_row_window *window;                /* [op_count] */
  int64_t *standing; /* [op_count] bytes of storage alive both before and at an op's time */
  double *
      cycles; /* [2, op_count, MN_MOST_ROWS + 1] modelled: in one call; by so many rows a turn; then
                     the same of `thrifty` */
  const char
      *uncounted;   /* a kernel whose cycles are estimated, the table has none; NULL: no such */
  mn_op_rows *rows; /* [op_count] of the groups fitted last */
  int64_t *passing; /* [op_count] bytes that the group fitted last holds at an op's time only */
  int64_t beside;   /* SRAM that every schedule needs besides its arena; read with max_sram only */
} mn_scheduler;

typedef struct mn_schedule {
  const mn_group *groups;
  int32_t group_count;
  int64_t lower_bound; /* no schedule within the limit has a smaller arena */
  double fewest;       /* none needs fewer cycles */
  int64_t most;        /* a larger arena is of no use */
  int64_t nodes;       /* limit of the search for its layout */
} mn_schedule;

/* Fills what the options, the target and the arrays of the caller say. */
mn_status mn_scheduler_prepare(mn_scheduler *s, mn_error *error) MN_MUST_CHECK;
/* Works out turns, bytes, cycles and s->rows of a group; false: these ops do not fit into a loop. */
bool mn_group_fit(mn_group *group, const mn_scheduler *s);
/* How an op runs in a group. */
const mn_plan_step *mn_group_step(const mn_group *group, const mn_scheduler *s, int32_t op);
/* An input that dies in a group, and how far below it the last op's output must begin. */
typedef struct mn_dying {
  mn_tensor_id x;
  int64_t distance; /* = y_share of the output's bytes - x_share of x's */
  double y_share, x_share;
} mn_dying;
/* Fills dying[MN_BLOCK_MAX_OVER], returns how many. Needs s->rows of the group. */
int32_t mn_group_dying(mn_dying *dying, const mn_group *group, const mn_scheduler *s);
/* True where the slab of op's output holds nothing from its last reader to the next turn. */
bool mn_op_is_passing(const mn_scheduler *s, int32_t op);
/* True where tensor `id` is made and read by the group alone. */
bool mn_group_is_inner(const mn_group *group, const mn_scheduler *s, mn_tensor_id id);

/* Turns of a loop that ask for rows of a tensor of `height` rows. */
int32_t mn_calls_in_loop(int32_t first_row, int32_t step, int32_t height);
/* Of moving so many bytes of whole rows once. */
double mn_move_cycles(int64_t bytes, int64_t row_bytes);

/* Of a pool over the whole map that takes its input's rows in `calls` calls: the whole call's and what
 * the sums cost each time. -1: unknown. */
double mn_sum_cycles(const mn_graph *graph, const mn_op *op, const mn_target *target,
                     int32_t calls);

/* Proposes schedules that keep the limits of the options, most promising first; each is laid out to see
 * what it needs, and judged: true where it is the best so far. *more is false where nothing is left to
 * try. Errors: MN_ERR_BUDGET where a limit cannot be kept; MN_ERR_ARGUMENT where a given schedule does
 * not fit. `sram`: the arena and all besides where max_sram is set, else the arena. */
typedef struct mn_chooser mn_chooser;
mn_status mn_chooser_create(mn_chooser **chooser, mn_scheduler *s, mn_error *error) MN_MUST_CHECK;
mn_status mn_chooser_propose(mn_schedule *schedule, bool *more, mn_chooser *chooser,
                             mn_error *error) MN_MUST_CHECK;
bool mn_chooser_judge(mn_chooser *chooser, int64_t arena, int64_t sram);
/* After all were judged: whether the best one keeps the limits. */
mn_status mn_chooser_check(const mn_chooser *chooser, mn_error *error) MN_MUST_CHECK;
/* Works the rows of all groups of a schedule out again. */
void mn_schedule_refit(const mn_schedule *schedule, const mn_scheduler *s);

#endif
