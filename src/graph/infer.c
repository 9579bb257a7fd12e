/* infer.c - output shapes, one function per op kind. Rules are TFLite's; what TFLite would read out
 * of bounds is refused here, with both shapes named.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/infer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Elements of any tensor fit an int32, so that no later size needs an overflow check. */
#define MAX_ELEMENTS INT32_MAX

typedef struct infer_case {
  mn_shape *y;
  mn_op *op;
  const mn_tensor *const *input;
  mn_error *error;
} infer_case;

mn_shape_text mn_shape_print(const mn_shape *shape) {
  mn_shape_text out = {"["};
  size_t used = 1;
  for (int32_t d = 0; d < shape->rank && used < sizeof out.text - 14; d++) {
    used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%d", d > 0 ? ", " : "",
                             shape->dim[d]);
  }
  snprintf(out.text + used, sizeof out.text - used, "]");
  return out;
}

/* ---- Windows -------------------------------------------------------------------------------*/
static int64_t window_reach(int32_t kernel, int32_t dilation) {
  return (int64_t)(kernel - 1) * dilation + 1;
}

int32_t mn_window_output(int32_t input, int32_t kernel, int32_t stride, int32_t dilation,
                         mn_padding padding) {
  assert(input > 0 && kernel > 0 && stride > 0 && dilation > 0);
  if (padding == MN_PADDING_SAME) return (int32_t)(((int64_t)input + stride - 1) / stride);
  int64_t room = input - window_reach(kernel, dilation);
  return room < 0 ? 0 : (int32_t)(room / stride + 1);
}

int32_t mn_window_pad_before(int32_t input, int32_t kernel, int32_t stride, int32_t dilation,
                             mn_padding padding) {
  int64_t output = mn_window_output(input, kernel, stride, dilation, padding);
  int64_t total = (output - 1) * stride + window_reach(kernel, dilation) - input;
  return total > 0 ? (int32_t)(total / 2) : 0;
}

static mn_status refuse(const infer_case *c, const char *what) {
  mn_shape none = {0};
  mn_shape_text x = mn_shape_print(c->input[0] != NULL ? &c->input[0]->shape : &none);
  mn_shape_text w = mn_shape_print(c->input[1] != NULL ? &c->input[1]->shape : &none);
  return mn_error_set(c->error, MN_ERR_FORMAT, "op %s (%s): %s; input %s%s%s", c->op->name,
                      mn_op_info_get(c->op->kind)->text, what, x.text,
                      c->input[1] != NULL ? ", second operand " : "",
                      c->input[1] != NULL ? w.text : "");
}

static void default_one(int32_t *value) {
  if (*value == 0) *value = 1;
}

/* Spatial part of the output; y->dim[0] and [3] are the caller's. */
static mn_status infer_window(const infer_case *c) {
  mn_window *window = &c->op->window;
  const mn_shape *x = &c->input[0]->shape;
  default_one(&window->stride_h);
  default_one(&window->stride_w);
  default_one(&window->dilation_h);
  default_one(&window->dilation_w);
  if (window->kernel_h < 1 || window->kernel_w < 1) return refuse(c, "the kernel has no size");
  if (window->stride_h < 1 || window->stride_w < 1 || window->dilation_h < 1 ||
      window->dilation_w < 1) {
    return refuse(c, "stride and dilation must be positive");
  }
  c->y->dim[1] = mn_window_output(x->dim[1], window->kernel_h, window->stride_h, window->dilation_h,
                                  window->padding);
  c->y->dim[2] = mn_window_output(x->dim[2], window->kernel_w, window->stride_w, window->dilation_w,
                                  window->padding);
  if (c->y->dim[1] < 1 || c->y->dim[2] < 1) return refuse(c, "the window is larger than the input");
  return MN_OK;
}

