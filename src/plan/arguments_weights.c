/* arguments_weights.c - arguments of the ops with weights: convolution, depthwise, fully connected.
 * Their constants are alike: weights as in the file, bias, and multiplier + shift per tensor or per
 * output channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/quantization.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "plan/arguments.h"

#define MAX_SUM_TERMS 32768 /* so that an int32 sum of int8 products and a bias cannot wrap */

typedef double mn_factor(float x_scale, float weight_scale, float y_scale);

/* ---- What the kernels refuse ---------------------------------------------------------------*/
static bool zero_points_are_zero(const mn_quantization *q) {
  for (int32_t i = 0; i < q->count; i++)
    if (q->zero_point[i] != 0) return false;
  return true;
}

static const char *refuses_weights(const mn_graph *graph, const mn_op *op, int32_t channel_axis) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *k = mn_op_operand(graph, op, 1);
  const mn_tensor *bias = mn_op_operand(graph, op, 2), *y = &graph->tensors[op->output];
  if (x->dtype != MN_DTYPE_INT8 || y->dtype != MN_DTYPE_INT8) return "activations are not int8";
  if (k == NULL || !k->constant) return "weights are not constant";
  if (k->dtype != MN_DTYPE_INT8) return "weights are not int8";
  if (bias != NULL && !bias->constant) return "the bias is not constant";
  if (bias != NULL && bias->dtype != MN_DTYPE_INT32) return "the bias is not int32";
  if (k->quantization.count > 1 && k->quantization.count != k->shape.dim[channel_axis])
    return "weights have neither one scale nor one per output channel";
  return NULL;
}

static const char *refuses_window(const mn_graph *graph, const mn_op *op, int32_t channel_axis) {
  const char *reason = refuses_weights(graph, op, channel_axis);
  if (reason != NULL) return reason;
  const mn_tensor *x = mn_op_operand(graph, op, 0), *k = mn_op_operand(graph, op, 1);
  if (x->shape.dim[0] != 1) return "the batch is not 1";
  if (!zero_points_are_zero(&k->quantization)) return "weights have a zero point other than 0";
  int64_t terms = mn_shape_elements(&k->shape) / k->shape.dim[channel_axis];
  return terms > MAX_SUM_TERMS ? "more than 32768 weights per output value" : NULL;
}

const char *mn_refuses_conv_2d(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 0);
}

const char *mn_refuses_depthwise_conv_2d(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 3);
}

const char *mn_refuses_fully_connected(const mn_graph *graph, const mn_op *op) {
  const char *reason = refuses_weights(graph, op, 0);
  if (reason != NULL) return reason;
  const mn_tensor *k = mn_op_operand(graph, op, 1);
  if (k->quantization.count > 1 && !zero_points_are_zero(&k->quantization))
    return "weights per channel have a zero point other than 0";
  return k->shape.dim[1] > MAX_SUM_TERMS ? "more than 32768 weights per output value" : NULL;
}

/* ---- Packing -------------------------------------------------------------------------------*/
/* On a bare graph scales are not known yet: one per channel is assumed, the most there can be. */
static int32_t scale_count(const mn_tensor *weights, int32_t channels) {
  return weights->quantization.count > 0 ? weights->quantization.count : channels;
}

static mn_status fill_scales(int32_t *multiplier, int8_t *shift, const mn_graph *graph,
                             const mn_op *op, mn_factor *factor, mn_error *error) {
  const mn_quantization *k = &mn_op_operand(graph, op, 1)->quantization;
  float x_scale = mn_activation_range(mn_op_operand(graph, op, 0)).scale;
  float y_scale = mn_activation_range(&graph->tensors[op->output]).scale;
  for (int32_t o = 0; o < k->count; o++) {
    mn_multiplier m = mn_multiplier_of(factor(x_scale, k->scale[o], y_scale));
    if (m.shift > 30)
      return mn_error_set(error, MN_ERR_UNSUPPORTED,
                          "op %s: weights of channel %d give a factor of 2^%d; at most 2^30 can be "
                          "requantized",
                          op->name, o, m.shift);
    multiplier[o] = m.value;
    shift[o] = (int8_t)m.shift;
  }
  return MN_OK;
}

