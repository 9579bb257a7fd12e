/* planner.h - what the files that make a plan share: plan.c (kernels, lifetimes, entry), blocks.c
 * (memory), steps.c (calls and loops).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_PLANNER_H
#define MN_PLAN_PLANNER_H

#include "plan/layout.h"
#include "plan/schedule.h"

typedef struct mn_planner {
  mn_arena *arena;
  const mn_graph *graph;
  const mn_target *target; /* may be NULL */
  const mn_plan_options *options;
  const char *family;
  mn_error *error;
  mn_plan_step *calls;   /* [op_count] one whole call of each op, without places */
  mn_plan_step *turns;   /* [op_count] the same inside of a loop */
  mn_plan_step *thrifty; /* [op_count] call or turn in less scratch; kernel NULL: there is none */
  mn_kernel_arguments *arguments; /* [op_count] */
  int32_t *first, *last; /* [tensor_count] times a tensor lives at; last -1 where it never does */
  int32_t *storage;      /* [tensor_count] the tensor in whose place it lies: another one where a
                            reshape does nothing */
  mn_scheduler scheduler;
  mn_schedule schedule;
  int32_t *group_of;      /* [op_count] */
  int32_t *block_of;      /* [tensor_count] index into blocks, -1 none */
  int32_t *scratch_block; /* [op_count] */
  mn_block *blocks;       /* [tensor_count + op_count] */
  int32_t block_count;
  mn_plan *plan;
} mn_planner;

mn_status mn_planner_no_memory(const mn_planner *p);
/* Blocks of the schedule's tensors, slabs and scratch, laid out. */
mn_status mn_planner_place(mn_planner *p) MN_MUST_CHECK;
/* The plan's blocks in shares of tensors. */
mn_status mn_planner_memory(mn_planner *p) MN_MUST_CHECK;
/* Steps, constants, offsets and groups of the plan. */
mn_status mn_planner_write(mn_planner *p) MN_MUST_CHECK;

#endif
