/* freeze.c - a bare graph and what was learnt become constants and scales. Ids stay. Where an op
 * ties its output to its input (SAME) or to a constant (FIXED), the learnt range is not asked.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "graph/quantization.h"
#include "micronets/graph.h"

typedef struct freezer {
  mn_arena *arena;
  const mn_graph *bare;
  mn_tensor *tensors; /* of the frozen graph */
  mn_op *ops;
  mn_error *error;
} freezer;

static mn_status no_memory(freezer *f) {
  return mn_error_set(f->error, MN_ERR_MEMORY, "out of memory while freezing a graph");
}

/* ---- Activations ---------------------------------------------------------------------------*/
static mn_status put_range(freezer *f, mn_tensor_id id, mn_range range) {
  float *scale = mn_arena_copy(f->arena, &range.scale, sizeof range.scale);
  int32_t *zero_point = mn_arena_copy(f->arena, &range.zero_point, sizeof range.zero_point);
  if (scale == NULL || zero_point == NULL) return no_memory(f);
  f->tensors[id].quantization = (mn_quantization){1, 0, scale, zero_point};
  return MN_OK;
}

static mn_status set_range(freezer *f, mn_tensor_id id, mn_range range) {
  const mn_tensor *tensor = &f->tensors[id];
  mn_limits limits = mn_dtype_limits(tensor->dtype);
  bool symmetric = tensor->dtype == MN_DTYPE_INT16;
  if (tensor->dtype == MN_DTYPE_FLOAT32 || tensor->dtype == MN_DTYPE_INT64) {
    return mn_error_set(f->error, MN_ERR_UNSUPPORTED, "tensor %s: %s activations cannot be frozen",
                        tensor->name, mn_dtype_text(tensor->dtype));
  }
  if (!isfinite(range.scale) || range.scale <= 0 || range.zero_point < limits.min ||
      range.zero_point > limits.max || (symmetric && range.zero_point != 0)) {
    return mn_error_set(f->error, MN_ERR_ARGUMENT,
                        "tensor %s: range has scale %g, zero point %d; a positive scale and a zero "
                        "point of type %s are needed",
                        tensor->name, (double)range.scale, range.zero_point,
                        mn_dtype_text(tensor->dtype));
  }
  return put_range(f, id, range);
}

static mn_range range_of(const freezer *f, mn_tensor_id id) {
  const mn_quantization *q = &f->tensors[id].quantization;
  return (mn_range){q->scale[0], q->zero_point[0]};
}

/* Probabilities over the whole range of the type; but int16 to int16 is written with zero point 0. */
static mn_range probability_range(mn_dtype from, mn_dtype to) {
  if (to != MN_DTYPE_INT16) return (mn_range){MN_SOFTMAX_S8_SCALE, MN_SOFTMAX_S8_ZERO_POINT};
  if (from != MN_DTYPE_INT16) return (mn_range){MN_SOFTMAX_S8_S16_SCALE, INT16_MIN};
  return (mn_range){MN_SOFTMAX_S16_SCALE, 0};
}

static mn_range output_range(const freezer *f, const mn_op *op, const mn_range *ranges) {
  switch (mn_op_info_get(op->kind)->scale_rule) {
    case MN_SCALE_SAME: return range_of(f, op->input[0]);
    case MN_SCALE_FIXED:
      return probability_range(f->tensors[op->input[0]].dtype, f->tensors[op->output].dtype);
    default: return ranges[op->output];
  }
}

/* ---- Constants -----------------------------------------------------------------------------*/
static int32_t weight_axis(mn_op_kind kind) {
  return kind == MN_OP_DEPTHWISE_CONV_2D ? 3 : 0;
}

static void store(uint8_t *data, int64_t index, int8_t value, mn_dtype dtype) {
  if (dtype == MN_DTYPE_INT8) {
    data[index] = (uint8_t)value;
  } else {
    uint8_t nibble = (uint8_t)(value & 15);
    data[index / 2] = (uint8_t)(data[index / 2] | (index % 2 == 0 ? nibble : nibble << 4));
  }
}

