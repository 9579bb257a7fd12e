/* pass_ops.c - the passes that take away whole ops: PAD folded into the next layer, ops that change
 * nothing, ops that nothing reads.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph/quantization.h"
#include "plan/draft.h"
#include "plan/kernel_table.h"

static const mn_tensor *tensor_of(const mn_draft *draft, mn_tensor_id id) {
  return &draft->tensors[id];
}

static bool same_quantization(const mn_tensor *a, const mn_tensor *b) {
  const mn_quantization *p = &a->quantization, *q = &b->quantization;
  return a->dtype == b->dtype && p->count == 1 && q->count == 1 &&
         memcmp(p->scale, q->scale, sizeof *p->scale) == 0 && p->zero_point[0] == q->zero_point[0];
}

/* ---- PAD -----------------------------------------------------------------------------------*/
static void paddings_of(int32_t *before, int32_t *after, const mn_draft *draft, const mn_op *pad,
                        int32_t axis) {
  const uint8_t *data = tensor_of(draft, pad->input[1])->data;
  memcpy(before, data + (size_t)axis * 2 * sizeof *before, sizeof *before);
  memcpy(after, data + (size_t)axis * 2 * sizeof *before + sizeof *before, sizeof *after);
}

/* One axis of a VALID window behind a PAD, as SAME would see it before the PAD. */
static bool same_axis(const mn_draft *draft, const mn_op *pad, const mn_op *layer, int32_t axis) {
  const mn_window *w = &layer->window;
  int32_t before, after, input = tensor_of(draft, pad->input[0])->shape.dim[axis];
  int32_t output = tensor_of(draft, layer->output)->shape.dim[axis];
  int32_t kernel = axis == 1 ? w->kernel_h : w->kernel_w;
  int32_t stride = axis == 1 ? w->stride_h : w->stride_w;
  int32_t dilation = axis == 1 ? w->dilation_h : w->dilation_w;
  paddings_of(&before, &after, draft, pad, axis);
  return mn_window_output(input, kernel, stride, dilation, MN_PADDING_SAME) == output &&
         mn_window_pad_before(input, kernel, stride, dilation, MN_PADDING_SAME) == before;
}

/* The layer that reads a PAD would do the same alone. Pools would not: they leave the border out. */
static bool does_padding(const mn_draft *draft, const mn_op *pad, const mn_op *layer) {
  const mn_tensor *x = tensor_of(draft, pad->input[0]);
  bool window = layer->kind == MN_OP_CONV_2D || layer->kind == MN_OP_DEPTHWISE_CONV_2D;
  if (!window || layer->window.padding != MN_PADDING_VALID || x->shape.rank != 4) return false;
  if (!same_quantization(x, tensor_of(draft, pad->output))) return false;
  for (int32_t axis = 0; axis < 4; axis += 3) {
    int32_t before, after;
    paddings_of(&before, &after, draft, pad, axis);
    if (before != 0 || after != 0) return false;
  }
  return same_axis(draft, pad, layer, 1) && same_axis(draft, pad, layer, 2);
}

static bool all_readers_pad(const mn_draft *draft, const mn_op *pad) {
  int32_t readers = 0;
  for (int32_t o = 0; o < draft->graph.op_count; o++) {
    const mn_op *op = &draft->ops[o];
    if (op->input[0] != pad->output) continue;
    if (!does_padding(draft, pad, op)) return false;
    readers++;
  }
  return readers > 0 && readers == mn_draft_readers(draft, pad->output);
}

mn_status mn_pass_pads(mn_draft *draft, int64_t *removed) {
  for (int32_t o = 0; o < draft->graph.op_count; o++) {
    const mn_op pad = draft->ops[o];
    if (pad.kind != MN_OP_PAD || !all_readers_pad(draft, &pad)) continue;
    for (int32_t r = 0; r < draft->graph.op_count; r++)
      if (draft->ops[r].input[0] == pad.output) draft->ops[r].window.padding = MN_PADDING_SAME;
    mn_draft_replace(draft, pad.output, pad.input[0]);
    mn_draft_drop(draft, o--);
    ++*removed;
  }
  return MN_OK;
}

