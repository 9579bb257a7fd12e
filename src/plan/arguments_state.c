/* arguments_state.c - arguments of the ops that are not in int8 networks of layers: softmax int16 with its
 * tables, SVDF with its state.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/quantization.h"
#include "kernels/softmax.h"
#include "kernels/svdf.h"
#include "plan/arguments.h"

#define MAX_SOFTMAX_DEPTH 65535 /* the sum of exponentials below 2^15 stays below 2^31 */
#define MAX_SUM_TERMS 32768     /* of int8 products in an int32 sum */

/* ---- Softmax int16 -------------------------------------------------------------------------*/
const char *mn_refuses_softmax_s16(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *y = &graph->tensors[op->output];
  mn_multiplier scaling;
  if (x->dtype != MN_DTYPE_INT16 || y->dtype != MN_DTYPE_INT16) return mn_refused_types;
  if (x->shape.rank < 1) return "the input has no axis";
  if (x->shape.dim[x->shape.rank - 1] > MAX_SOFTMAX_DEPTH) return "more than 65535 classes";
  if (mn_activation_range(y).zero_point != 0) return "the output's zero point is not 0";
  return mn_softmax_s16_scaling_of(&scaling, op->beta, mn_activation_range(x).scale)
             ? NULL
             : "beta times the input's scale is out of range";
}

mn_status mn_walk_softmax_s16(mn_kernel_arguments *arguments, mn_arena *arena,
                              const mn_graph *graph, const mn_op *op, mn_error *error) {
  mn_softmax *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  size_t bytes = MN_SOFTMAX_S16_TABLE * sizeof(int16_t);
  int16_t *exponential = mn_arena_alloc(arena, bytes), *one_over = mn_arena_alloc(arena, bytes);
  if (p == NULL || exponential == NULL || one_over == NULL) return mn_walk_no_memory(error, op);
  const mn_tensor *x = mn_op_operand(graph, op, 0);
  mn_multiplier m = {0, 0};
  (void)mn_softmax_s16_scaling_of(&m, op->beta, mn_activation_range(x).scale);
  p->depth = x->shape.dim[x->shape.rank - 1];
  p->outer = (int32_t)(mn_shape_elements(&x->shape) / p->depth);
  p->input_multiplier = m.value;
  p->input_left_shift = m.shift;
  mn_softmax_s16_tables(exponential, one_over);
  arguments->constants = 2;
  arguments->constant[0] = (mn_constant){
      .name = "exp_table", .dtype = MN_DTYPE_INT16, .data = exponential, .bytes = bytes};
  arguments->constant[1] = (mn_constant){
      .name = "one_over_table", .dtype = MN_DTYPE_INT16, .data = one_over, .bytes = bytes};
  return MN_OK;
}

/* ---- SVDF ----------------------------------------------------------------------------------*/
enum { FEATURE = 1, TIME = 2, BIAS = 3, STATE = 4 }; /* inputs of the op */

static const char *refuses_svdf(const mn_graph *graph, const mn_op *op, mn_dtype type) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *y = &graph->tensors[op->output];
  const mn_tensor *feature = mn_op_operand(graph, op, FEATURE);
  const mn_tensor *time = mn_op_operand(graph, op, TIME), *bias = mn_op_operand(graph, op, BIAS);
  const mn_tensor *state = mn_op_operand(graph, op, STATE);
  if (x->dtype != MN_DTYPE_INT8 || y->dtype != MN_DTYPE_INT8 || time->dtype != type ||
      state->dtype != type || feature->dtype != MN_DTYPE_INT8)
    return mn_refused_types;
  if (!feature->constant || !time->constant) return "weights are not constant";
  if (bias != NULL && (!bias->constant || bias->dtype != MN_DTYPE_INT32))
    return "the bias is not an int32 constant";
  if (feature->quantization.count > 1 || time->quantization.count > 1)
    return "weights have a scale per channel";
  if (feature->shape.dim[1] > MAX_SUM_TERMS) return "more than 32768 weights per filter";
  return NULL;
}

const char *mn_refuses_svdf_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_svdf(graph, op, MN_DTYPE_INT16);
}

const char *mn_refuses_svdf_s8(const mn_graph *graph, const mn_op *op) {
  return refuses_svdf(graph, op, MN_DTYPE_INT8);
}

static mn_constant constant_of(const char *name, const mn_tensor *tensor, bool weights) {
  if (tensor == NULL) return (mn_constant){0};
  return (mn_constant){.name = name,
                       .dtype = tensor->dtype,
                       .data = tensor->data,
                       .bytes = mn_tensor_bytes(tensor),
                       .weights = weights};
}

/* The two factors, and the state as the second input, which the kernel changes. */
mn_status mn_walk_svdf(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                       const mn_op *op, mn_error *error) {
  mn_svdf *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  const mn_tensor *x = mn_op_operand(graph, op, 0), *feature = mn_op_operand(graph, op, FEATURE);
  const mn_tensor *time = mn_op_operand(graph, op, TIME), *state = mn_op_operand(graph, op, STATE);
  mn_range in = mn_activation_range(x), kept = mn_activation_range(state);
  mn_range out = mn_activation_range(&graph->tensors[op->output]);
  mn_multiplier first =
      mn_multiplier_of(mn_svdf_factor(in.scale, mn_activation_range(feature).scale, kept.scale));
  mn_multiplier second =
      mn_multiplier_of(mn_svdf_factor(kept.scale, mn_activation_range(time).scale, out.scale));
  if (first.shift > 30 || second.shift > 30)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "op %s: its scales give a factor above 2^30; it cannot be requantized",
                        op->name);
  *p = (mn_svdf){.batch = x->shape.dim[0],
                 .inputs = x->shape.dim[1],
                 .filters = feature->shape.dim[0],
                 .rank = op->rank,
                 .memory = time->shape.dim[1],
                 .input_zero_point = in.zero_point,
                 .state_zero_point = kept.zero_point,
                 .output_zero_point = out.zero_point,
                 .state_multiplier = first.value,
                 .state_shift = first.shift,
                 .output_multiplier = second.value,
                 .output_shift = second.shift};
  arguments->x[1] = op->input[STATE];
  arguments->constants = 3;
  arguments->constant[0] = constant_of("feature_weights", feature, true);
  arguments->constant[1] = constant_of("time_weights", time, true);
  arguments->constant[2] = constant_of("bias", mn_op_operand(graph, op, BIAS), false);
  return MN_OK;
}