/* int8 layouts keep the output channel first (conv, fully connected) or last (depthwise). */
static mn_status set_weights(freezer *f, const mn_op *op, const mn_parameters *learnt) {
  mn_tensor *weights = &f->tensors[op->input[1]];
  int64_t elements = mn_shape_elements(&weights->shape);
  int32_t axis = weight_axis(op->kind), channels = weights->shape.dim[axis];
  int64_t inner = axis == 0 ? elements / channels : 1;
  uint8_t *data = mn_arena_alloc(f->arena, mn_tensor_bytes(weights));
  if (data == NULL) return no_memory(f);
  for (int64_t i = 0; i < elements; i++) {
    float scale = learnt->weight_scale[i / inner % channels];
    store(data, i, mn_quantize_weight(learnt->weights[i], scale, weights->dtype), weights->dtype);
  }
  weights->data = data;
  weights->data_bytes = mn_tensor_bytes(weights);
  return MN_OK;
}

static mn_status set_scales(freezer *f, mn_tensor *tensor, const float *scale, int32_t count,
                            int32_t axis) {
  float *own = mn_arena_copy(f->arena, scale, (size_t)count * sizeof *scale);
  int32_t *zero_point = mn_arena_array(f->arena, (size_t)count, sizeof *zero_point);
  if (own == NULL || zero_point == NULL) return no_memory(f);
  tensor->quantization = (mn_quantization){count, count > 1 ? axis : 0, own, zero_point};
  return MN_OK;
}

static mn_status set_bias(freezer *f, const mn_op *op, const mn_parameters *learnt) {
  mn_tensor *bias = &f->tensors[op->input[2]];
  const mn_quantization *weights = &f->tensors[op->input[1]].quantization;
  int32_t channels = (int32_t)mn_shape_elements(&bias->shape);
  bool wide = bias->dtype == MN_DTYPE_INT64;
  size_t width = wide ? sizeof(int64_t) : sizeof(int32_t);
  uint8_t *data = mn_arena_array(f->arena, (size_t)channels, width);
  float *scale = mn_arena_array(f->arena, (size_t)channels, sizeof *scale);
  if (data == NULL || scale == NULL) return no_memory(f);
  float x_scale = range_of(f, op->input[0]).scale;
  for (int32_t o = 0; o < channels; o++) {
    float weight_scale = weights->scale[weights->count > 1 ? o : 0];
    int64_t value = mn_quantize_bias(learnt->bias[o], x_scale, weight_scale, bias->dtype);
    int32_t narrow = (int32_t)value;
    scale[o] = mn_bias_scale(x_scale, weight_scale);
    memcpy(data + (size_t)o * width, wide ? (const void *)&value : (const void *)&narrow, width);
  }
  bias->data = data;
  bias->data_bytes = (size_t)channels * width;
  return set_scales(f, bias, scale, weights->count, 0);
}

static mn_status check_learnt(freezer *f, const mn_op *op, const mn_parameters *learnt) {
  const mn_tensor *weights = &f->tensors[op->input[1]];
  bool has_bias = op->inputs > 2 && op->input[2] >= 0;
  if (learnt->weights == NULL || learnt->weight_scale == NULL ||
      (has_bias && learnt->bias == NULL)) {
    return mn_error_set(f->error, MN_ERR_ARGUMENT, "op %s: parameters are missing", op->name);
  }
  if (weights->dtype != MN_DTYPE_INT8 && weights->dtype != MN_DTYPE_INT4) {
    return mn_error_set(f->error, MN_ERR_UNSUPPORTED, "op %s: weights of type %s cannot be frozen",
                        op->name, mn_dtype_text(weights->dtype));
  }
  int32_t channels = weights->shape.dim[weight_axis(op->kind)];
  for (int32_t o = 0; o < channels; o++) {
    if (!isfinite(learnt->weight_scale[o]) || learnt->weight_scale[o] <= 0) {
      return mn_error_set(f->error, MN_ERR_ARGUMENT,
                          "op %s: weight scale %d is %g; a positive number is needed", op->name, o,
                          (double)learnt->weight_scale[o]);
    }
  }
  return MN_OK;
}

