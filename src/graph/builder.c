/* builder.c - grows a graph op by op; the finished graph is immutable. Everything lives in the
 * builder's arena.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "graph/infer.h"
#include "micronets/graph.h"

#define MAX_ELEMENTS INT32_MAX

struct mn_builder {
  mn_arena *arena;
  mn_tensor *tensors;
  mn_op *ops;
  int32_t *producer; /* [tensor]: op that writes it, -1 none */
  int32_t tensor_count, tensor_capacity, op_count, op_capacity;
};

static mn_status no_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "out of memory while building a graph");
}

mn_status mn_builder_create(mn_builder **builder, mn_arena *arena) {
  mn_builder *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) return MN_ERR_MEMORY;
  made->arena = arena;
  *builder = made;
  return MN_OK;
}

/* A larger copy; the old one stays in the arena until that is released. */
static void *grown(mn_arena *arena, const void *old, int32_t count, int32_t capacity, size_t size) {
  void *larger = mn_arena_array(arena, (size_t)capacity, size);
  if (larger != NULL && count > 0) memcpy(larger, old, (size_t)count * size);
  return larger;
}

static mn_status reserve_tensor(mn_builder *builder, mn_error *error) {
  if (builder->tensor_count < builder->tensor_capacity) return MN_OK;
  int32_t capacity = builder->tensor_capacity > 0 ? 2 * builder->tensor_capacity : 64;
  mn_tensor *tensors =
      grown(builder->arena, builder->tensors, builder->tensor_count, capacity, sizeof *tensors);
  int32_t *producer =
      grown(builder->arena, builder->producer, builder->tensor_count, capacity, sizeof *producer);
  if (tensors == NULL || producer == NULL) return no_memory(error);
  builder->tensors = tensors;
  builder->producer = producer;
  builder->tensor_capacity = capacity;
  return MN_OK;
}

static mn_status reserve_op(mn_builder *builder, mn_error *error) {
  if (builder->op_count < builder->op_capacity) return MN_OK;
  int32_t capacity = builder->op_capacity > 0 ? 2 * builder->op_capacity : 32;
  mn_op *ops = grown(builder->arena, builder->ops, builder->op_count, capacity, sizeof *ops);
  if (ops == NULL) return no_memory(error);
  builder->ops = ops;
  builder->op_capacity = capacity;
  return MN_OK;
}

/* ---- Tensors -------------------------------------------------------------------------------*/
static mn_status check_shape(const mn_tensor *tensor, mn_error *error) {
  const mn_shape *shape = &tensor->shape;
  if (shape->rank < 0 || shape->rank > MN_MAX_RANK) {
    return mn_error_set(error, MN_ERR_FORMAT, "tensor %s: has %d axes; at most %d are supported",
                        tensor->name, shape->rank, MN_MAX_RANK);
  }
  int64_t elements = 1;
  for (int32_t d = 0; d < shape->rank; d++) {
    if (shape->dim[d] < 1 || elements > MAX_ELEMENTS / shape->dim[d]) {
      return mn_error_set(error, MN_ERR_FORMAT, "tensor %s: axis %d has size %d; out of range",
                          tensor->name, d, shape->dim[d]);
    }
    elements *= shape->dim[d];
  }
  return MN_OK;
}

static mn_status check_quantization(const mn_tensor *tensor, mn_error *error) {
  const mn_quantization *q = &tensor->quantization;
  bool per_channel = q->count > 1 && q->axis >= 0 && q->axis < tensor->shape.rank &&
                     tensor->shape.dim[q->axis] == q->count;
  if (q->count < 0 || (q->count > 1 && !per_channel)) {
    return mn_error_set(error, MN_ERR_FORMAT,
                        "tensor %s: %d scales along axis %d do not fit its shape %s", tensor->name,
                        q->count, q->axis, mn_shape_print(&tensor->shape).text);
  }
  for (int32_t i = 0; i < q->count; i++) {
    if (!isfinite(q->scale[i]) || q->scale[i] <= 0) {
      return mn_error_set(error, MN_ERR_FORMAT,
                          "tensor %s: scale %d is %g; a positive finite number is needed",
                          tensor->name, i, (double)q->scale[i]);
    }
  }
  return MN_OK;
}

static mn_status check_data(const mn_tensor *tensor, mn_error *error) {
  if (tensor->data == NULL || tensor->data_bytes == mn_tensor_bytes(tensor)) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "tensor %s: has %zu bytes of data; %s of %s needs %zu",
                      tensor->name, tensor->data_bytes, mn_shape_print(&tensor->shape).text,
                      mn_dtype_text(tensor->dtype), mn_tensor_bytes(tensor));
}

