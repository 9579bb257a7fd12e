/* draft.c - see draft.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/draft.h"

#include <string.h>

mn_status mn_draft_no_memory(mn_draft *draft) {
  return mn_error_set(draft->error, MN_ERR_MEMORY, "out of memory while cleaning up a graph");
}

static void set_view(mn_draft *draft) {
  draft->graph.tensors = draft->tensors;
  draft->graph.ops = draft->ops;
  draft->graph.outputs = draft->outputs;
}

static mn_status reserve(mn_draft *draft, int32_t capacity) {
  size_t count = (size_t)draft->graph.tensor_count;
  mn_tensor *tensors = mn_arena_array(draft->arena, (size_t)capacity, sizeof *tensors);
  const int32_t **kept = mn_arena_array(draft->arena, (size_t)capacity, sizeof *kept);
  if (tensors == NULL || kept == NULL) return mn_draft_no_memory(draft);
  memcpy(tensors, draft->graph.tensors, count * sizeof *tensors);
  if (draft->kept != NULL) memcpy(kept, draft->kept, count * sizeof *kept);
  draft->tensors = tensors;
  draft->kept = kept;
  draft->tensor_capacity = capacity;
  set_view(draft);
  return MN_OK;
}

mn_status mn_draft_open(mn_draft *draft, mn_arena *arena, const mn_graph *graph, mn_error *error) {
  size_t ops = (size_t)graph->op_count, outputs = (size_t)graph->output_count;
  *draft =
      (mn_draft){.arena = arena,
                 .error = error,
                 .graph = *graph,
                 .ops = mn_arena_copy(arena, graph->ops, ops * sizeof *draft->ops),
                 .outputs = mn_arena_copy(arena, graph->outputs, outputs * sizeof *draft->outputs),
                 .source = mn_arena_array(arena, ops, sizeof *draft->source)};
  if (draft->ops == NULL || draft->outputs == NULL || draft->source == NULL)
    return mn_draft_no_memory(draft);
  for (int32_t op = 0; op < graph->op_count; op++) draft->source[op] = op;
  return reserve(draft, 2 * graph->tensor_count + 16);
}

mn_status mn_draft_tensor(mn_draft *draft, mn_tensor_id *id, const mn_tensor *tensor) {
  if (draft->graph.tensor_count == draft->tensor_capacity)
    MN_TRY(reserve(draft, 2 * draft->tensor_capacity));
  *id = draft->graph.tensor_count++;
  draft->tensors[*id] = *tensor;
  draft->kept[*id] = NULL;
  return MN_OK;
}

mn_status mn_draft_constant(mn_draft *draft, mn_tensor_id *id, uint8_t **data,
                            const mn_shape *shape) {
  mn_tensor made = draft->tensors[*id];
  made.shape = *shape;
  made.data_bytes = mn_tensor_bytes(&made);
  *data = mn_arena_alloc(draft->arena, made.data_bytes);
  if (*data == NULL) return mn_draft_no_memory(draft);
  made.data = *data;
  return mn_draft_tensor(draft, id, &made);
}

void mn_draft_drop(mn_draft *draft, int32_t op) {
  int32_t behind = draft->graph.op_count - op - 1;
  memmove(&draft->ops[op], &draft->ops[op + 1], (size_t)behind * sizeof *draft->ops);
  memmove(&draft->source[op], &draft->source[op + 1], (size_t)behind * sizeof *draft->source);
  draft->graph.op_count--;
}

void mn_draft_replace(mn_draft *draft, mn_tensor_id from, mn_tensor_id to) {
  for (int32_t o = 0; o < draft->graph.op_count; o++)
    for (int32_t i = 0; i < draft->ops[o].inputs; i++)
      if (draft->ops[o].input[i] == from) draft->ops[o].input[i] = to;
  for (int32_t i = 0; i < draft->graph.output_count; i++)
    if (draft->outputs[i] == from) draft->outputs[i] = to;
}

int32_t mn_draft_producer(const mn_draft *draft, mn_tensor_id id) {
  for (int32_t o = 0; o < draft->graph.op_count; o++)
    if (draft->ops[o].output == id) return o;
  return -1;
}

int32_t mn_draft_readers(const mn_draft *draft, mn_tensor_id id) {
  int32_t count = 0;
  for (int32_t o = 0; o < draft->graph.op_count; o++)
    for (int32_t i = 0; i < draft->ops[o].inputs; i++) count += draft->ops[o].input[i] == id;
  for (int32_t i = 0; i < draft->graph.output_count; i++) count += draft->outputs[i] == id;
  return count;
}

bool mn_draft_is_end(const mn_draft *draft, mn_tensor_id id) {
  for (int32_t i = 0; i < draft->graph.input_count; i++)
    if (draft->graph.inputs[i] == id) return true;
  for (int32_t i = 0; i < draft->graph.output_count; i++)
    if (draft->outputs[i] == id) return true;
  return false;
}

/* ---- Building anew -------------------------------------------------------------------------*/
static void mark_used(const mn_draft *draft, mn_tensor_id *id) {
  const mn_graph *g = &draft->graph;
  for (int32_t t = 0; t < g->tensor_count; t++) id[t] = -1;
  for (int32_t i = 0; i < g->input_count; i++) id[g->inputs[i]] = 0;
  for (int32_t o = 0; o < g->op_count; o++) {
    id[g->ops[o].output] = 0;
    for (int32_t i = 0; i < g->ops[o].inputs; i++)
      if (g->ops[o].input[i] >= 0) id[g->ops[o].input[i]] = 0;
  }
}