/* Fully connected layers with one common scale are written per tensor, as every runtime reads
 * them; 4-bit ones must be. */
static bool one_scale(const mn_op *op, const float *scale, int32_t channels) {
  if (op->kind != MN_OP_FULLY_CONNECTED) return channels == 1;
  for (int32_t o = 1; o < channels; o++) {
    if (scale[o] < scale[0] || scale[o] > scale[0]) return false;
  }
  return true;
}

static mn_status freeze_layer(freezer *f, const mn_op *op, const mn_parameters *learnt) {
  MN_TRY(check_learnt(f, op, learnt));
  mn_tensor *weights = &f->tensors[op->input[1]];
  int32_t axis = weight_axis(op->kind), channels = weights->shape.dim[axis];
  bool single = one_scale(op, learnt->weight_scale, channels);
  if (!single && op->kind == MN_OP_FULLY_CONNECTED && weights->dtype == MN_DTYPE_INT4) {
    return mn_error_set(f->error, MN_ERR_UNSUPPORTED,
                        "op %s: 4-bit weights of a fully connected layer need one common scale",
                        op->name);
  }
  MN_TRY(set_weights(f, op, learnt));
  MN_TRY(set_scales(f, weights, learnt->weight_scale, single ? 1 : channels, axis));
  return op->inputs > 2 && op->input[2] >= 0 ? set_bias(f, op, learnt) : MN_OK;
}

static mn_status freeze_op(freezer *f, mn_op *op, const mn_parameters *learnt,
                           const mn_range *ranges) {
  switch (op->kind) {
    case MN_OP_MIX:
    case MN_OP_SVDF:
      return mn_error_set(f->error, MN_ERR_UNSUPPORTED, "op %s: %s cannot be frozen", op->name,
                          mn_op_info_get(op->kind)->text);
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_FULLY_CONNECTED: MN_TRY(freeze_layer(f, op, learnt)); break;
    default: break;
  }
  op->batch_norm = false;
  mn_range range = output_range(f, op, ranges);
  bool wide = mn_op_info_get(op->kind)->scale_rule == MN_SCALE_FIXED &&
              f->tensors[op->output].dtype == MN_DTYPE_INT16; /* need not be symmetric */
  return wide ? put_range(f, op->output, range) : set_range(f, op->output, range);
}

mn_status mn_graph_freeze(const mn_graph **frozen, mn_arena *arena, const mn_graph *bare,
                          const mn_parameters *parameters, const mn_range *ranges,
                          mn_error *error) {
  freezer f = {.arena = arena, .bare = bare, .error = error};
  mn_graph *made = mn_arena_copy(arena, bare, sizeof *bare);
  f.tensors = mn_arena_copy(arena, bare->tensors, (size_t)bare->tensor_count * sizeof *f.tensors);
  f.ops = mn_arena_copy(arena, bare->ops, (size_t)bare->op_count * sizeof *f.ops);
  if (made == NULL || f.tensors == NULL || f.ops == NULL) return no_memory(&f);
  for (int32_t i = 0; i < bare->input_count; i++) {
    MN_TRY(set_range(&f, bare->inputs[i], ranges[bare->inputs[i]]));
  }
  for (int32_t op = 0; op < bare->op_count; op++) {
    MN_TRY(freeze_op(&f, &f.ops[op], &parameters[op], ranges));
  }
  made->tensors = f.tensors;
  made->ops = f.ops;
  made->frozen = true;
  *frozen = made;
  return MN_OK;
}
