/* tflm_code.c - code and read-only data of TFLite Micro with CMSIS-NN on a Cortex-M4: interpreter and
 * the int8 registrations that a graph needs (-Os core, -O2 kernels, gcc 12.2), without the model.
 *
 * The terms are solved from the recorded sizes of whole programs, which they give back to the byte
 * for all int8 models recorded. Pairs that always came together are split by judgement: DEPTHWISE
 * with RESHAPE, PAD with ADD, SVDF with QUANTIZE. MAX_POOL and MEAN were not recorded: taken as their
 * nearest relatives.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/tflm_memory.h"

enum { INTERPRETER = 18452 };

static const int32_t code_bytes[MN_OP_COUNT] = {
    [MN_OP_CONV_2D] = 6660,
    [MN_OP_DEPTHWISE_CONV_2D] = 8080,
    [MN_OP_FULLY_CONNECTED] = 9648,
    [MN_OP_ADD] = 5884,
    [MN_OP_AVERAGE_POOL_2D] = 2536,
    [MN_OP_MAX_POOL_2D] = 2536,
    [MN_OP_MEAN] = 5884,
    [MN_OP_PAD] = 772,
    [MN_OP_RESHAPE] = 1500,
    [MN_OP_SOFTMAX] = 6456,
    [MN_OP_QUANTIZE] = 2000,
    [MN_OP_SVDF] = 4744,
};

int64_t mn_tflm_code_bytes(const mn_graph *graph) {
  bool counted[MN_OP_COUNT] = {false};
  int64_t bytes = INTERPRETER;
  for (int32_t o = 0; o < graph->op_count; o++) {
    mn_op_kind kind = graph->ops[o].kind;
    if (!counted[kind]) bytes += code_bytes[kind];
    counted[kind] = true;
  }
  return bytes;
}