/* ---- Ops that change nothing -----------------------------------------------------------------*/
static bool pads_nothing(const mn_draft *draft, const mn_op *op) {
  return mn_shape_equal(&tensor_of(draft, op->input[0])->shape,
                        &tensor_of(draft, op->output)->shape);
}

/* One value per window, and an activation that cuts off nothing. */
static bool pools_nothing(const mn_draft *draft, const mn_op *op) {
  const mn_tensor *y = tensor_of(draft, op->output);
  mn_limits limits, all = mn_dtype_limits(y->dtype);
  const mn_window *w = &op->window;
  if (w->kernel_h != 1 || w->kernel_w != 1 || w->stride_h != 1 || w->stride_w != 1) return false;
  return mn_activation_limits(&limits, op->activation, y->dtype, y->quantization.scale[0],
                              y->quantization.zero_point[0]) &&
         limits.min <= all.min && limits.max >= all.max;
}

static bool changes_nothing(const mn_draft *draft, const mn_op *op) {
  const mn_tensor *x = tensor_of(draft, op->input[0]), *y = tensor_of(draft, op->output);
  if (!same_quantization(x, y) || !mn_shape_equal(&x->shape, &y->shape)) return false;
  switch (op->kind) {
    case MN_OP_RESHAPE:
    case MN_OP_QUANTIZE: return true;
    case MN_OP_PAD: return pads_nothing(draft, op);
    case MN_OP_AVERAGE_POOL_2D:
    case MN_OP_MAX_POOL_2D: return pools_nothing(draft, op);
    default: return false;
  }
}

/* Where only one of the two tensors is an end of the graph, that one stays. */
static bool drop_op(mn_draft *draft, int32_t index) {
  const mn_op op = draft->ops[index];
  int32_t producer = mn_draft_producer(draft, op.input[0]);
  if (tensor_of(draft, op.input[0])->constant) return false;
  if (!mn_draft_is_end(draft, op.output)) {
    mn_draft_replace(draft, op.output, op.input[0]);
  } else {
    if (producer < 0 || mn_draft_is_end(draft, op.input[0])) return false;
    mn_draft_replace(draft, op.input[0], op.output);
    draft->ops[producer].output = op.output;
  }
  mn_draft_drop(draft, index);
  return true;
}

/* RESHAPE of a RESHAPE: only the last shape counts. */
static bool skip_reshape(mn_draft *draft, mn_op *op) {
  int32_t producer = mn_draft_producer(draft, op->input[0]);
  if (op->kind != MN_OP_RESHAPE || producer < 0) return false;
  const mn_op *first = &draft->ops[producer];
  if (first->kind != MN_OP_RESHAPE || mn_draft_is_end(draft, first->output) ||
      mn_draft_readers(draft, first->output) != 1)
    return false;
  op->input[0] = first->input[0];
  mn_draft_drop(draft, producer);
  return true;
}

/* ---- Pairs of QUANTIZE -----------------------------------------------------------------------*/
enum { VALUES = 256 }; /* of an 8-bit type */

/* Runs one QUANTIZE, as the draft has it, on `count` values of its input's type. */
static mn_status rescale(mn_draft *draft, void *y, const void *x, const mn_op *op, int32_t count) {
  const char *reason = NULL;
  mn_kernel_arguments a;
  const mn_kernel_row *row = mn_kernel_find(&draft->graph, op, "ref", &reason);
  if (row == NULL)
    return mn_error_set(draft->error, MN_ERR_UNSUPPORTED, "op %.80s cannot run: %s", op->name,
                        reason);
  MN_TRY(row->arguments(&a, draft->arena, &draft->graph, op, draft->error));
  int32_t width = mn_dtype_bits(tensor_of(draft, op->input[0])->dtype) / 8;
  int32_t out = mn_dtype_bits(tensor_of(draft, op->output)->dtype) / 8;
  memcpy(a.params, &(int32_t){1}, sizeof(int32_t)); /* row_elements, the first field */
  for (int32_t i = 0; i < count; i++)
    row->body(a.params,
              &(mn_kernel_io){
                  .x = {(const uint8_t *)x + i * width}, .y = (uint8_t *)y + i * out, .rows = 1});
  return MN_OK;
}

