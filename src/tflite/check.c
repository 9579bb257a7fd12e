/* check.c - see check.h. The quantization rules are those of TFLite's 8-bit specification and of its
 * int16x8 and int4 variants as TFLM runs them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/check.h"

#include <math.h>
#include <stdlib.h>

typedef struct checker {
  mn_flat *flat;
  size_t at;
  const mn_op *op;
  const mn_tensor *tensors;
} checker;

static const mn_tensor *input(const checker *c, int32_t index) {
  bool present = index < c->op->inputs && c->op->input[index] >= 0;
  return present ? &c->tensors[c->op->input[index]] : NULL;
}

static mn_status wrong(const checker *c, const mn_tensor *tensor, const char *found,
                       const char *expected) {
  return mn_flat_fail(c->flat, MN_ERR_FORMAT, c->at, "tensor \"%.60s\" %s; expected %s",
                      tensor->name, found, expected);
}

static mn_status wrong_type(const checker *c, const mn_tensor *tensor, const char *expected) {
  const char *hint = "";
  if (tensor->dtype == MN_DTYPE_FLOAT32)
    hint = ": quantize the model fully to int8, its input and output too";
  if (tensor->dtype == MN_DTYPE_UINT8)
    hint = ": uint8 is the old scheme, convert the model again with int8";
  return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at, "tensor \"%.60s\" is %s; expected %s%s",
                      tensor->name, mn_dtype_text(tensor->dtype), expected, hint);
}

static mn_status check_activation(const checker *c, const mn_tensor *tensor) {
  if (tensor->constant || tensor->variable)
    return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at,
                        "tensor \"%.60s\" is %s; only computed tensors can stand there",
                        tensor->name, tensor->constant ? "a constant" : "a variable");
  bool other = tensor->dtype == MN_DTYPE_INT32 || tensor->dtype == MN_DTYPE_UINT8;
  bool converted = c->op->kind == MN_OP_QUANTIZE && other;
  if (tensor->dtype != MN_DTYPE_INT8 && tensor->dtype != MN_DTYPE_INT16 && !converted)
    return wrong_type(c, tensor, "int8 or int16");
  if (tensor->quantization.count != 1) {
    return mn_flat_fail(c->flat, MN_ERR_FORMAT, c->at,
                        "tensor \"%.60s\" has %d scales; expected one", tensor->name,
                        (int)tensor->quantization.count);
  }
  /* only SOFTMAX and QUANTIZE know 16-bit tensors that are not symmetric */
  bool free_zero = c->op->kind == MN_OP_SOFTMAX || c->op->kind == MN_OP_QUANTIZE;
  if (tensor->dtype == MN_DTYPE_INT16 && tensor->quantization.zero_point[0] != 0 && !free_zero)
    return wrong(c, tensor, "is int16 with a zero point", "zero point 0");
  return MN_OK;
}

static mn_status check_symmetric(const checker *c, const mn_tensor *tensor) {
  for (int32_t i = 0; i < tensor->quantization.count; i++) {
    if (tensor->quantization.zero_point[i] == 0) continue;
    return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at,
                        "weights \"%.60s\" have zero point %d in channel %d; expected 0",
                        tensor->name, (int)tensor->quantization.zero_point[i], (int)i);
  }
  return MN_OK;
}

/* The axis of output channels. */
static int32_t channel_axis(mn_op_kind kind) {
  return kind == MN_OP_DEPTHWISE_CONV_2D ? 3 : 0;
}

static mn_status check_weights(const checker *c, const mn_tensor *tensor, bool time) {
  if (!tensor->constant)
    return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at, "weights \"%.60s\" are not a constant",
                        tensor->name);
  mn_dtype x = input(c, 0)->dtype;
  bool fits = tensor->dtype == MN_DTYPE_INT8 || (time && tensor->dtype == MN_DTYPE_INT16) ||
              (tensor->dtype == MN_DTYPE_INT4 && x == MN_DTYPE_INT8 && c->op->kind != MN_OP_SVDF);
  if (!fits)
    return wrong_type(c, tensor, time ? "int8 or int16" : "int8, or int4 beside int8 activations");
  const mn_quantization *quantization = &tensor->quantization;
  if (quantization->count == 0) return wrong(c, tensor, "has no scale", "quantized weights");
  if (quantization->count > 1 &&
      (c->op->kind == MN_OP_SVDF || quantization->axis != channel_axis(c->op->kind)))
    return wrong(c, tensor, "has scales along the wrong axis",
                 "one scale, or one per output channel");
  return check_symmetric(c, tensor);
}

