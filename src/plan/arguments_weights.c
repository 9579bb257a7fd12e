/* arguments_weights.c - arguments of the ops with weights: convolution, depthwise, fully connected.
 * Their constants are alike: weights as in the file, bias, and multiplier + shift per tensor or per
 * output channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph/quantization.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "plan/arguments.h"

#define MAX_SUM_TERMS 32768 /* so that an int32 sum of int8 products and a bias cannot wrap */
#define MAX_SHIFT 30        /* of an int32 sum */
#define MAX_SHIFT_WIDE 7    /* of an int64 sum, which 16 bits of the multiplier scale */
#define MAX_BIAS_WIDE (INT64_C(1) << 46)

typedef double mn_factor(float x_scale, float weight_scale, float y_scale);

/* ---- What the kernels refuse ---------------------------------------------------------------*/
static bool zero_points_are_zero(const mn_quantization *q) {
  for (int32_t i = 0; i < q->count; i++)
    if (q->zero_point[i] != 0) return false;
  return true;
}

/* What one kernel takes. */
typedef struct layer_types {
  mn_dtype activations, weights, bias;
} layer_types;
static const layer_types s8 = {MN_DTYPE_INT8, MN_DTYPE_INT8, MN_DTYPE_INT32};
static const layer_types s4 = {MN_DTYPE_INT8, MN_DTYPE_INT4, MN_DTYPE_INT32};
static const layer_types s16 = {MN_DTYPE_INT16, MN_DTYPE_INT8, MN_DTYPE_INT64};
static const layer_types s16_b32 = {MN_DTYPE_INT16, MN_DTYPE_INT8, MN_DTYPE_INT32};

static const char *refuses_types(const mn_graph *graph, const mn_op *op, layer_types types) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *k = mn_op_operand(graph, op, 1);
  const mn_tensor *bias = mn_op_operand(graph, op, 2), *y = &graph->tensors[op->output];
  bool fits = x->dtype == types.activations && y->dtype == types.activations &&
              k->dtype == types.weights && (bias == NULL || bias->dtype == types.bias);
  return fits ? NULL : mn_refused_types;
}

static const char *refuses_weights(const mn_graph *graph, const mn_op *op, int32_t channel_axis,
                                   layer_types types) {
  const mn_tensor *k = mn_op_operand(graph, op, 1), *bias = mn_op_operand(graph, op, 2);
  if (k == NULL || !k->constant) return "weights are not constant";
  if (bias != NULL && !bias->constant) return "the bias is not constant";
  const char *reason = refuses_types(graph, op, types);
  if (reason != NULL) return reason;
  if (k->quantization.count > 1 && k->quantization.count != k->shape.dim[channel_axis])
    return "weights have neither one scale nor one per output channel";
  return NULL;
}

static const char *refuses_window(const mn_graph *graph, const mn_op *op, int32_t channel_axis,
                                  layer_types types) {
  const char *reason = refuses_weights(graph, op, channel_axis, types);
  if (reason != NULL) return reason;
  const mn_tensor *x = mn_op_operand(graph, op, 0), *k = mn_op_operand(graph, op, 1);
  if (x->shape.dim[0] != 1) return "the batch is not 1";
  if (!zero_points_are_zero(&k->quantization)) return "weights have a zero point other than 0";
  int64_t terms = mn_shape_elements(&k->shape) / k->shape.dim[channel_axis];
  return terms > MAX_SUM_TERMS ? "more than 32768 weights per output value" : NULL;
}

const char *mn_refuses_conv_2d(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 0, s8);
}

const char *mn_refuses_conv_2d_s4(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 0, s4);
}

/* Without a bias the runtime takes the kernel with 32-bit sums. */
const char *mn_refuses_conv_2d_s16(const mn_graph *graph, const mn_op *op) {
  if (mn_op_operand(graph, op, 2) == NULL) return mn_refused_types;
  return refuses_window(graph, op, 0, s16);
}

const char *mn_refuses_conv_2d_s16_b32(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 0, s16_b32);
}

const char *mn_refuses_depthwise_conv_2d(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 3, s8);
}

const char *mn_refuses_depthwise_conv_2d_s4(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 3, s4);
}

const char *mn_refuses_depthwise_conv_2d_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_window(graph, op, 3, s16);
}