/* The ids of graph inputs or outputs in the new graph. */
static const mn_tensor_id *renamed(const mn_draft *draft, const mn_tensor_id *ends, int32_t count,
                                   const mn_tensor_id *id) {
  mn_tensor_id *made = mn_arena_array(draft->arena, (size_t)count, sizeof *made);
  for (int32_t i = 0; made != NULL && i < count; i++) made[i] = id[ends[i]];
  return made;
}

static mn_status build(mn_clean *clean, mn_draft *draft, mn_builder *builder, mn_tensor_id *id) {
  const mn_graph *g = &draft->graph;
  mark_used(draft, id);
  for (int32_t t = 0; t < g->tensor_count; t++)
    if (id[t] >= 0) MN_TRY(mn_builder_tensor(builder, &id[t], &g->tensors[t], draft->error));
  for (int32_t o = 0; o < g->op_count; o++) {
    mn_op op = g->ops[o];
    op.output = id[op.output];
    for (int32_t i = 0; i < op.inputs; i++)
      if (op.input[i] >= 0) op.input[i] = id[op.input[i]];
    MN_TRY(mn_builder_add_checked(builder, &op, draft->error));
  }
  const mn_tensor_id *inputs = renamed(draft, g->inputs, g->input_count, id);
  const mn_tensor_id *outputs = renamed(draft, g->outputs, g->output_count, id);
  if (inputs == NULL || outputs == NULL) return mn_draft_no_memory(draft);
  return mn_builder_finish(&clean->graph, builder, inputs, g->input_count, outputs, g->output_count,
                           draft->error);
}

mn_status mn_draft_finish(mn_clean *clean, mn_draft *draft) {
  const mn_graph *g = &draft->graph;
  mn_builder *builder = NULL;
  mn_tensor_id *id = mn_arena_array(draft->arena, (size_t)g->tensor_count, sizeof *id);
  const int32_t **channels = mn_arena_array(draft->arena, (size_t)g->op_count, sizeof *channels);
  if (id == NULL || channels == NULL || mn_builder_create(&builder, draft->arena) != MN_OK)
    return mn_draft_no_memory(draft);
  MN_TRY(build(clean, draft, builder, id));
  for (int32_t o = 0; o < g->op_count; o++) channels[o] = draft->kept[g->ops[o].output];
  clean->channels = channels;
  clean->source = draft->source;
  return MN_OK;
}