static mn_status pack(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                      const mn_op *op, int32_t channels, mn_factor *factor, mn_error *error) {
  const mn_tensor *k = mn_op_operand(graph, op, 1), *bias = mn_op_operand(graph, op, 2);
  bool known = k->quantization.count > 0;
  size_t count = (size_t)scale_count(k, channels);
  int32_t *multiplier = mn_arena_array(arena, count, sizeof *multiplier);
  int8_t *shift = mn_arena_array(arena, count, sizeof *shift);
  if (multiplier == NULL || shift == NULL) return mn_walk_no_memory(error, op);
  MN_TRY(fill_scales(multiplier, shift, graph, op, factor, error));

  a->constants = 4;
  a->constant[0] = (mn_constant){.name = "weights",
                                 .dtype = MN_DTYPE_INT8,
                                 .data = k->data,
                                 .bytes = mn_tensor_bytes(k),
                                 .weights = true};
  if (bias != NULL)
    a->constant[1] = (mn_constant){.name = "bias",
                                   .dtype = MN_DTYPE_INT32,
                                   .data = bias->data,
                                   .bytes = mn_tensor_bytes(bias)};
  a->constant[2] = (mn_constant){.name = "multiplier",
                                 .dtype = MN_DTYPE_INT32,
                                 .data = known ? multiplier : NULL,
                                 .bytes = count * sizeof *multiplier};
  a->constant[3] = (mn_constant){
      .name = "shift", .dtype = MN_DTYPE_INT8, .data = known ? shift : NULL, .bytes = count};
  return MN_OK;
}

/* ---- Parameters ----------------------------------------------------------------------------*/
typedef struct quantized {
  MN_KERNEL_QUANTIZED_FIELDS(MN_KERNEL_FIELD)
} quantized;

static mn_status quantized_of(quantized *q, const mn_graph *graph, const mn_op *op,
                              int32_t channels, mn_error *error) {
  q->input_zero_point = mn_activation_range(&graph->tensors[op->input[0]]).zero_point;
  q->output_zero_point = mn_activation_range(&graph->tensors[op->output]).zero_point;
  q->per_channel = scale_count(mn_op_operand(graph, op, 1), channels) > 1;
  return mn_output_limits(&q->output_min, &q->output_max, graph, op, error);
}

#define FROM_WINDOW(name) p->name = window.name;
#define FROM_QUANTIZED(name) p->name = q.name;

mn_status mn_walk_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, mn_error *error) {
  mn_conv_2d *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  mn_kernel_window window = mn_window_of(graph, op);
  quantized q = {0};
  MN_TRY(quantized_of(&q, graph, op, window.output_c, error));
  MN_KERNEL_WINDOW_FIELDS(FROM_WINDOW)
  MN_KERNEL_QUANTIZED_FIELDS(FROM_QUANTIZED)
  return pack(arguments, arena, graph, op, p->output_c, mn_conv_factor, error);
}

mn_status mn_walk_depthwise_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena,
                                    const mn_graph *graph, const mn_op *op, mn_error *error) {
  mn_depthwise_conv_2d *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  mn_kernel_window window = mn_window_of(graph, op);
  quantized q = {0};
  MN_TRY(quantized_of(&q, graph, op, window.output_c, error));
  MN_KERNEL_WINDOW_FIELDS(FROM_WINDOW)
  MN_KERNEL_QUANTIZED_FIELDS(FROM_QUANTIZED)
  p->channel_multiplier = p->output_c / p->input_c;
  return pack(arguments, arena, graph, op, p->output_c, mn_conv_factor, error);
}

mn_status mn_walk_fully_connected(mn_kernel_arguments *arguments, mn_arena *arena,
                                  const mn_graph *graph, const mn_op *op, mn_error *error) {
  mn_fully_connected *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  const mn_tensor *x = mn_op_operand(graph, op, 0), *k = mn_op_operand(graph, op, 1);
  p->outputs = k->shape.dim[0];
  p->inputs = k->shape.dim[1];
  p->batch = (int32_t)(mn_shape_elements(&x->shape) / p->inputs);
  quantized q = {0};
  MN_TRY(quantized_of(&q, graph, op, p->outputs, error));
  MN_KERNEL_QUANTIZED_FIELDS(FROM_QUANTIZED)
  p->weight_zero_point = mn_activation_range(k).zero_point;
  mn_factor *factor = p->per_channel ? mn_conv_factor : mn_fully_connected_factor;
  return pack(arguments, arena, graph, op, p->outputs, factor, error);
}