static mn_status take_kernel(const infer_case *c, int32_t kernel_h, int32_t kernel_w) {
  mn_window *window = &c->op->window;
  if (window->kernel_h == 0) window->kernel_h = kernel_h;
  if (window->kernel_w == 0) window->kernel_w = kernel_w;
  if (window->kernel_h != kernel_h || window->kernel_w != kernel_w) {
    return refuse(c, "the window differs from the weights");
  }
  return MN_OK;
}

static mn_status check_bias(const infer_case *c, int32_t index, int32_t channels) {
  const mn_tensor *bias = c->op->inputs > index ? c->input[index] : NULL;
  if (bias == NULL || mn_shape_elements(&bias->shape) == channels) return MN_OK;
  return refuse(c, "the bias needs one value per output channel");
}

static mn_status infer_conv(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape, *w = &c->input[1]->shape;
  if (x->rank != 4 || w->rank != 4) return refuse(c, "input and weights must have four axes");
  if (x->dim[3] != w->dim[3]) return refuse(c, "the weights take another number of channels");
  MN_TRY(take_kernel(c, w->dim[1], w->dim[2]));
  *c->y = (mn_shape){4, {x->dim[0], 0, 0, w->dim[0]}};
  MN_TRY(infer_window(c));
  return check_bias(c, 2, w->dim[0]);
}

static mn_status infer_depthwise(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape, *w = &c->input[1]->shape;
  if (x->rank != 4 || w->rank != 4) return refuse(c, "input and weights must have four axes");
  if (w->dim[0] != 1 || w->dim[3] % x->dim[3] != 0) {
    return refuse(c, "depthwise weights must be [1, KH, KW, multiplier x channels]");
  }
  int32_t multiplier = w->dim[3] / x->dim[3];
  if (c->op->window.multiplier == 0) c->op->window.multiplier = multiplier;
  if (c->op->window.multiplier != multiplier) {
    return refuse(c, "the depth multiplier differs from the weights");
  }
  MN_TRY(take_kernel(c, w->dim[1], w->dim[2]));
  *c->y = (mn_shape){4, {x->dim[0], 0, 0, w->dim[3]}};
  MN_TRY(infer_window(c));
  return check_bias(c, 2, w->dim[3]);
}

static mn_status infer_fully_connected(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape, *w = &c->input[1]->shape;
  if (w->rank != 2 || x->rank < 1) return refuse(c, "weights must have two axes");
  int64_t elements = mn_shape_elements(x);
  if (elements % w->dim[1] != 0) return refuse(c, "the weights take another number of values");
  if (c->op->keep_dims) {
    if (x->dim[x->rank - 1] != w->dim[1]) return refuse(c, "the last axis must fit the weights");
    *c->y = *x;
    c->y->dim[x->rank - 1] = w->dim[0];
  } else {
    *c->y = (mn_shape){2, {(int32_t)(elements / w->dim[1]), w->dim[0]}};
  }
  return check_bias(c, 2, w->dim[0]);
}

static mn_status infer_pool(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape;
  if (x->rank != 4) return refuse(c, "the input must have four axes");
  *c->y = *x;
  return infer_window(c);
}

/* ---- Structural operands: their values are part of the shape, so they are known on bare graphs
 * too. ---------------------------------------------------------------------------------------*/
static bool structural(const mn_tensor *tensor) {
  return tensor->dtype == MN_DTYPE_INT32 && tensor->constant && tensor->data != NULL &&
         tensor->data_bytes >= mn_tensor_bytes(tensor);
}

static int32_t structural_value(const mn_tensor *tensor, int64_t index) {
  int32_t value;
  memcpy(&value, (const uint8_t *)tensor->data + (size_t)index * sizeof value, sizeof value);
  return value;
}

