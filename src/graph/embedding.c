/* embedding.c - the tensor that anomaly scores are taken from; what the output means.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/graph.h"

mn_tensor_id mn_graph_embedding(const mn_graph *graph) {
  mn_tensor_id embedding = graph->inputs[0];
  for (int32_t i = 0; i < graph->op_count; i++)
    if (mn_op_weights(graph, i) > 0) embedding = graph->ops[i].input[0];
  return embedding != graph->inputs[0] ? embedding : -1;
}

mn_status mn_graph_show(const mn_graph **graph, mn_arena *arena, mn_tensor_id tensor,
                        mn_error *error) {
  mn_tensor_id *outputs = mn_arena_array(arena, 2, sizeof *outputs);
  mn_graph *shown = mn_arena_copy(arena, *graph, sizeof **graph);
  if (outputs == NULL || shown == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  outputs[0] = (*graph)->outputs[0];
  outputs[1] = tensor;
  shown->outputs = outputs;
  shown->output_count = 2;
  *graph = shown;
  return MN_OK;
}

bool mn_graph_is_probability(const mn_graph *graph) {
  mn_tensor_id wanted = graph->outputs[0];
  for (int32_t i = graph->op_count - 1; i >= 0; i--) {
    const mn_op *op = &graph->ops[i];
    if (op->output != wanted) continue;
    if (op->kind != MN_OP_RESHAPE && op->kind != MN_OP_QUANTIZE) return op->kind == MN_OP_SOFTMAX;
    wanted = op->input[0];
  }
  return false;
}
