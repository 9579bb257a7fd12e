/* arguments.c - what the walkers of all op families share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments.h"

#include <string.h>

#include "graph/quantization.h"

const char mn_refused_types[] = "no kernel takes its types together";

const mn_tensor *mn_op_operand(const mn_graph *graph, const mn_op *op, int32_t index) {
  if (index >= op->inputs || op->input[index] < 0) return NULL;
  return &graph->tensors[op->input[index]];
}

mn_range mn_activation_range(const mn_tensor *tensor) {
  const mn_quantization *q = &tensor->quantization;
  if (q->count == 0) return (mn_range){1.0f, 0};
  return (mn_range){q->scale[0], q->zero_point[0]};
}

mn_status mn_walk_no_memory(mn_error *error, const mn_op *op) {
  return mn_error_set(error, MN_ERR_MEMORY, "op %s: out of memory while planning", op->name);
}

void *mn_walk_begin(mn_kernel_arguments *arguments, mn_arena *arena, const mn_op *op, size_t size,
                    int32_t inputs) {
  memset(arguments, 0, sizeof *arguments);
  for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++) arguments->x[i] = i < inputs ? op->input[i] : -1;
  arguments->params = mn_arena_alloc(arena, size);
  return arguments->params;
}

int32_t mn_axis_four(int32_t rank, int32_t axis) {
  if (rank == 3 && axis == 0) return 0;
  return 4 - rank + axis;
}

void mn_shape_four(int32_t dim[4], const mn_shape *shape) {
  for (int32_t d = 0; d < 4; d++) dim[d] = 1;
  for (int32_t axis = 0; axis < shape->rank; axis++)
    dim[mn_axis_four(shape->rank, axis)] = shape->dim[axis];
}

mn_kernel_window mn_window_of(const mn_graph *graph, const mn_op *op) {
  const mn_shape *x = &graph->tensors[op->input[0]].shape;
  const mn_shape *y = &graph->tensors[op->output].shape;
  const mn_window *w = &op->window;
  return (mn_kernel_window){
      .input_h = x->dim[1],
      .input_w = x->dim[2],
      .input_c = x->dim[3],
      .output_h = y->dim[1],
      .output_w = y->dim[2],
      .output_c = y->dim[3],
      .kernel_h = w->kernel_h,
      .kernel_w = w->kernel_w,
      .stride_h = w->stride_h,
      .stride_w = w->stride_w,
      .dilation_h = w->dilation_h,
      .dilation_w = w->dilation_w,
      .pad_top =
          mn_window_pad_before(x->dim[1], w->kernel_h, w->stride_h, w->dilation_h, w->padding),
      .pad_left =
          mn_window_pad_before(x->dim[2], w->kernel_w, w->stride_w, w->dilation_w, w->padding),
  };
}

mn_status mn_output_limits(int32_t *min, int32_t *max, const mn_graph *graph, const mn_op *op,
                           mn_error *error) {
  const mn_tensor *y = &graph->tensors[op->output];
  mn_range range = mn_activation_range(y);
  mn_limits limits;
  if (!mn_activation_limits(&limits, op->activation, y->dtype, range.scale, range.zero_point))
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "op %s: output scale %g leaves no range for its activation", op->name,
                        (double)range.scale);
  *min = limits.min;
  *max = limits.max;
  return MN_OK;
}