static mn_status infer_mean(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape;
  const mn_tensor *axes = c->input[1];
  if (!structural(axes)) return refuse(c, "the axes must be int32 constants");
  bool reduced[MN_MAX_RANK] = {false};
  for (int64_t i = 0; i < mn_shape_elements(&axes->shape); i++) {
    int64_t axis = structural_value(axes, i);
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis >= x->rank) return refuse(c, "an axis lies outside the input");
    reduced[axis] = true;
  }
  *c->y = (mn_shape){0};
  for (int32_t d = 0; d < x->rank; d++) {
    if (!reduced[d]) {
      c->y->dim[c->y->rank++] = x->dim[d];
    } else if (c->op->keep_dims) {
      c->y->dim[c->y->rank++] = 1;
    }
  }
  return MN_OK;
}

/* No model we run broadcasts an addition; equal shapes keep the kernels simple. */
static mn_status infer_add(const infer_case *c) {
  if (!mn_shape_equal(&c->input[0]->shape, &c->input[1]->shape)) {
    return refuse(c, "both terms of a sum must have the same shape");
  }
  *c->y = c->input[0]->shape;
  return MN_OK;
}

static mn_status infer_pad(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape;
  const mn_tensor *paddings = c->input[1];
  if (!structural(paddings) || mn_shape_elements(&paddings->shape) != 2 * (int64_t)x->rank) {
    return refuse(c, "paddings must be int32 constants, two for each axis");
  }
  *c->y = *x;
  for (int32_t d = 0; d < x->rank; d++) {
    int32_t before = structural_value(paddings, 2 * d),
            after = structural_value(paddings, 2 * d + 1);
    int64_t size = (int64_t)x->dim[d] + before + after;
    if (before < 0 || after < 0 || size > MAX_ELEMENTS)
      return refuse(c, "a padding is out of range");
    c->y->dim[d] = (int32_t)size;
  }
  return MN_OK;
}

static mn_status reshape_from(const infer_case *c, const mn_tensor *wanted) {
  int64_t rank = mn_shape_elements(&wanted->shape), known = 1;
  if (!structural(wanted) || rank > MN_MAX_RANK)
    return refuse(c, "the shape must be int32 constants");
  int32_t open = -1;
  c->y->rank = (int32_t)rank;
  for (int32_t d = 0; d < rank; d++) {
    c->y->dim[d] = structural_value(wanted, d);
    if (c->y->dim[d] == -1 && open < 0) {
      open = d;
    } else if (c->y->dim[d] < 1 || known > MAX_ELEMENTS / c->y->dim[d]) {
      return refuse(c, "the shape holds an impossible size");
    } else {
      known *= c->y->dim[d];
    }
  }
  if (open >= 0) c->y->dim[open] = (int32_t)(mn_shape_elements(&c->input[0]->shape) / known);
  return MN_OK;
}

static mn_status infer_reshape(const infer_case *c) {
  bool given = c->op->inputs > 1 && c->input[1] != NULL;
  if (given) MN_TRY(reshape_from(c, c->input[1]));
  if (!given && c->y->rank < 0) return refuse(c, "the new shape is missing");
  if (mn_shape_elements(c->y) == mn_shape_elements(&c->input[0]->shape)) return MN_OK;
  mn_shape_text to = mn_shape_print(c->y), from = mn_shape_print(&c->input[0]->shape);
  return mn_error_set(c->error, MN_ERR_FORMAT,
                      "op %s (RESHAPE): %s holds %lld values, %s holds %lld", c->op->name,
                      from.text, (long long)mn_shape_elements(&c->input[0]->shape), to.text,
                      (long long)mn_shape_elements(c->y));
}

static mn_status infer_same(const infer_case *c) {
  *c->y = c->input[0]->shape;
  return MN_OK;
}

