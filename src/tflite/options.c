/* options.c - see options.h. Slots, widths and defaults: TensorFlow Lite schema, version 3.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/options.h"

#include <string.h>

#define PADDING(slot) \
  { slot, 1, MN_OPTION_PADDING, 0 }
#define ACTIVATION(slot) \
  { slot, 1, MN_OPTION_ACTIVATION, 0 }
#define STRIDES(slot)                  \
  {slot, 4, MN_OPTION_STRIDE_W, 0}, {  \
    slot + 1, 4, MN_OPTION_STRIDE_H, 0 \
  }
#define DILATIONS(slot)                  \
  {slot, 4, MN_OPTION_DILATION_W, 1}, {  \
    slot + 1, 4, MN_OPTION_DILATION_H, 1 \
  }
#define LAYER \
  { MN_ROLE_ACTIVATION, MN_ROLE_WEIGHTS, MN_ROLE_BIAS }

static const mn_op_format formats[MN_OP_COUNT] = {
    [MN_OP_CONV_2D] = {1, 2, 3, LAYER, {PADDING(0), STRIDES(1), ACTIVATION(3), DILATIONS(4)}},
    [MN_OP_DEPTHWISE_CONV_2D] =
        {2,
         2,
         3,
         LAYER,
         {PADDING(0), STRIDES(1), {3, 4, MN_OPTION_MULTIPLIER, 0}, ACTIVATION(4), DILATIONS(5)}},
    [MN_OP_FULLY_CONNECTED] = {8,
                               2,
                               3,
                               LAYER,
                               {ACTIVATION(0),
                                {1, 1, MN_OPTION_FORMAT, 0},
                                {2, 1, MN_OPTION_KEEP_DIMS, 0}}},
    [MN_OP_AVERAGE_POOL_2D] = {5,
                               1,
                               1,
                               {MN_ROLE_ACTIVATION},
                               {PADDING(0),
                                STRIDES(1),
                                {3, 4, MN_OPTION_KERNEL_W, 0},
                                {4, 4, MN_OPTION_KERNEL_H, 0},
                                ACTIVATION(5)}},
    [MN_OP_MAX_POOL_2D] = {5,
                           1,
                           1,
                           {MN_ROLE_ACTIVATION},
                           {PADDING(0),
                            STRIDES(1),
                            {3, 4, MN_OPTION_KERNEL_W, 0},
                            {4, 4, MN_OPTION_KERNEL_H, 0},
                            ACTIVATION(5)}},
    [MN_OP_MEAN] =
        {27, 2, 2, {MN_ROLE_ACTIVATION, MN_ROLE_NUMBERS}, {{0, 1, MN_OPTION_KEEP_DIMS, 0}}},
    [MN_OP_ADD] = {11, 2, 2, {MN_ROLE_ACTIVATION, MN_ROLE_ACTIVATION}, {ACTIVATION(0)}},
    [MN_OP_PAD] = {0, 2, 2, {MN_ROLE_ACTIVATION, MN_ROLE_NUMBERS}, {{0}}},
    [MN_OP_RESHAPE] = {0, 1, 2, {MN_ROLE_ACTIVATION, MN_ROLE_NUMBERS}, {{0}}},
    [MN_OP_SOFTMAX] = {9, 1, 1, {MN_ROLE_ACTIVATION}, {{0, 4, MN_OPTION_BETA, 0}}},
    [MN_OP_QUANTIZE] = {0, 1, 1, {MN_ROLE_ACTIVATION}, {{0}}},
    [MN_OP_SVDF] = {6,
                    5,
                    5,
                    {MN_ROLE_ACTIVATION, MN_ROLE_WEIGHTS, MN_ROLE_TIME, MN_ROLE_BIAS,
                     MN_ROLE_STATE},
                    {{0, 4, MN_OPTION_RANK, 0}, ACTIVATION(1)}},
};

const mn_op_format *mn_op_format_of(mn_op_kind kind) {
  return &formats[kind];
}

const char *mn_role_text(mn_role role) {
  static const char *const text[] = {
      [MN_ROLE_NONE] = "none",   [MN_ROLE_ACTIVATION] = "input", [MN_ROLE_WEIGHTS] = "weights",
      [MN_ROLE_TIME] = "time",   [MN_ROLE_BIAS] = "bias",        [MN_ROLE_NUMBERS] = "numbers",
      [MN_ROLE_STATE] = "state",
  };
  return text[role];
}

/* The file's codes of fused activations; the others (RELU_N1_TO_1, TANH, SIGN_BIT) are not ours. */
static const uint32_t activation_code[] = {
    [MN_ACTIVATION_NONE] = 0, [MN_ACTIVATION_RELU] = 1, [MN_ACTIVATION_RELU6] = 3};

