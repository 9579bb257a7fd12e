/* dump.h - the output tensor of every operator, gathered while a plan runs by groups of rows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_DUMP_H
#define MN_RUN_DUMP_H

#include "micronets/exec.h"
#include "run/stage.h"

typedef struct mn_dump {
  const mn_graph *graph;
  uint8_t **tensor; /* [op_count], of the last run; in the context's arena */
} mn_dump;

mn_status mn_dump_open(mn_dump *dump, const mn_run_context *context, const mn_graph *graph,
                       mn_error *error) MN_MUST_CHECK;
/* Gives mn_exec_run what fills the dump, which must outlive the run. */
mn_watch mn_dump_watch(mn_dump *dump);
/* All tensors in operator order, without padding. */
mn_status mn_dump_append(mn_buffer *file, const mn_dump *dump) MN_MUST_CHECK;

#endif
