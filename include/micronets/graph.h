/* graph.h - the one network type that travels the whole way: bare (shapes and types, nothing
 * learnt) from net, frozen (constants, scales) from .tflite or mn_graph_freeze.
 *
 * A graph is immutable once built and lives in the arena it was built in. Ops are in execution
 * order; tensor and op ids are indices. Layouts: activations NHWC; conv weights OHWI; depthwise
 * weights [1, KH, KW, O]; fully connected weights [O, I]. 1 MAC = 2 ops.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_GRAPH_H
#define MICRONETS_GRAPH_H

#include "micronets/base.h"

/* ---- The one op list ---------------------------------------------------------------------
 * name, text, .tflite builtin code, the highest version we write or read,
 * output scale rule: FREE (learnt), SAME (equals input 0), FIXED (given by the op), NONE.
 * MIX exists only in a supernet (inputs on, off; MIX(d, on, off)); it has no .tflite code. */
#define MN_OP_LIST(X)                                      \
  X(CONV_2D, "CONV_2D", 3, 8, FREE)                        \
  X(DEPTHWISE_CONV_2D, "DEPTHWISE_CONV_2D", 4, 7, FREE)    \
  X(FULLY_CONNECTED, "FULLY_CONNECTED", 9, 12, FREE)       \
  X(AVERAGE_POOL_2D, "AVERAGE_POOL_2D", 1, 3, SAME)        \
  X(MAX_POOL_2D, "MAX_POOL_2D", 17, 3, SAME)               \
  X(MEAN, "MEAN", 40, 3, FREE)                             \
  X(ADD, "ADD", 0, 4, FREE)                                \
  X(PAD, "PAD", 34, 4, SAME)                               \
  X(RESHAPE, "RESHAPE", 22, 1, SAME)                       \
  X(SOFTMAX, "SOFTMAX", 25, 3, FIXED)                      \
  X(QUANTIZE, "QUANTIZE", 114, 3, FREE)                    \
  X(SVDF, "SVDF", 27, 4, FREE)                             \
  X(MIX, "MIX", -1, 0, FREE)

typedef enum mn_op_kind {
#define X(name, text, code, version, rule) MN_OP_##name,
  MN_OP_LIST(X)
#undef X
  MN_OP_COUNT
} mn_op_kind;

typedef enum mn_scale_rule { MN_SCALE_FREE, MN_SCALE_SAME, MN_SCALE_FIXED } mn_scale_rule;

typedef struct mn_op_info {
  const char *text;
  int32_t tflite_code, tflite_version;
  mn_scale_rule scale_rule;
} mn_op_info;
const mn_op_info *mn_op_info_get(mn_op_kind kind);

/* ---- Tensors -----------------------------------------------------------------------------
 * name, text, .tflite TensorType, bits */
#define MN_DTYPE_LIST(X)      \
  X(FLOAT32, "float32", 0, 32) \
  X(INT32, "int32", 2, 32)     \
  X(INT64, "int64", 4, 64)     \
  X(INT16, "int16", 7, 16)     \
  X(INT8, "int8", 9, 8)        \
  X(UINT8, "uint8", 3, 8)      \
  X(INT4, "int4", 17, 4)

typedef enum mn_dtype {
#define X(name, text, code, bits) MN_DTYPE_##name,
  MN_DTYPE_LIST(X)
#undef X
  MN_DTYPE_COUNT
} mn_dtype;
const char *mn_dtype_text(mn_dtype dtype);
int32_t mn_dtype_bits(mn_dtype dtype);
int32_t mn_dtype_tflite(mn_dtype dtype); /* TensorType code */

#define MN_MAX_RANK 6
typedef struct mn_shape {
  int32_t rank;
  int32_t dim[MN_MAX_RANK]; /* every dim > 0 */
} mn_shape;
int64_t mn_shape_elements(const mn_shape *shape);
bool mn_shape_equal(const mn_shape *a, const mn_shape *b);

/* count 0: none; 1: per tensor; n: per channel along `axis`. real = scale * (q - zero_point). */
typedef struct mn_quantization {
  int32_t count, axis;
  const float *scale;
  const int32_t *zero_point;
} mn_quantization;

typedef int32_t mn_tensor_id; /* -1: absent */

typedef struct mn_tensor {
  const char *name;
  mn_dtype dtype;
  mn_shape shape;
  mn_quantization quantization; /* count 0 on a bare graph */
  bool constant;                /* weights, bias, paddings; data is NULL on a bare graph */
  bool variable;                /* state kept between inferences */
  const void *data;             /* constants of a frozen graph; int4 packed, low nibble first */
  size_t data_bytes;
} mn_tensor;
size_t mn_tensor_bytes(const mn_tensor *tensor); /* int4: (elements + 1) / 2 */

/* ---- Ops ---------------------------------------------------------------------------------*/
typedef enum mn_activation { MN_ACTIVATION_NONE, MN_ACTIVATION_RELU, MN_ACTIVATION_RELU6 } mn_activation;
typedef enum mn_padding { MN_PADDING_SAME, MN_PADDING_VALID } mn_padding;

/* One struct for conv, depthwise and pools: dilation and multiplier default to 1 by the builder. */
typedef struct mn_window {
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t multiplier; /* depthwise: output channels per input channel */
  mn_padding padding;
} mn_window;