/* Names and scales are copied, so that callers may use memory of their own. */
static mn_status own_tensor(mn_tensor *tensor, mn_arena *arena, mn_error *error) {
  mn_quantization *q = &tensor->quantization;
  tensor->name = mn_arena_text(arena, "%s", tensor->name != NULL ? tensor->name : "");
  if (tensor->name == NULL) return no_memory(error);
  if (q->count == 0) return MN_OK;
  q->scale = mn_arena_copy(arena, q->scale, (size_t)q->count * sizeof *q->scale);
  q->zero_point = mn_arena_copy(arena, q->zero_point, (size_t)q->count * sizeof *q->zero_point);
  return q->scale != NULL && q->zero_point != NULL ? MN_OK : no_memory(error);
}

mn_status mn_builder_tensor(mn_builder *builder, mn_tensor_id *id, const mn_tensor *tensor,
                            mn_error *error) {
  assert((unsigned)tensor->dtype < MN_DTYPE_COUNT);
  mn_tensor made = *tensor;
  MN_TRY(own_tensor(&made, builder->arena, error));
  MN_TRY(check_shape(&made, error));
  MN_TRY(check_quantization(&made, error));
  MN_TRY(check_data(&made, error));
  MN_TRY(reserve_tensor(builder, error));
  *id = builder->tensor_count;
  builder->producer[builder->tensor_count] = -1;
  builder->tensors[builder->tensor_count++] = made;
  return MN_OK;
}

const mn_tensor *mn_builder_tensor_get(const mn_builder *builder, mn_tensor_id id) {
  assert(id >= 0 && id < builder->tensor_count);
  return &builder->tensors[id];
}

/* ---- Ops -----------------------------------------------------------------------------------*/
static mn_status gather_inputs(const mn_tensor **input, const mn_builder *builder, const mn_op *op,
                               mn_error *error) {
  if (op->inputs < 0 || op->inputs > MN_OP_MAX_INPUTS) {
    return mn_error_set(error, MN_ERR_FORMAT, "op %s: has %d inputs; at most %d are supported",
                        op->name, op->inputs, MN_OP_MAX_INPUTS);
  }
  for (int32_t i = 0; i < MN_OP_MAX_INPUTS; i++) {
    mn_tensor_id id = i < op->inputs ? op->input[i] : -1;
    if (id < -1 || id >= builder->tensor_count) {
      return mn_error_set(error, MN_ERR_FORMAT,
                          "op %s: input %d is tensor %d; there are %d tensors", op->name, i, id,
                          builder->tensor_count);
    }
    input[i] = id < 0 ? NULL : &builder->tensors[id];
  }
  return MN_OK;
}

static mn_status infer(mn_shape *shape, mn_op *op, const mn_builder *builder, mn_error *error) {
  const mn_tensor *input[MN_OP_MAX_INPUTS];
  MN_TRY(gather_inputs(input, builder, op, error));
  return mn_infer_shape(shape, op, input, error);
}

static mn_status own_op(mn_op *op, mn_builder *builder, mn_error *error) {
  assert((unsigned)op->kind < MN_OP_COUNT);
  op->name = mn_arena_text(builder->arena, "%s", op->name != NULL ? op->name : "");
  for (int32_t i = op->inputs > 0 ? op->inputs : 0; i < MN_OP_MAX_INPUTS; i++) op->input[i] = -1;
  return op->name != NULL ? MN_OK : no_memory(error);
}

mn_status mn_builder_add(mn_builder *builder, mn_tensor_id *output, const mn_op *op,
                         mn_dtype output_dtype, mn_error *error) {
  mn_op made = *op;
  mn_shape shape = {.rank = -1};
  MN_TRY(own_op(&made, builder, error));
  MN_TRY(infer(&shape, &made, builder, error));
  MN_TRY(reserve_op(builder, error));
  mn_tensor tensor = {.name = made.name, .dtype = output_dtype, .shape = shape};
  if (output_dtype == MN_DTYPE_COUNT) tensor.dtype = builder->tensors[made.input[0]].dtype;
  MN_TRY(mn_builder_tensor(builder, &made.output, &tensor, error));
  builder->producer[made.output] = builder->op_count;
  builder->ops[builder->op_count++] = made;
  *output = made.output;
  return MN_OK;
}

mn_status mn_builder_add_checked(mn_builder *builder, const mn_op *op, mn_error *error) {
  mn_op made = *op;
  MN_TRY(own_op(&made, builder, error));
  if (made.output < 0 || made.output >= builder->tensor_count) {
    return mn_error_set(error, MN_ERR_FORMAT,
                        "op %s: its output is tensor %d; there are %d tensors", made.name,
                        made.output, builder->tensor_count);
  }
  const mn_tensor *y = &builder->tensors[made.output];
  if (y->constant || y->variable || builder->producer[made.output] >= 0) {
    return mn_error_set(error, MN_ERR_FORMAT, "op %s: writes tensor %s, which has a value already",
                        made.name, y->name);
  }
  mn_shape shape = y->shape;
  MN_TRY(infer(&shape, &made, builder, error));
  if (!mn_shape_equal(&shape, &y->shape)) {
    return mn_error_set(error, MN_ERR_FORMAT,
                        "op %s (%s): output %s has shape %s; its inputs give %s", made.name,
                        mn_op_info_get(made.kind)->text, y->name, mn_shape_print(&y->shape).text,
                        mn_shape_print(&shape).text);
  }
  MN_TRY(reserve_op(builder, error));
  builder->producer[made.output] = builder->op_count;
  builder->ops[builder->op_count++] = made;
  return MN_OK;
}

