/* counts.c - multiply-accumulates and parameters (two ops each, as the paper counts): biases, pools and
 * additions count no MACs; 1 MAC = 2 ops.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/graph.h"

static const mn_tensor *input_of(const mn_graph *graph, const mn_op *op, int32_t index) {
  if (index >= op->inputs || op->input[index] < 0) return NULL;
  return &graph->tensors[op->input[index]];
}

static int64_t elements_of(const mn_graph *graph, const mn_op *op, int32_t index) {
  const mn_tensor *tensor = input_of(graph, op, index);
  return tensor == NULL ? 0 : mn_shape_elements(&tensor->shape);
}

int64_t mn_op_weights(const mn_graph *graph, int32_t op) {
  const mn_op *o = &graph->ops[op];
  switch (o->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_FULLY_CONNECTED: return elements_of(graph, o, 1);
    case MN_OP_SVDF: return elements_of(graph, o, 1) + elements_of(graph, o, 2);
    default: return 0;
  }
}

int64_t mn_op_biases(const mn_graph *graph, int32_t op) {
  const mn_op *o = &graph->ops[op];
  switch (o->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_FULLY_CONNECTED: return elements_of(graph, o, 2);
    case MN_OP_SVDF: return elements_of(graph, o, 3);
    default: return 0;
  }
}

/* Every weight is used once per output position. */
int64_t mn_op_macs(const mn_graph *graph, int32_t op) {
  const mn_op *o = &graph->ops[op];
  const mn_shape *y = &graph->tensors[o->output].shape;
  int64_t weights = mn_op_weights(graph, op);
  switch (o->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_FULLY_CONNECTED: return weights * (mn_shape_elements(y) / y->dim[y->rank - 1]);
    case MN_OP_SVDF: return weights * y->dim[0];
    default: return 0;
  }
}

mn_counts mn_graph_counts(const mn_graph *graph) {
  mn_counts counts = {0};
  for (int32_t op = 0; op < graph->op_count; op++) {
    counts.macs += mn_op_macs(graph, op);
    counts.weights += mn_op_weights(graph, op);
    counts.biases += mn_op_biases(graph, op);
  }
  counts.ops = 2 * counts.macs;
  counts.params = counts.weights + counts.biases;
  return counts;
}