#define MN_OP_MAX_INPUTS 5
typedef struct mn_op {
  mn_op_kind kind;
  const char *name;  /* "ds4.conv": identity for inheritance, reports and tensor names */
  int32_t origin;    /* op index of the file it was read from; kept through passes; -1 none */
  int32_t line;      /* line of the .net file; 0 none */
  int32_t inputs;    /* conv, depthwise, fc: x, weights, bias (-1 absent) */
  mn_tensor_id input[MN_OP_MAX_INPUTS];
  mn_tensor_id output;
  mn_activation activation;
  mn_window window;   /* conv, depthwise, pools */
  bool batch_norm;    /* bare graphs: folded away by freeze */
  bool keep_dims;     /* mean, fully connected */
  float beta;         /* softmax */
  int32_t rank;       /* svdf */
  int32_t decision;   /* MIX: which optional decision; else -1 */
} mn_op;

typedef struct mn_graph {
  const mn_tensor *tensors;
  const mn_op *ops;
  const mn_tensor_id *inputs, *outputs;
  int32_t tensor_count, op_count, input_count, output_count;
  bool frozen;
} mn_graph;
/* Whether the first output comes from a SOFTMAX, reshapes behind it aside. */
bool mn_graph_is_probability(const mn_graph *graph);
/* The tensor that the last op with weights reads, which anomaly scores are taken from; -1: there is no such
 * op, or it reads the graph's input. */
mn_tensor_id mn_graph_embedding(const mn_graph *graph);
/* *graph as one with `tensor` as its second output, so that it outlives a run. */
mn_status mn_graph_show(const mn_graph **graph, mn_arena *arena, mn_tensor_id tensor,
                        mn_error *error) MN_MUST_CHECK;

/* ---- Building ----------------------------------------------------------------------------
 * The builder owns shape inference: nobody else computes an output shape. */
typedef struct mn_builder mn_builder;
mn_status mn_builder_create(mn_builder **builder, mn_arena *arena) MN_MUST_CHECK; /* lives in arena */
/* Adds a tensor as described (name and scales are copied; data is borrowed for the arena's life). */
mn_status mn_builder_tensor(mn_builder *builder, mn_tensor_id *id, const mn_tensor *tensor,
                            mn_error *error) MN_MUST_CHECK;
const mn_tensor *mn_builder_tensor_get(const mn_builder *builder, mn_tensor_id id); /* until the next add */
/* Operands that are part of a shape (paddings of PAD, axes of MEAN, shape of RESHAPE) are input 1,
 * int32 constants with data on bare graphs too.
 * Adds an op whose output is a new tensor: shape inferred, dtype that of input 0 (or `output_dtype`
 * where it is not MN_DTYPE_COUNT). Weights and bias tensors must be there already.
 * Errors: MN_ERR_FORMAT naming op and shapes where they do not fit. */
mn_status mn_builder_add(mn_builder *builder, mn_tensor_id *output, const mn_op *op,
                         mn_dtype output_dtype, mn_error *error) MN_MUST_CHECK;
/* Adds an op whose output tensor is there already (readers); checks it against inference. */
mn_status mn_builder_add_checked(mn_builder *builder, const mn_op *op, mn_error *error) MN_MUST_CHECK;
mn_status mn_builder_finish(const mn_graph **graph, mn_builder *builder, const mn_tensor_id *inputs,
                            int32_t input_count, const mn_tensor_id *outputs, int32_t output_count,
                            mn_error *error) MN_MUST_CHECK;

/* Output size and left/top padding along one axis, as TFLite computes them (SAME, VALID). */
int32_t mn_window_output(int32_t input, int32_t kernel, int32_t stride, int32_t dilation, mn_padding padding);
int32_t mn_window_pad_before(int32_t input, int32_t kernel, int32_t stride, int32_t dilation, mn_padding padding);

/* ---- Counting (1 MAC = 2 ops, as the paper counts): biases, pools, adds count no MACs --------*/
int64_t mn_op_macs(const mn_graph *graph, int32_t op);
int64_t mn_op_weights(const mn_graph *graph, int32_t op); /* elements of the weights tensor, 0 if none */
int64_t mn_op_biases(const mn_graph *graph, int32_t op);
typedef struct mn_counts {
  int64_t macs, ops, weights, biases, params;
} mn_counts;
mn_counts mn_graph_counts(const mn_graph *graph);

/* ---- Freezing ----------------------------------------------------------------------------
 * Turns a bare graph and what was learnt into a frozen one; op and tensor ids stay. */
typedef struct mn_parameters {
  const float *weights; /* as the tensor's layout, batch norm already folded in; NULL for ops without */
  const float *bias;    /* [O], batch norm folded in */
  const float *weight_scale; /* [O], positive */
} mn_parameters;
typedef struct mn_range {
  float scale;
  int32_t zero_point;
} mn_range; /* of an activation tensor */
/* parameters[op_count], ranges[tensor_count] (used where the op list says FREE and for graph inputs;
 * SAME and FIXED follow). Rounding is that of quantization.h. The result lives in arena. */
mn_status mn_graph_freeze(const mn_graph **frozen, mn_arena *arena, const mn_graph *bare,
                          const mn_parameters *parameters, const mn_range *ranges,
                          mn_error *error) MN_MUST_CHECK;

#endif
