/* draft.h - a frozen graph that passes may change, until it is built again and checked as a whole.
 * Everything lives in the caller's arena.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_DRAFT_H
#define MN_PLAN_DRAFT_H

#include "micronets/plan.h"

typedef struct mn_draft {
  mn_arena *arena;
  mn_error *error;
  mn_graph graph;        /* of the arrays below: what walkers and counters take */
  mn_tensor *tensors;    /* [graph.tensor_count] */
  mn_op *ops;            /* [graph.op_count], in order of execution */
  mn_tensor_id *outputs; /* [graph.output_count] */
  const int32_t **kept;  /* [tensor]: channels of the source's tensor that are left; NULL: all */
  int32_t *source;       /* [op]: index in the source */
  int32_t tensor_capacity;
} mn_draft;

mn_status mn_draft_open(mn_draft *draft, mn_arena *arena, const mn_graph *graph,
                        mn_error *error) MN_MUST_CHECK;
/* Builds the graph anew: tensors that nothing uses stay behind, every shape is inferred again. */
mn_status mn_draft_finish(mn_clean *clean, mn_draft *draft) MN_MUST_CHECK;

/* Adds a tensor; what it points to is borrowed. */
mn_status mn_draft_tensor(mn_draft *draft, mn_tensor_id *id, const mn_tensor *tensor) MN_MUST_CHECK;
/* A constant like `id`, of another shape and with data of its own, zeroed: *data. */
mn_status mn_draft_constant(mn_draft *draft, mn_tensor_id *id, uint8_t **data,
                            const mn_shape *shape) MN_MUST_CHECK;
void mn_draft_drop(mn_draft *draft, int32_t op);
/* Whatever reads `from`, graph outputs included, reads `to`. */
void mn_draft_replace(mn_draft *draft, mn_tensor_id from, mn_tensor_id to);

int32_t mn_draft_producer(const mn_draft *draft, mn_tensor_id id); /* op index, -1 none */
int32_t mn_draft_readers(const mn_draft *draft, mn_tensor_id id);  /* ops and graph outputs */
bool mn_draft_is_end(const mn_draft *draft, mn_tensor_id id); /* input or output of the graph */
mn_status mn_draft_no_memory(mn_draft *draft);

/* The passes; each adds to *removed what it took away. */
typedef mn_status mn_pass_run(mn_draft *draft, int64_t *removed);
mn_pass_run mn_pass_dead_channels, mn_pass_pads, mn_pass_no_ops, mn_pass_dead_ops;
mn_pass_run mn_pass_duplicate_constants;

#endif