static mn_status check_bias(const checker *c, const mn_tensor *tensor) {
  if (!tensor->constant)
    return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at, "bias \"%.60s\" is not a constant",
                        tensor->name);
  bool wide = tensor->dtype == MN_DTYPE_INT64 && input(c, 0)->dtype == MN_DTYPE_INT16;
  if (tensor->dtype != MN_DTYPE_INT32 && !wide)
    return wrong_type(c, tensor, "int32 (int64 beside int16 activations)");
  if (tensor->shape.rank != 1)
    return wrong(c, tensor, "has more than one axis", "one number per output channel");
  return check_symmetric(c, tensor);
}

static mn_status check_numbers(const checker *c, const mn_tensor *tensor) {
  if (!tensor->constant)
    return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at,
                        "tensor \"%.60s\" is computed while running; expected a constant",
                        tensor->name);
  if (tensor->dtype != MN_DTYPE_INT32) return wrong_type(c, tensor, "int32");
  return MN_OK;
}

static mn_status check_state(const checker *c, const mn_tensor *tensor) {
  if (!tensor->variable)
    return wrong(c, tensor, "is not a variable", "state that is kept between inferences");
  if (tensor->dtype != input(c, 2)->dtype)
    return wrong_type(c, tensor, "the type of the weights over time");
  if (tensor->quantization.count != 1) return wrong(c, tensor, "has no scale", "one scale");
  return MN_OK;
}

static mn_status check_role(const checker *c, mn_role role, const mn_tensor *tensor) {
  switch (role) {
    case MN_ROLE_ACTIVATION: return check_activation(c, tensor);
    case MN_ROLE_WEIGHTS: return check_weights(c, tensor, false);
    case MN_ROLE_TIME: return check_weights(c, tensor, true);
    case MN_ROLE_BIAS: return check_bias(c, tensor);
    case MN_ROLE_NUMBERS: return check_numbers(c, tensor);
    case MN_ROLE_STATE: return check_state(c, tensor);
    case MN_ROLE_NONE: break;
  }
  return wrong(c, tensor, "is an input too many", "fewer inputs");
}

static mn_status check_inputs(const checker *c) {
  const mn_op_format *format = mn_op_format_of(c->op->kind);
  if (c->op->inputs < format->inputs_min || c->op->inputs > format->inputs_max)
    return mn_flat_fail(c->flat, MN_ERR_FORMAT, c->at, "%d inputs; expected %d to %d",
                        (int)c->op->inputs, (int)format->inputs_min, (int)format->inputs_max);
  for (int32_t i = 0; i < c->op->inputs; i++) {
    const mn_tensor *tensor = input(c, i);
    if (tensor == NULL && format->role[i] != MN_ROLE_BIAS)
      return mn_flat_fail(c->flat, MN_ERR_FORMAT, c->at, "input %d (%s) is absent", (int)i,
                          mn_role_text(format->role[i]));
    if (tensor != NULL) MN_TRY(check_role(c, format->role[i], tensor));
  }
  return MN_OK;
}

/* x and y of one type; SOFTMAX may widen, QUANTIZE is there to change it. */
static mn_status check_types(const checker *c) {
  const mn_tensor *x = input(c, 0), *y = &c->tensors[c->op->output];
  bool widens =
      c->op->kind == MN_OP_SOFTMAX && x->dtype == MN_DTYPE_INT8 && y->dtype == MN_DTYPE_INT16;
  if (c->op->kind == MN_OP_QUANTIZE || widens) return MN_OK;
  if (y->dtype != x->dtype) return wrong_type(c, y, mn_dtype_text(x->dtype));
  if (c->op->kind == MN_OP_ADD && input(c, 1)->dtype != x->dtype)
    return wrong_type(c, input(c, 1), mn_dtype_text(x->dtype));
  if (c->op->kind == MN_OP_SVDF && x->dtype != MN_DTYPE_INT8) return wrong_type(c, x, "int8");
  return MN_OK;
}

static bool near(float a, float b, float relative) {
  return fabsf(a - b) <= relative * b;
}

