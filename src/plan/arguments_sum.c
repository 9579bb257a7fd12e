/* arguments_sum.c - arguments of pools over whole maps that take their input a few rows a call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/mean.h"
#include "kernels/pool_2d.h"
#include "plan/arguments.h"

static const char *refuses_map(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *y = &graph->tensors[op->output];
  if (x->shape.rank != 4 || x->shape.dim[0] != 1) return "the input is not one image";
  if (x->dtype != MN_DTYPE_INT8 || y->dtype != MN_DTYPE_INT8) return "activations are not int8";
  return mn_shape_elements(&y->shape) == x->shape.dim[3] ? NULL : "not one value per channel";
}

const char *mn_refuses_average_pool_sum(const mn_graph *graph, const mn_op *op) {
  if (refuses_map(graph, op) != NULL) return refuses_map(graph, op);
  if (mn_refuses_pool_2d(graph, op) != NULL) return mn_refuses_pool_2d(graph, op);
  mn_kernel_window w = mn_window_of(graph, op);
  bool whole = w.pad_top == 0 && w.pad_left == 0 && w.kernel_h == w.input_h &&
               w.kernel_w == w.input_w && w.output_h == 1 && w.output_w == 1;
  return whole ? NULL : "the window is not the map";
}

const char *mn_refuses_mean_sum(const mn_graph *graph, const mn_op *op) {
  if (refuses_map(graph, op) != NULL) return refuses_map(graph, op);
  if (mn_refuses_mean(graph, op) != NULL) return mn_refuses_mean(graph, op);
  const mn_shape *y = &graph->tensors[op->output].shape;
  bool channels_last = y->dim[y->rank - 1] == mn_op_operand(graph, op, 0)->shape.dim[3];
  return channels_last ? NULL : "the channels are averaged";
}

static void keep_sums(mn_kernel_arguments *arguments, const mn_graph *graph, const mn_op *op) {
  arguments->scratch_bytes = mn_op_operand(graph, op, 0)->shape.dim[3] * (int64_t)sizeof(int32_t);
}

mn_status mn_walk_average_pool_sum(mn_kernel_arguments *arguments, mn_arena *arena,
                                   const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_pool_2d(arguments, arena, graph, op, error));
  keep_sums(arguments, graph, op);
  return MN_OK;
}

mn_status mn_walk_mean_sum(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                           const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_mean(arguments, arena, graph, op, error));
  keep_sums(arguments, graph, op);
  return MN_OK;
}
