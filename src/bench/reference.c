/* reference.c - what a model must compute: the definition kernels, every tensor kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bench/parity.h"
#include "micronets/exec.h"

/* Where the watch hook copies to. */
typedef struct copier {
  const mn_graph *graph;
  const int64_t *offset;
  uint8_t *to;
} copier;

static int64_t row_bytes(const mn_graph *graph, int32_t op) {
  const mn_tensor *y = &graph->tensors[graph->ops[op].output];
  int64_t rows = y->shape.rank == 4 ? y->shape.dim[1] : 1;
  return (int64_t)mn_tensor_bytes(y) / rows;
}

static void copy_rows(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                      size_t bytes) {
  (void)rows;
  copier *c = context;
  memcpy(c->to + c->offset[op] + first_row * row_bytes(c->graph, op), data, bytes);
}

static const int64_t *offsets_of(mn_arena *arena, const mn_graph *graph) {
  int64_t *offset = mn_arena_array(arena, (size_t)graph->op_count + 1, sizeof *offset);
  for (int32_t i = 0; offset != NULL && i < graph->op_count; i++)
    offset[i + 1] = offset[i] + (int64_t)mn_tensor_bytes(&graph->tensors[graph->ops[i].output]);
  return offset;
}

static void run_vector(mn_exec *exec, const mn_reference *reference, const mn_vectors *vectors,
                       int32_t v) {
  copier c = {reference->graph, reference->offset, reference->tensors[v]};
  mn_watch watch = {copy_rows, &c};
  mn_exec_reset(exec);
  memcpy(mn_exec_input(exec, 0), vectors->input[v], vectors->input_bytes);
  mn_exec_run(exec, &watch);
}

mn_status mn_reference_run(mn_reference *reference, mn_arena *arena, const mn_graph *graph,
                           const mn_vectors *vectors, mn_error *error) {
  static const mn_plan_options options = {.kernels = "ref", .keep_all = true};
  const mn_plan *plan = NULL;
  MN_TRY(mn_plan_make(&plan, arena, graph, NULL, &options, error));
  size_t count = (size_t)vectors->count;
  uint8_t **tensors = mn_arena_array(arena, count + 1, sizeof *tensors);
  mn_reference made = {.graph = graph,
                       .offset = offsets_of(arena, graph),
                       .tensors = tensors,
                       .output = mn_arena_array(arena, count + 1, sizeof *made.output),
                       .vectors = vectors->count};
  if (made.offset == NULL || tensors == NULL || made.output == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  mn_exec *exec = NULL;
  MN_TRY(mn_exec_create(&exec, plan, error));
  mn_status status = MN_OK;
  for (int32_t v = 0; v < vectors->count && status == MN_OK; v++) {
    tensors[v] = mn_arena_alloc(arena, (size_t)made.offset[graph->op_count] + 1);
    if (tensors[v] != NULL) run_vector(exec, &made, vectors, v);
    made.output[v] = tensors[v] != NULL
                         ? mn_arena_copy(arena, mn_exec_output(exec, 0), vectors->output_bytes)
                         : NULL;
    if (made.output[v] == NULL) status = mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  }
  mn_exec_destroy(exec);
  MN_TRY(status);
  *reference = made;
  return MN_OK;
}