static int32_t *number_member(mn_op *op, mn_option option) {
  switch (option) {
    case MN_OPTION_STRIDE_W: return &op->window.stride_w;
    case MN_OPTION_STRIDE_H: return &op->window.stride_h;
    case MN_OPTION_DILATION_W: return &op->window.dilation_w;
    case MN_OPTION_DILATION_H: return &op->window.dilation_h;
    case MN_OPTION_MULTIPLIER: return &op->window.multiplier;
    case MN_OPTION_KERNEL_W: return &op->window.kernel_w;
    case MN_OPTION_KERNEL_H: return &op->window.kernel_h;
    case MN_OPTION_RANK: return &op->rank;
    default: return NULL;
  }
}

uint32_t mn_option_get(const mn_op *op, mn_option option) {
  mn_op copy = *op;
  const int32_t *number = number_member(&copy, option);
  if (number != NULL) return (uint32_t)*number;
  uint32_t bits = 0;
  switch (option) {
    case MN_OPTION_PADDING: return op->window.padding == MN_PADDING_VALID ? 1 : 0;
    case MN_OPTION_ACTIVATION: return activation_code[op->activation];
    case MN_OPTION_KEEP_DIMS: return op->keep_dims ? 1 : 0;
    case MN_OPTION_BETA: memcpy(&bits, &op->beta, sizeof bits); return bits;
    default: return 0;
  }
}

bool mn_option_set(mn_op *op, mn_option option, uint32_t value) {
  int32_t *number = number_member(op, option);
  if (number != NULL) {
    *number = (int32_t)value;
    return *number > 0 && *number <= MN_OPTION_MAX;
  }
  switch (option) {
    case MN_OPTION_PADDING:
      op->window.padding = value == 1 ? MN_PADDING_VALID : MN_PADDING_SAME;
      return value <= 1;
    case MN_OPTION_ACTIVATION:
      for (size_t i = 0; i < MN_COUNT(activation_code); i++) {
        if (activation_code[i] != value) continue;
        op->activation = (mn_activation)i;
        return true;
      }
      return false;
    case MN_OPTION_KEEP_DIMS: op->keep_dims = value != 0; return value <= 1;
    case MN_OPTION_BETA:
      memcpy(&op->beta, &value, sizeof value);
      return op->beta > 0 && op->beta <= 1e6f;
    default: return value == 0;
  }
}

/* Versions by type, as TensorFlow Lite's own converter stamps them:
 * int8 with int8 weights, int8 with int4 weights, int16. */
typedef struct op_versions {
  int32_t int8, int4, int16;
} op_versions;
static const op_versions versions[MN_OP_COUNT] = {
    [MN_OP_CONV_2D] = {3, 7, 4},
    [MN_OP_DEPTHWISE_CONV_2D] = {3, 7, 5},
    [MN_OP_FULLY_CONNECTED] = {4, 10, 7},
    [MN_OP_AVERAGE_POOL_2D] = {2, 2, 3},
    [MN_OP_MAX_POOL_2D] = {2, 2, 3},
    [MN_OP_MEAN] = {2, 2, 3},
    [MN_OP_ADD] = {2, 2, 3},
    [MN_OP_PAD] = {2, 2, 3},
    [MN_OP_RESHAPE] = {1, 1, 1},
    [MN_OP_SOFTMAX] = {2, 2, 3},
    [MN_OP_QUANTIZE] = {1, 1, 2},
    [MN_OP_SVDF] = {3, 3, 3},
};

int32_t mn_op_file_version(const mn_op *op, const mn_tensor *tensors) {
  const op_versions *version = &versions[op->kind];
  mn_dtype x = tensors[op->input[0]].dtype, y = tensors[op->output].dtype;
  if (x == MN_DTYPE_INT16 || y == MN_DTYPE_INT16) return version->int16;
  bool weights = mn_op_format_of(op->kind)->role[1] == MN_ROLE_WEIGHTS;
  if (weights && tensors[op->input[1]].dtype == MN_DTYPE_INT4) return version->int4;
  if (op->kind == MN_OP_FULLY_CONNECTED) {
    if (op->inputs < 3 || op->input[2] < 0) return 6;
    if (op->keep_dims) return 5;
  }
  return version->int8;
}