/* SOFTMAX has one output quantization per type; ops that only move numbers keep their input's. */
static mn_status check_output_scale(const checker *c) {
  const mn_tensor *x = input(c, 0), *y = &c->tensors[c->op->output];
  float scale = y->quantization.scale[0];
  int32_t zero_point = y->quantization.zero_point[0];
  switch (mn_op_info_get(c->op->kind)->scale_rule) {
    case MN_SCALE_SAME:
      if (near(scale, x->quantization.scale[0], 1e-5f) &&
          zero_point == x->quantization.zero_point[0])
        return MN_OK;
      return wrong(c, y, "has another scale or zero point than the input",
                   "the same: this op does not rescale");
    case MN_SCALE_FIXED:
      if (y->dtype == MN_DTYPE_INT8 && near(scale, 1 / 256.0f, 1e-3f) && zero_point == -128)
        return MN_OK;
      if (x->dtype == MN_DTYPE_INT16 && near(scale, 1 / 32768.0f, 1e-3f) && zero_point == 0)
        return MN_OK;
      if (x->dtype != y->dtype && near(scale, 1 / 65536.0f, 1e-3f) && zero_point == -32768)
        return MN_OK;
      return wrong(c, y, "has another scale or zero point than its op gives",
                   "1/256, -128 (int8), 1/32768, 0 (int16) or 1/65536, -32768 (int8 to int16)");
    default: return MN_OK;
  }
}

/* A constant shape must say what the output tensor says; -1 stands for "the rest". */
static mn_status check_reshape(const checker *c) {
  const mn_tensor *shape = input(c, 1), *y = &c->tensors[c->op->output];
  if (shape == NULL) return MN_OK;
  int64_t count = mn_shape_elements(&shape->shape);
  const int32_t *dim = shape->data;
  bool fits = count == y->shape.rank;
  for (int32_t i = 0; fits && i < y->shape.rank; i++)
    fits = dim[i] == y->shape.dim[i] || dim[i] == -1;
  return fits
             ? MN_OK
             : wrong(c, y, "has another shape than the constant that RESHAPE is given", "the same");
}

/* Paddings are not negative and stay in reach of shape arithmetic; axes name axes of the input. */
static mn_status check_number_values(const checker *c) {
  const mn_tensor *x = input(c, 0), *numbers = input(c, 1);
  const int32_t *value = numbers->data;
  int64_t count = mn_shape_elements(&numbers->shape);
  bool pad = c->op->kind == MN_OP_PAD;
  if (pad && count != 2 * (int64_t)x->shape.rank)
    return wrong(c, numbers, "has the wrong size", "two paddings per axis");
  for (int64_t i = 0; i < count; i++) {
    bool fits = pad ? value[i] >= 0 && value[i] <= MN_OPTION_MAX
                    : value[i] >= -x->shape.rank && value[i] < x->shape.rank;
    if (!fits)
      return mn_flat_fail(c->flat, MN_ERR_FORMAT, c->at,
                          "%s %d of tensor \"%.60s\" is out of range", pad ? "padding" : "axis",
                          (int)value[i], numbers->name);
  }
  return MN_OK;
}

/* Kernel sides come from the weights: the same limits as for what options say. */
static mn_status check_kernel(const checker *c) {
  const mn_window *window = &c->op->window;
  if (window->kernel_h <= MN_OPTION_MAX && window->kernel_w <= MN_OPTION_MAX) return MN_OK;
  return mn_flat_fail(c->flat, MN_ERR_UNSUPPORTED, c->at,
                      "a kernel of %dx%d; at most %d on a side is supported", (int)window->kernel_h,
                      (int)window->kernel_w, MN_OPTION_MAX);
}

mn_status mn_check_op(mn_flat *flat, size_t at, const mn_op *op, const mn_tensor *tensors) {
  const checker c = {flat, at, op, tensors};
  MN_TRY(check_inputs(&c));
  MN_TRY(check_activation(&c, &tensors[op->output]));
  MN_TRY(check_types(&c));
  MN_TRY(check_output_scale(&c));
  switch (op->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D: return check_kernel(&c);
    case MN_OP_RESHAPE: return check_reshape(&c);
    case MN_OP_PAD:
    case MN_OP_MEAN: return check_number_values(&c);
    default: return MN_OK;
  }
}
