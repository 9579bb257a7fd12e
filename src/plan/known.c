/* known.c - see known.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/known.h"

#include <string.h>

#include "kernels/weight_s4.h"
#include "plan/kernel_table.h"
#include "plan/slice.h"

typedef struct finder {
  mn_known *known;
  mn_arena *arena;
  const mn_graph *graph;
  const mn_op *op; /* at hand */
  mn_error *error;
} finder;

static mn_status no_memory(finder *f) {
  return mn_error_set(f->error, MN_ERR_MEMORY, "out of memory while looking for constant values");
}

int32_t mn_channels_of(const mn_tensor *tensor) {
  return tensor->shape.rank > 0 ? tensor->shape.dim[tensor->shape.rank - 1] : 1;
}

int32_t mn_weight_at(const mn_tensor *weights, int64_t element) {
  if (weights->dtype == MN_DTYPE_INT4) return mn_weight_s4(weights->data, (int32_t)element);
  return ((const int8_t *)weights->data)[element];
}

int32_t mn_known_value(const mn_known *known, mn_tensor_id id, int64_t element) {
  int16_t wide;
  if (known->graph->tensors[id].dtype != MN_DTYPE_INT16) return (int8_t)known->data[id][element];
  memcpy(&wide, known->data[id] + 2 * element, sizeof wide);
  return wide;
}

bool mn_known_channel(const mn_known *known, mn_tensor_id id, int32_t channel) {
  const mn_tensor *tensor = &known->graph->tensors[id];
  int64_t elements = mn_shape_elements(&tensor->shape);
  for (int64_t e = channel; e < elements; e += mn_channels_of(tensor))
    if (!known->known[id][e]) return false;
  return true;
}

bool mn_known_constant(int32_t *value, const mn_known *known, mn_tensor_id id, int32_t channel) {
  const mn_tensor *tensor = &known->graph->tensors[id];
  int64_t elements = mn_shape_elements(&tensor->shape);
  if (!mn_known_channel(known, id, channel)) return false;
  *value = mn_known_value(known, id, channel);
  for (int64_t e = channel; e < elements; e += mn_channels_of(tensor))
    if (mn_known_value(known, id, e) != *value) return false;
  return true;
}

/* ---- Values --------------------------------------------------------------------------------*/
static mn_status hold(finder *f, mn_tensor_id id, bool is_known) {
  const mn_tensor *tensor = &f->graph->tensors[id];
  size_t elements = (size_t)mn_shape_elements(&tensor->shape), bytes = mn_tensor_bytes(tensor);
  if (f->known->data[id] != NULL) return MN_OK;
  f->known->data[id] = mn_arena_alloc(f->arena, bytes);
  f->known->known[id] = mn_arena_array(f->arena, elements, sizeof(bool));
  if (f->known->data[id] == NULL || f->known->known[id] == NULL) return no_memory(f);
  if (is_known && tensor->data != NULL) memcpy(f->known->data[id], tensor->data, bytes);
  memset(f->known->known[id], is_known, elements);
  return MN_OK;
}

/* Runs the op's reference kernel on what its inputs hold. */
static mn_status run(finder *f) {
  const char *reason = NULL;
  mn_kernel_arguments a;
  const mn_kernel_row *row = mn_kernel_find(f->graph, f->op, "ref", &reason);
  if (row == NULL)
    return mn_error_set(f->error, MN_ERR_UNSUPPORTED, "op %.80s (%s) cannot run: %s", f->op->name,
                        mn_op_info_get(f->op->kind)->text, reason);
  MN_TRY(row->arguments(&a, f->arena, f->graph, f->op, f->error));
  const mn_shape *y = &f->graph->tensors[f->op->output].shape;
  mn_kernel_io io = {.y = f->known->data[f->op->output], .rows = y->rank == 4 ? y->dim[1] : 1};
  for (int32_t i = 0; i < MN_KERNEL_INPUTS; i++)
    if (a.x[i] >= 0) {
      MN_TRY(hold(f, a.x[i], f->graph->tensors[a.x[i]].constant));
      io.x[i] = f->known->data[a.x[i]];
    }
  for (int32_t i = 0; i < a.constants; i++)
    if (a.constant[i].bytes > 0) io.constant[i] = a.constant[i].data;
  if (a.scratch_bytes > 0) io.scratch = mn_arena_alloc(f->arena, (size_t)a.scratch_bytes);
  if (a.scratch_bytes > 0 && io.scratch == NULL) return no_memory(f);
  row->body(a.params, &io);
  return MN_OK;
}

/* ---- What is known -------------------------------------------------------------------------*/
static bool *known_of(const finder *f, mn_tensor_id id) {
  return f->known->known[id];
}

static void set_channel(finder *f, int32_t channel, bool is_known) {
  const mn_tensor *y = &f->graph->tensors[f->op->output];
  int64_t elements = mn_shape_elements(&y->shape);
  for (int64_t e = channel; e < elements; e += mn_channels_of(y))
    known_of(f, f->op->output)[e] = is_known;
}

/* Output channel o reads input channels through weights [O, taps, C]. */
static bool conv_channel(const finder *f, const bool *x_known, int32_t o) {
  const mn_tensor *weights = &f->graph->tensors[f->op->input[1]];
  int32_t depth = weights->shape.dim[3];
  int64_t taps = (int64_t)weights->shape.dim[1] * weights->shape.dim[2];
  for (int64_t i = 0; i < taps * depth; i++)
    if (!x_known[i % depth] && mn_weight_at(weights, o * taps * depth + i) != 0) return false;
  return true;
}