/* inputs: x [B, I], feature weights [F, I], time weights [F, M], bias [U] or absent, state. */
static mn_status infer_svdf(const infer_case *c) {
  const mn_shape *x = &c->input[0]->shape, *feature = &c->input[1]->shape;
  const mn_shape *time = &c->input[2]->shape;
  const mn_tensor *state = c->input[4];
  int32_t rank = c->op->rank;
  if (x->rank != 2 || feature->rank != 2 || time->rank != 2 || feature->dim[1] != x->dim[1] ||
      time->dim[0] != feature->dim[0] || rank < 1 || feature->dim[0] % rank != 0) {
    return refuse(c, "needs input [B, I], weights [F, I] and [F, M], F a multiple of the rank");
  }
  if (state == NULL || !state->variable ||
      mn_shape_elements(&state->shape) != (int64_t)x->dim[0] * time->dim[0] * time->dim[1]) {
    return refuse(c, "needs a variable state of batch x filters x memory values");
  }
  *c->y = (mn_shape){2, {x->dim[0], feature->dim[0] / rank}};
  return check_bias(c, 3, c->y->dim[1]);
}

/* On and off branches agree but for the channel axis, where the wider one counts. */
static mn_status infer_mix(const infer_case *c) {
  const mn_shape *a = &c->input[0]->shape, *b = &c->input[1]->shape;
  *c->y = *a;
  int32_t last = a->rank - 1;
  if (last >= 0 && a->rank == b->rank && b->dim[last] > a->dim[last])
    c->y->dim[last] = b->dim[last];
  mn_shape widened = *b;
  if (last >= 0) widened.dim[last] = c->y->dim[last];
  if (!mn_shape_equal(&widened, c->y)) return refuse(c, "branches may differ in channels only");
  return MN_OK;
}

/* ---- The table -----------------------------------------------------------------------------*/
typedef struct infer_row {
  mn_status (*infer)(const infer_case *c);
  int32_t required, most; /* inputs that must be there; inputs that may be */
} infer_row;

static const infer_row rows[MN_OP_COUNT] = {
    [MN_OP_CONV_2D] = {infer_conv, 2, 3},
    [MN_OP_DEPTHWISE_CONV_2D] = {infer_depthwise, 2, 3},
    [MN_OP_FULLY_CONNECTED] = {infer_fully_connected, 2, 3},
    [MN_OP_AVERAGE_POOL_2D] = {infer_pool, 1, 1},
    [MN_OP_MAX_POOL_2D] = {infer_pool, 1, 1},
    [MN_OP_MEAN] = {infer_mean, 2, 2},
    [MN_OP_ADD] = {infer_add, 2, 2},
    [MN_OP_PAD] = {infer_pad, 2, 2},
    [MN_OP_RESHAPE] = {infer_reshape, 1, 2},
    [MN_OP_SOFTMAX] = {infer_same, 1, 1},
    [MN_OP_QUANTIZE] = {infer_same, 1, 1},
    [MN_OP_SVDF] = {infer_svdf, 3, 5},
    [MN_OP_MIX] = {infer_mix, 2, 2},
};

static mn_status check_inputs(const infer_case *c, const infer_row *row) {
  const mn_op *op = c->op;
  bool complete = op->inputs >= row->required && op->inputs <= row->most;
  for (int32_t i = 0; complete && i < row->required; i++) complete = c->input[i] != NULL;
  if (complete) return MN_OK;
  return mn_error_set(c->error, MN_ERR_FORMAT, "op %s (%s): has %d inputs; %d to %d are needed",
                      op->name, mn_op_info_get(op->kind)->text, op->inputs, row->required,
                      row->most);
}

mn_status mn_infer_shape(mn_shape *output, mn_op *op, const mn_tensor *const *input,
                         mn_error *error) {
  mn_shape shape = *output;
  infer_case c = {&shape, op, input, error};
  const infer_row *row = &rows[op->kind];
  MN_TRY(check_inputs(&c, row));
  MN_TRY(row->infer(&c));
  int64_t elements = 1;
  for (int32_t d = 0; d < shape.rank; d++) {
    if (shape.dim[d] < 1) return refuse(&c, "the output would be empty");
    if (elements > MAX_ELEMENTS / shape.dim[d]) return refuse(&c, "the output would be too large");
    elements *= shape.dim[d];
  }
  *output = shape;
  return MN_OK;
}