static const char *refuses_fully_connected(const mn_graph *graph, const mn_op *op,
                                           layer_types types) {
  const char *reason = refuses_weights(graph, op, 0, types);
  if (reason != NULL) return reason;
  const mn_tensor *k = mn_op_operand(graph, op, 1);
  if (k->quantization.count > 1 && !zero_points_are_zero(&k->quantization))
    return "weights per channel have a zero point other than 0";
  return k->shape.dim[1] > MAX_SUM_TERMS ? "more than 32768 weights per output value" : NULL;
}

const char *mn_refuses_fully_connected(const mn_graph *graph, const mn_op *op) {
  return refuses_fully_connected(graph, op, s8);
}

const char *mn_refuses_fully_connected_s4(const mn_graph *graph, const mn_op *op) {
  return refuses_fully_connected(graph, op, s4);
}

const char *mn_refuses_fully_connected_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_fully_connected(graph, op, s16);
}

/* ---- Packing -------------------------------------------------------------------------------*/
/* On a bare graph scales are not known yet: one per channel is assumed, the most there can be. */
static int32_t scale_count(const mn_tensor *weights, int32_t channels) {
  return weights->quantization.count > 0 ? weights->quantization.count : channels;
}

/* Sums of the layer are 64 bits wide: all of int16x8 but a convolution with an int32 bias or none. */
static bool wide_sums(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *bias = mn_op_operand(graph, op, 2);
  if (mn_op_operand(graph, op, 0)->dtype != MN_DTYPE_INT16) return false;
  return bias != NULL ? bias->dtype == MN_DTYPE_INT64 : op->kind != MN_OP_CONV_2D;
}

/* A 64-bit sum times 16 bits of a multiplier stays below 2^63. */
static mn_status check_wide_bias(const mn_tensor *bias, const mn_op *op, mn_error *error) {
  if (bias == NULL || bias->dtype != MN_DTYPE_INT64 || bias->data == NULL) return MN_OK;
  for (int64_t o = 0; o < mn_shape_elements(&bias->shape); o++) {
    int64_t value;
    memcpy(&value, (const uint8_t *)bias->data + (size_t)o * sizeof value, sizeof value);
    if (value > -MAX_BIAS_WIDE && value < MAX_BIAS_WIDE) continue;
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "op %s: the bias of channel %lld is %lld; at most 2^46 can be requantized",
                        op->name, (long long)o, (long long)value);
  }
  return MN_OK;
}

static mn_status fill_scales(int32_t *multiplier, int8_t *shift, const mn_graph *graph,
                             const mn_op *op, mn_factor *factor, mn_error *error) {
  const mn_quantization *k = &mn_op_operand(graph, op, 1)->quantization;
  float x_scale = mn_activation_range(mn_op_operand(graph, op, 0)).scale;
  float y_scale = mn_activation_range(&graph->tensors[op->output]).scale;
  int32_t most = wide_sums(graph, op) ? MAX_SHIFT_WIDE : MAX_SHIFT;
  for (int32_t o = 0; o < k->count; o++) {
    mn_multiplier m = mn_multiplier_of(factor(x_scale, k->scale[o], y_scale));
    if (m.shift > most)
      return mn_error_set(error, MN_ERR_UNSUPPORTED,
                          "op %s: weights of channel %d give a factor of 2^%d; at most 2^%d can be "
                          "requantized",
                          op->name, o, m.shift, most);
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
  MN_TRY(check_wide_bias(bias, op, error));

  a->constants = 4;
  a->constant[0] = (mn_constant){.name = "weights",
                                 .dtype = k->dtype,
                                 .data = k->data,
                                 .bytes = mn_tensor_bytes(k),
                                 .weights = true};
  if (bias != NULL)
    a->constant[1] = (mn_constant){
        .name = "bias", .dtype = bias->dtype, .data = bias->data, .bytes = mn_tensor_bytes(bias)};
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

mn_status mn_walk_one_channel(mn_kernel_arguments *arguments, mn_arena *arena,
                              const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(arguments, arena, graph, op, error));
  const mn_depthwise_conv_2d *d = arguments->params;
  mn_conv_2d *p = mn_arena_alloc(arena, sizeof *p);
  if (p == NULL) return mn_walk_no_memory(error, op);
#define COPY(name) p->name = d->name;
  MN_CONV_2D_FIELDS(COPY)
#undef COPY
  arguments->params = p;
  return MN_OK;
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