/* ---- Finish --------------------------------------------------------------------------------*/
static bool listed(const mn_tensor_id *ids, int32_t count, mn_tensor_id id) {
  for (int32_t i = 0; i < count; i++) {
    if (ids[i] == id) return true;
  }
  return false;
}

static mn_status check_ends(const mn_builder *builder, const char *what, const mn_tensor_id *ids,
                            int32_t count, mn_error *error) {
  if (count < 1)
    return mn_error_set(error, MN_ERR_FORMAT, "a graph needs an %s; it has none", what);
  for (int32_t i = 0; i < count; i++) {
    if (ids[i] < 0 || ids[i] >= builder->tensor_count) {
      return mn_error_set(error, MN_ERR_FORMAT, "%s %d is tensor %d; there are %d tensors", what, i,
                          ids[i], builder->tensor_count);
    }
    const mn_tensor *tensor = &builder->tensors[ids[i]];
    bool is_output = what[0] == 'o';
    if (tensor->constant || (!is_output && builder->producer[ids[i]] >= 0)) {
      return mn_error_set(error, MN_ERR_FORMAT, "%s %d is tensor %s, which has a value already",
                          what, i, tensor->name);
    }
  }
  return MN_OK;
}

/* Execution order: whatever an op reads is given, constant, state or written by an earlier op. */
static mn_status check_order(const mn_builder *builder, const mn_tensor_id *inputs, int32_t count,
                             mn_error *error) {
  for (int32_t o = 0; o < builder->op_count; o++) {
    const mn_op *op = &builder->ops[o];
    for (int32_t i = 0; i < op->inputs; i++) {
      mn_tensor_id id = op->input[i];
      if (id < 0) continue;
      const mn_tensor *tensor = &builder->tensors[id];
      bool earlier = builder->producer[id] >= 0 && builder->producer[id] < o;
      if (tensor->constant || tensor->variable || earlier || listed(inputs, count, id)) continue;
      return mn_error_set(error, MN_ERR_FORMAT, "op %s reads tensor %s before it has a value",
                          op->name, tensor->name);
    }
  }
  return MN_OK;
}

static bool has_values(const mn_tensor *tensor) {
  if (tensor->constant) return tensor->data != NULL;
  if (tensor->dtype == MN_DTYPE_FLOAT32 || tensor->dtype == MN_DTYPE_INT32) return true;
  return tensor->quantization.count > 0;
}

static bool is_frozen(const mn_builder *builder) {
  for (int32_t t = 0; t < builder->tensor_count; t++) {
    if (!has_values(&builder->tensors[t])) return false;
  }
  return true;
}

mn_status mn_builder_finish(const mn_graph **graph, mn_builder *builder, const mn_tensor_id *inputs,
                            int32_t input_count, const mn_tensor_id *outputs, int32_t output_count,
                            mn_error *error) {
  MN_TRY(check_ends(builder, "input", inputs, input_count, error));
  MN_TRY(check_ends(builder, "output", outputs, output_count, error));
  MN_TRY(check_order(builder, inputs, input_count, error));
  for (int32_t i = 0; i < output_count; i++) {
    if (builder->producer[outputs[i]] < 0 && !listed(inputs, input_count, outputs[i])) {
      return mn_error_set(error, MN_ERR_FORMAT, "output %d, tensor %s, is written by no op", i,
                          builder->tensors[outputs[i]].name);
    }
  }
  mn_graph *made = mn_arena_alloc(builder->arena, sizeof *made);
  if (made == NULL) return no_memory(error);
  size_t in_bytes = (size_t)input_count * sizeof *inputs;
  size_t out_bytes = (size_t)output_count * sizeof *outputs;
  *made = (mn_graph){.tensors = builder->tensors,
                     .ops = builder->ops,
                     .inputs = mn_arena_copy(builder->arena, inputs, in_bytes),
                     .outputs = mn_arena_copy(builder->arena, outputs, out_bytes),
                     .tensor_count = builder->tensor_count,
                     .op_count = builder->op_count,
                     .input_count = input_count,
                     .output_count = output_count,
                     .frozen = is_frozen(builder)};
  if (made->inputs == NULL || made->outputs == NULL) return no_memory(error);
  *graph = made;
  return MN_OK;
}