static bool depthwise_channel(const finder *f, const bool *x_known, int32_t o) {
  const mn_tensor *weights = &f->graph->tensors[f->op->input[1]];
  int32_t outputs = weights->shape.dim[3], multiplier = f->op->window.multiplier;
  int64_t elements = mn_shape_elements(&weights->shape);
  if (x_known[o / (multiplier > 0 ? multiplier : 1)]) return true;
  for (int64_t e = o; e < elements; e += outputs)
    if (mn_weight_at(weights, e) != 0) return false;
  return true;
}

static mn_status judge_window(finder *f) {
  const mn_tensor *x = &f->graph->tensors[f->op->input[0]];
  const mn_tensor *y = &f->graph->tensors[f->op->output];
  bool *x_known = mn_arena_array(f->arena, (size_t)mn_channels_of(x), sizeof *x_known);
  if (x_known == NULL) return no_memory(f);
  for (int32_t c = 0; c < mn_channels_of(x); c++)
    x_known[c] = mn_known_channel(f->known, f->op->input[0], c);
  for (int32_t o = 0; o < mn_channels_of(y); o++) {
    bool is_known = f->op->kind == MN_OP_CONV_2D             ? conv_channel(f, x_known, o)
                    : f->op->kind == MN_OP_DEPTHWISE_CONV_2D ? depthwise_channel(f, x_known, o)
                                                             : x_known[o];
    set_channel(f, o, is_known);
  }
  return MN_OK;
}

static void judge_fully_connected(finder *f) {
  const mn_tensor *weights = &f->graph->tensors[f->op->input[1]];
  const bool *x = known_of(f, f->op->input[0]);
  int32_t outputs = weights->shape.dim[0], inputs = weights->shape.dim[1];
  int64_t batch = mn_shape_elements(&f->graph->tensors[f->op->input[0]].shape) / inputs;
  for (int64_t n = 0; n < batch; n++)
    for (int32_t o = 0; o < outputs; o++) {
      bool is_known = true;
      for (int32_t i = 0; i < inputs && is_known; i++)
        is_known = x[n * inputs + i] || mn_weight_at(weights, (int64_t)o * inputs + i) == 0;
      known_of(f, f->op->output)[n * outputs + o] = is_known;
    }
}

/* Element by element, of all inputs. */
static void judge_elements(finder *f) {
  int64_t elements = mn_shape_elements(&f->graph->tensors[f->op->output].shape);
  int32_t inputs = f->op->kind == MN_OP_ADD ? 2 : 1;
  for (int64_t e = 0; e < elements; e++) {
    bool is_known = true;
    for (int32_t i = 0; i < inputs; i++) is_known = is_known && known_of(f, f->op->input[i])[e];
    known_of(f, f->op->output)[e] = is_known;
  }
}

/* Anything else: all or nothing; what has state is never known. */
static void judge_whole(finder *f) {
  const mn_tensor *x = &f->graph->tensors[f->op->input[0]];
  const mn_tensor *y = &f->graph->tensors[f->op->output];
  bool is_known = f->op->kind != MN_OP_SVDF;
  for (int64_t e = 0; is_known && e < mn_shape_elements(&x->shape); e++)
    is_known = known_of(f, f->op->input[0])[e];
  memset(known_of(f, f->op->output), is_known, (size_t)mn_shape_elements(&y->shape));
}

/* Whether channels stay apart: the last axis is the same before and behind. */
static bool channelwise(const finder *f) {
  const mn_tensor *x = &f->graph->tensors[f->op->input[0]];
  const mn_tensor *y = &f->graph->tensors[f->op->output];
  return x->shape.rank == 4 && mn_channels_of(x) == mn_channels_of(y);
}

static mn_status judge(finder *f) {
  switch (f->op->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_AVERAGE_POOL_2D:
    case MN_OP_MAX_POOL_2D: return judge_window(f);
    case MN_OP_FULLY_CONNECTED: judge_fully_connected(f); return MN_OK;
    case MN_OP_ADD:
    case MN_OP_QUANTIZE:
    case MN_OP_RESHAPE: judge_elements(f); return MN_OK;
    case MN_OP_MEAN:
      if (channelwise(f) && !mn_averages_channels(f->graph, f->op)) return judge_window(f);
      judge_whole(f);
      return MN_OK;
    case MN_OP_PAD:
      if (channelwise(f)) return judge_window(f);
      judge_whole(f);
      return MN_OK;
    default: judge_whole(f); return MN_OK;
  }
}

mn_status mn_known_find(mn_known *known, mn_arena *arena, const mn_graph *graph, mn_error *error) {
  size_t tensors = (size_t)graph->tensor_count;
  finder f = {.known = known, .arena = arena, .graph = graph, .error = error};
  *known = (mn_known){.graph = graph,
                      .data = mn_arena_array(arena, tensors, sizeof *known->data),
                      .known = mn_arena_array(arena, tensors, sizeof *known->known)};
  if (known->data == NULL || known->known == NULL) return no_memory(&f);
  for (int32_t i = 0; i < graph->input_count; i++) MN_TRY(hold(&f, graph->inputs[i], false));
  for (int32_t o = 0; o < graph->op_count; o++) {
    f.op = &graph->ops[o];
    MN_TRY(hold(&f, f.op->output, false));
    MN_TRY(run(&f));
    MN_TRY(judge(&f));
  }
  return MN_OK;
}
