/* exec.h - runs a plan on the host. The kernels are those of the firmware, or faster host rows that
 * are bit-exact with them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_EXEC_H
#define MICRONETS_EXEC_H

#include "micronets/plan.h"

/* Told of every finished stretch of rows: data points at `rows` rows of op's output, from first_row on
 * (a row is everything of one index of axis 1 of a rank-4 tensor; other ranks have one row). */
typedef struct mn_watch {
  void (*rows)(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
               size_t bytes);
  void *context;
} mn_watch;

/* An executor owns an arena of plan->arena_bytes; several may share a plan. */
typedef struct mn_exec mn_exec;
mn_status mn_exec_create(mn_exec **exec, const mn_plan *plan, mn_error *error) MN_MUST_CHECK;
void mn_exec_destroy(mn_exec *exec);
void mn_exec_reset(mn_exec *exec); /* variable tensors to zero point */
/* Copies inputs in, runs, leaves outputs in place. input/output index as in the graph. */
void *mn_exec_input(mn_exec *exec, int32_t index); /* run destroys it */
const void *mn_exec_output(const mn_exec *exec, int32_t index);
void mn_exec_run(mn_exec *exec, const mn_watch *watch); /* watch may be NULL */

#endif
