/* tflm_memory.c - what TFLite Micro's interpreter would need for a graph: its greedy planner's head
 * and its persistent tail, as released with CMSIS-NN on a Cortex-M4 (32-bit pointers, short enums).
 *
 * Head: buffers by falling size, of equal ones the last first, each at the lowest gap among those
 * alive at the same time. Tail: allocations one behind the other with their alignment, in the
 * interpreter's order. Both agree to the byte with what was recorded on the emulated board.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/tflm_memory.h"

#include <stdlib.h>

enum { ALIGNMENT = 16, BUFFERS_PER_OP = 3 };

typedef struct buffer {
  int64_t bytes, offset;
  int32_t first, last; /* 0: before the first op; op + 1 */
} buffer;

static int64_t align_up(int64_t value, int64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

static const mn_tensor *operand(const mn_graph *graph, const mn_op *op, int32_t index) {
  bool present = index < op->inputs && op->input[index] >= 0;
  return present ? &graph->tensors[op->input[index]] : NULL;
}

/* ---- Scratch -------------------------------------------------------------------------------*/
/* Columns of two pixels as int16; int8 rounds them up to four values. 1x1 needs none in int8 and int4. */
static int64_t conv_scratch(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *x = operand(graph, op, 0), *weights = operand(graph, op, 1);
  const mn_window *window = &op->window;
  int64_t column = (int64_t)window->kernel_h * window->kernel_w * x->shape.dim[3];
  bool dilated = window->dilation_h > 1 || window->dilation_w > 1;
  if (x->dtype == MN_DTYPE_INT16) return column < 512 && !dilated ? 4 * column : 0;
  if (window->kernel_h == 1 && window->kernel_w == 1 && !dilated) return 0;
  return 4 * (weights->dtype == MN_DTYPE_INT4 ? column : align_up(column, 4));
}

static bool pads_more_than_one(const mn_shape *x, const mn_window *w) {
  return mn_window_pad_before(x->dim[1], w->kernel_h, w->stride_h, w->dilation_h, w->padding) > 1 ||
         mn_window_pad_before(x->dim[2], w->kernel_w, w->stride_w, w->dilation_w, w->padding) > 1;
}

/* The fast kernels copy a window as int16; int8 3x3 has a kernel of its own that does not. */
static int64_t depthwise_scratch(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *x = operand(graph, op, 0), *weights = operand(graph, op, 1);
  const mn_window *window = &op->window;
  bool fast = x->dtype == MN_DTYPE_INT8 && x->shape.dim[0] == 1 &&
              x->shape.dim[3] == weights->shape.dim[3] && window->dilation_h == 1 &&
              window->dilation_w == 1;
  bool is_3x3 =
      window->kernel_h == 3 && window->kernel_w == 3 && !pads_more_than_one(&x->shape, window);
  if (!fast || (is_3x3 && weights->dtype == MN_DTYPE_INT8)) return 0;
  return 2 * (int64_t)window->kernel_h * window->kernel_w * x->shape.dim[3];
}

/* Bytes of the scratch buffers that an op asks for; 0: no request. */
static void scratch_cmsis(int64_t bytes[BUFFERS_PER_OP], const mn_graph *graph, const mn_op *op) {
  const mn_tensor *y = &graph->tensors[op->output];
  switch (op->kind) {
    case MN_OP_CONV_2D: bytes[0] = conv_scratch(graph, op); break;
    case MN_OP_DEPTHWISE_CONV_2D: bytes[0] = depthwise_scratch(graph, op); break;
    case MN_OP_AVERAGE_POOL_2D: bytes[0] = 4 * (int64_t)y->shape.dim[3]; break;
    case MN_OP_MEAN: /* an index, the axes, the sums */
      bytes[0] = 4 * (int64_t)operand(graph, op, 0)->shape.rank;
      bytes[1] = 4 * mn_shape_elements(&operand(graph, op, 1)->shape);
      bytes[2] = 4 * mn_shape_elements(&y->shape);
      break;
    case MN_OP_SVDF:
      bytes[0] = 4 * (int64_t)operand(graph, op, 1)->shape.dim[0] * y->shape.dim[0];
      bytes[1] = 4 * mn_shape_elements(&y->shape);
      break;
    default: break;
  }
}

/* The reference kernels unpack int4 weights as a whole. */
static void scratch_reference(int64_t bytes[BUFFERS_PER_OP], const mn_graph *graph,
                              const mn_op *op) {
  const mn_tensor *weights = operand(graph, op, 1);
  if (op->kind == MN_OP_MEAN || op->kind == MN_OP_SVDF) {
    scratch_cmsis(bytes, graph, op);
  } else if (weights != NULL && weights->dtype == MN_DTYPE_INT4) {
    bytes[0] = mn_shape_elements(&weights->shape);
  }
}

typedef void scratch_rule(int64_t bytes[BUFFERS_PER_OP], const mn_graph *graph, const mn_op *op);

/* ---- Head ----------------------------------------------------------------------------------*/
/* Lifetimes of tensors; first stays -1 where a tensor has no place in the head. */
static void mark_lifetimes(buffer *of_tensor, const mn_graph *graph) {
  for (int32_t t = 0; t < graph->tensor_count; t++) of_tensor[t].first = -1;
  for (int32_t i = 0; i < graph->input_count; i++) of_tensor[graph->inputs[i]].first = 0;
  for (int32_t o = 0; o < graph->op_count; o++) {
    const mn_op *op = &graph->ops[o];
    of_tensor[op->output].first = of_tensor[op->output].last = o + 1;
    for (int32_t i = 0; i < op->inputs; i++) {
      if (op->input[i] >= 0) of_tensor[op->input[i]].last = o + 1;
    }
  }
  for (int32_t i = 0; i < graph->output_count; i++)
    of_tensor[graph->outputs[i]].last = graph->op_count;
}

/* In the interpreter's order: tensors as numbered, then scratch as requested. */
static int32_t collect_buffers(buffer *buffers, const mn_graph *graph, scratch_rule *rule) {
  int32_t count = 0;
  mark_lifetimes(buffers, graph);
  for (int32_t t = 0; t < graph->tensor_count; t++) {
    buffer made = buffers[t];
    if (made.first < 0) continue;
    made.bytes = align_up((int64_t)mn_tensor_bytes(&graph->tensors[t]), ALIGNMENT);
    buffers[count++] = made;
  }
  for (int32_t o = 0; o < graph->op_count; o++) {
    int64_t bytes[BUFFERS_PER_OP] = {0};
    rule(bytes, graph, &graph->ops[o]);
    for (int32_t i = 0; i < BUFFERS_PER_OP; i++) {
      if (bytes[i] > 0) buffers[count++] = (buffer){align_up(bytes[i], ALIGNMENT), 0, o + 1, o + 1};
    }
  }
  return count;
}

static int falling_size(const void *a, const void *b) {
  const buffer *x = *(const buffer *const *)a, *y = *(const buffer *const *)b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x < y ? 1 : -1;
}

/* Places `wanted` among the buffers before it, which are sorted by offset; keeps them so. */
static void place(buffer **sorted, int32_t count, buffer *wanted) {
  int64_t offset = 0;
  for (int32_t i = 0; i < count; i++) {
    const buffer *other = sorted[i];
    if (other->first > wanted->last || wanted->first > other->last) continue;
    if (other->offset - offset >= wanted->bytes) break;
    if (other->offset + other->bytes > offset) offset = other->offset + other->bytes;
  }
  wanted->offset = offset;
  int32_t at = count;
  while (at > 0 && sorted[at - 1]->offset > offset) {
    sorted[at] = sorted[at - 1];
    at--;
  }
  sorted[at] = wanted;
}

static mn_status plan_head(int64_t *head, mn_arena *arena, const mn_graph *graph,
                           scratch_rule *rule, mn_error *error) {
  size_t most = (size_t)graph->tensor_count + BUFFERS_PER_OP * (size_t)graph->op_count;
  buffer *buffers = mn_arena_array(arena, most, sizeof *buffers);
  buffer **order = mn_arena_array(arena, most, sizeof *order),
         **sorted = mn_arena_array(arena, most, sizeof *sorted);
  if (buffers == NULL || order == NULL || sorted == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while planning TFLM's arena");
  int32_t count = collect_buffers(buffers, graph, rule);
  for (int32_t i = 0; i < count; i++) order[i] = &buffers[i];
  qsort(order, (size_t)count, sizeof *order, falling_size);
  *head = 0;
  for (int32_t i = 0; i < count; i++) {
    place(sorted, i, order[i]);
    int64_t end = order[i]->offset + order[i]->bytes;
    if (end > *head) *head = end;
  }
  return MN_OK;
}

mn_status mn_tflm_head(int64_t *head, mn_arena *arena, const mn_graph *graph,
                       mn_tflm_kernels kernels, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(arena);
  scratch_rule *rule = kernels == MN_TFLM_REFERENCE ? scratch_reference : scratch_cmsis;
  mn_status status = plan_head(head, arena, graph, rule, error);
  mn_arena_release(arena, mark);
  return status;
}

/* ---- Tail ----------------------------------------------------------------------------------
 * Sizes of the interpreter's structs on that core: per tensor, per op, and what stands once. */
enum {
  BASE = 132,
  TENSOR = 12,
  NODE = 32,
  END_TENSOR = 32,
  END_QUANTIZATION = 12,
  END_ZERO_POINT = 8,
  SOFTMAX_TABLE = 1026
};

/* Options as parsed, their alignment, and the op's own data (0: none). */
typedef struct op_sizes {
  int32_t options, options_alignment, data;
} op_sizes;
static const op_sizes sizes[MN_OP_COUNT] = {
    [MN_OP_CONV_2D] = {28, 4, 60},
    [MN_OP_DEPTHWISE_CONV_2D] = {28, 4, 60},
    [MN_OP_FULLY_CONNECTED] = {5, 1, 72},
    [MN_OP_AVERAGE_POOL_2D] = {40, 4, 36},
    [MN_OP_MAX_POOL_2D] = {40, 4, 36},
    [MN_OP_MEAN] = {1, 1, 44},
    [MN_OP_ADD] = {2, 1, 60},
    [MN_OP_PAD] = {0, 1, 56},
    [MN_OP_RESHAPE] = {36, 4, 0},
    [MN_OP_SOFTMAX] = {4, 4, 64},
    [MN_OP_QUANTIZE] = {0, 1, 32},
    [MN_OP_SVDF] = {8, 4, 40},
};

/* One allocation: the arena's tail grows downwards, so the size is added before aligning. */
static void take(int64_t *tail, int64_t bytes, int64_t alignment) {
  if (bytes > 0) *tail = align_up(*tail + bytes, alignment);
}

/* Multiplier and shift per output channel; layers with one scale in fully connected have none. */
static void take_channels(int64_t *tail, const mn_graph *graph, const mn_op *op) {
  bool conv = op->kind == MN_OP_CONV_2D || op->kind == MN_OP_DEPTHWISE_CONV_2D;
  bool dense = op->kind == MN_OP_FULLY_CONNECTED && operand(graph, op, 1)->quantization.count > 1;
  const mn_shape *y = &graph->tensors[op->output].shape;
  for (int32_t i = 0; i < 2 && (conv || dense); i++)
    take(tail, 4 * (int64_t)y->dim[y->rank - 1], ALIGNMENT);
}

static void take_op_data(int64_t *tail, const mn_graph *graph) {
  int64_t handles = 0;
  for (int32_t o = 0; o < graph->op_count; o++)
    take(tail, sizes[graph->ops[o].kind].options, sizes[graph->ops[o].kind].options_alignment);
  for (int32_t o = 0; o < graph->op_count; o++)
    take(tail, sizes[graph->ops[o].kind].data, ALIGNMENT);
  for (int32_t o = 0; o < graph->op_count; o++) {
    const mn_op *op = &graph->ops[o];
    int64_t scratch[BUFFERS_PER_OP] = {0};
    take_channels(tail, graph, op);
    bool tables = op->kind == MN_OP_SOFTMAX && operand(graph, op, 0)->dtype == MN_DTYPE_INT16;
    for (int32_t i = 0; i < 2 && tables; i++) take(tail, SOFTMAX_TABLE, ALIGNMENT);
    scratch_cmsis(scratch, graph, op);
    for (int32_t i = 0; i < BUFFERS_PER_OP; i++) handles += scratch[i] > 0;
  }
  take(tail, 4 * handles, 4);
}

/* Tensors that the file holds: those that anything uses. */
static int64_t count_used(bool *used, const mn_graph *graph) {
  for (int32_t i = 0; i < graph->input_count; i++) used[graph->inputs[i]] = true;
  for (int32_t o = 0; o < graph->op_count; o++) {
    const mn_op *op = &graph->ops[o];
    used[op->output] = true;
    for (int32_t i = 0; i < op->inputs; i++) {
      if (op->input[i] >= 0) used[op->input[i]] = true;
    }
  }
  int64_t count = 0;
  for (int32_t t = 0; t < graph->tensor_count; t++) count += used[t];
  return count;
}

/* Inputs and outputs have full tensors, for the caller to look at. */
static void take_ends(int64_t *tail, int32_t count) {
  take(tail, 4 * (int64_t)count, ALIGNMENT);
  for (int32_t i = 0; i < count; i++) take(tail, END_TENSOR + END_QUANTIZATION + END_ZERO_POINT, 4);
}

static mn_status sum_tail(int64_t *tail, mn_arena *arena, const mn_graph *graph, mn_error *error) {
  bool *used = mn_arena_array(arena, (size_t)graph->tensor_count, sizeof *used);
  if (used == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while planning TFLM's arena");
  *tail = BASE;
  take(tail, TENSOR * count_used(used, graph), 4);
  take(tail, NODE * (int64_t)graph->op_count, 4);
  take_op_data(tail, graph);
  for (int32_t t = 0; t < graph->tensor_count; t++) {
    if (used[t] && graph->tensors[t].variable)
      take(tail, (int64_t)mn_tensor_bytes(&graph->tensors[t]), ALIGNMENT);
  }
  take_ends(tail, graph->input_count);
  take_ends(tail, graph->output_count);
  return MN_OK;
}

mn_status mn_tflm_memory_of(mn_tflm_memory *memory, mn_arena *arena, const mn_graph *graph,
                            mn_error *error) {
  mn_tflm_memory made = {0};
  mn_arena_mark mark = mn_arena_mark_get(arena);
  MN_TRY(mn_tflm_head(&made.head, arena, graph, MN_TFLM_CMSIS_M4, error));
  mn_status status = sum_tail(&made.tail, arena, graph, error);
  mn_arena_release(arena, mark);
  if (status != MN_OK) return status;
  made.arena = made.head + made.tail;
  *memory = made;
  return MN_OK;
}