/* Whether `second` after `first` gives back every value of an 8-bit tensor. */
static mn_status gives_back(bool *identity, mn_draft *draft, const mn_op *first,
                            const mn_op *second) {
  uint8_t x[VALUES], y[VALUES];
  int32_t between[VALUES];
  for (int32_t i = 0; i < VALUES; i++) x[i] = (uint8_t)i;
  MN_TRY(rescale(draft, between, x, first, VALUES));
  MN_TRY(rescale(draft, y, between, second, VALUES));
  *identity = memcmp(x, y, sizeof x) == 0;
  return MN_OK;
}

static mn_status skip_pair(bool *skipped, mn_draft *draft, int32_t index) {
  const mn_op *second = &draft->ops[index];
  int32_t producer = mn_draft_producer(draft, second->input[0]);
  *skipped = false;
  if (second->kind != MN_OP_QUANTIZE || producer < 0) return MN_OK;
  const mn_op *first = &draft->ops[producer];
  if (first->kind != MN_OP_QUANTIZE) return MN_OK;
  const mn_tensor *x = tensor_of(draft, first->input[0]), *y = tensor_of(draft, second->output);
  if (!same_quantization(x, y) || mn_dtype_bits(x->dtype) != 8) return MN_OK;
  bool identity;
  MN_TRY(gives_back(&identity, draft, first, second));
  if (!identity || mn_draft_is_end(draft, second->output)) return MN_OK;
  mn_draft_replace(draft, second->output, first->input[0]);
  mn_draft_drop(draft, index);
  *skipped = true;
  return MN_OK;
}

mn_status mn_pass_no_ops(mn_draft *draft, int64_t *removed) {
  for (int32_t o = 0; o < draft->graph.op_count; o++) {
    bool gone = changes_nothing(draft, &draft->ops[o]) && drop_op(draft, o);
    if (!gone) gone = skip_reshape(draft, &draft->ops[o]);
    if (!gone) MN_TRY(skip_pair(&gone, draft, o));
    if (!gone) continue;
    o = -1; /* what stood before may have become empty too */
    ++*removed;
  }
  return MN_OK;
}

/* ---- Ops that nothing reads ------------------------------------------------------------------*/
mn_status mn_pass_dead_ops(mn_draft *draft, int64_t *removed) {
  for (int32_t o = draft->graph.op_count - 1; o >= 0; o--) {
    if (mn_draft_readers(draft, draft->ops[o].output) > 0) continue;
    mn_draft_drop(draft, o);
    ++*removed;
  }
  return MN_OK;
}

/* ---- Constants -----------------------------------------------------------------------------*/
static bool equal_constants(const mn_tensor *a, const mn_tensor *b) {
  const mn_quantization *p = &a->quantization, *q = &b->quantization;
  size_t count = (size_t)p->count;
  return a->dtype == b->dtype && mn_shape_equal(&a->shape, &b->shape) && p->count == q->count &&
         (count == 0 ||
          (p->axis == q->axis && memcmp(p->scale, q->scale, count * sizeof *p->scale) == 0 &&
           memcmp(p->zero_point, q->zero_point, count * sizeof *p->zero_point) == 0)) &&
         a->data_bytes == b->data_bytes && memcmp(a->data, b->data, a->data_bytes) == 0;
}

static bool is_read(const mn_draft *draft, mn_tensor_id id) {
  const mn_tensor *tensor = tensor_of(draft, id);
  return tensor->constant && tensor->data != NULL && mn_draft_readers(draft, id) > 0;
}

mn_status mn_pass_duplicate_constants(mn_draft *draft, int64_t *removed) {
  for (int32_t a = 0; a < draft->graph.tensor_count; a++) {
    if (!is_read(draft, a)) continue;
    for (int32_t b = a + 1; b < draft->graph.tensor_count; b++) {
      if (!is_read(draft, b) || !equal_constants(tensor_of(draft, a), tensor_of(draft, b)))
        continue;
      mn_draft_replace(draft, b, a);
      ++*removed;
    }
  }
  return MN_OK;
}
