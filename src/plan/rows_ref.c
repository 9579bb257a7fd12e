/* rows_ref.c - the reference kernels: the definition of every op, on any machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add.h"
#include "kernels/conv_2d.h"
#include "kernels/copy.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/mean.h"
#include "kernels/move.h"
#include "kernels/pad.h"
#include "kernels/pool_2d.h"
#include "kernels/pool_sum.h"
#include "kernels/rescale.h"
#include "kernels/softmax.h"
#include "kernels/svdf.h"
#include "plan/rows.h"

#define REF(kind, type, function, walker, over, ...) \
  REF_OF(kind, type, function, walker, walker, over, __VA_ARGS__)
/* Rows that share a walker and differ in the types they take. */
#define REF_OF(kind, type, function, refuse, walker, over, ...) \
  MN_ROW(kind, "ref", type, function, mn_refuses_##refuse, mn_walk_##walker, over, __VA_ARGS__)

static const mn_kernel_row rows[] = {
    {.op = MN_OP_COUNT, /* of no op: steps of loops */
     .family = "ref",
     .symbol = "mn_move_ref",
     .sources = (const char *const[]){"kernel.h", "move.h", "move_ref.c", NULL},
     .params = &mn_params_move,
     .body = mn_move_ref},
    {.op = MN_OP_COUNT, /* of AVERAGE_POOL_2D and MEAN inside of loops */
     .family = "ref",
     .symbol = "mn_average_pool_2d_s8_sum",
     .sources = (const char *const[]){"kernel.h", "requantize.h", "pool_2d.h", "pool_sum.h",
                                      "average_pool_2d_sum.c", NULL},
     .params = &mn_params_pool_2d,
     .arguments = mn_walk_average_pool_sum,
     .by_input_rows = true,
     .body = mn_average_pool_2d_s8_sum},
    {.op = MN_OP_COUNT,
     .family = "ref",
     .symbol = "mn_mean_s8_sum",
     .sources = (const char *const[]){"kernel.h", "requantize.h", "mean.h", "pool_sum.h",
                                      "mean_sum_rows.c", NULL},
     .params = &mn_params_mean,
     .arguments = mn_walk_mean_sum,
     .by_input_rows = true,
     .body = mn_mean_s8_sum},
    REF(CONV_2D, conv_2d, mn_conv_2d_s8_ref, conv_2d, NONE, "kernel.h", "requantize.h", "conv_2d.h",
        "conv_2d_ref.c"),
    REF(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s8_ref, depthwise_conv_2d, NONE,
        "kernel.h", "requantize.h", "depthwise_conv_2d.h", "depthwise_conv_2d_ref.c"),
    REF(FULLY_CONNECTED, fully_connected, mn_fully_connected_s8_ref, fully_connected, NONE,
        "kernel.h", "requantize.h", "fully_connected.h", "fully_connected_ref.c"),
    REF(AVERAGE_POOL_2D, pool_2d, mn_average_pool_2d_s8_ref, pool_2d, NONE, "kernel.h",
        "requantize.h", "pool_2d.h", "average_pool_2d_ref.c"),
    REF(MAX_POOL_2D, pool_2d, mn_max_pool_2d_s8_ref, pool_2d, NONE, "kernel.h", "requantize.h",
        "pool_2d.h", "max_pool_2d_ref.c"),
    REF(MEAN, mean, mn_mean_s8_ref, mean, NONE, "kernel.h", "requantize.h", "mean.h", "mean_sum.h",
        "mean_ref.c"),
    REF(ADD, add, mn_add_s8_ref, add, ELEMENT, "kernel.h", "requantize.h", "add.h", "add_ref.c"),
    REF(PAD, pad, mn_pad_s8_ref, pad, NONE, "kernel.h", "pad.h", "pad_ref.c"),
    REF(RESHAPE, copy, mn_copy_ref, reshape, ALIAS, "kernel.h", "copy.h", "copy_ref.c"),
    REF(SOFTMAX, softmax, mn_softmax_s8_ref, softmax, ELEMENT, "kernel.h", "requantize.h",
        "softmax.h", "softmax_ref.c"),
    REF(QUANTIZE, rescale, mn_rescale_s8_ref, quantize, ELEMENT, "kernel.h", "requantize.h",
        "rescale.h", "rescale_ref.c"),

    /* int4 weights */
    REF_OF(CONV_2D, conv_2d, mn_conv_2d_s4_ref, conv_2d_s4, conv_2d, NONE, "kernel.h",
           "requantize.h", "conv_2d.h", "weight_s4.h", "conv_2d_sum.h", "window_s4_body.h",
           "conv_2d_s4_ref.c"),
    REF_OF(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s4_ref, depthwise_conv_2d_s4,
           depthwise_conv_2d, NONE, "kernel.h", "requantize.h", "depthwise_conv_2d.h",
           "weight_s4.h", "depthwise_conv_2d_sum.h", "window_s4_body.h",
           "depthwise_conv_2d_s4_ref.c"),
    REF_OF(FULLY_CONNECTED, fully_connected, mn_fully_connected_s4_ref, fully_connected_s4,
           fully_connected, NONE, "kernel.h", "requantize.h", "fully_connected.h", "weight_s4.h",
           "fully_connected_s4_ref.c"),

    /* int16 activations */
    REF_OF(CONV_2D, conv_2d, mn_conv_2d_s16_ref, conv_2d_s16, conv_2d, NONE, "kernel.h",
           "requantize.h", "conv_2d.h", "conv_2d_sum.h", "window_s16_body.h", "conv_2d_s16_ref.c"),
    REF_OF(CONV_2D, conv_2d, mn_conv_2d_s16_b32_ref, conv_2d_s16_b32, conv_2d, NONE, "kernel.h",
           "requantize.h", "conv_2d.h", "conv_2d_sum.h", "conv_2d_s16_b32_ref.c"),
    REF_OF(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s16_ref,
           depthwise_conv_2d_s16, depthwise_conv_2d, NONE, "kernel.h", "requantize.h",
           "depthwise_conv_2d.h", "depthwise_conv_2d_sum.h", "window_s16_body.h",
           "depthwise_conv_2d_s16_ref.c"),
    REF_OF(FULLY_CONNECTED, fully_connected, mn_fully_connected_s16_ref, fully_connected_s16,
           fully_connected, NONE, "kernel.h", "requantize.h", "fully_connected.h",
           "fully_connected_s16_ref.c"),
    REF_OF(AVERAGE_POOL_2D, pool_2d, mn_average_pool_2d_s16_ref, pool_2d_s16, pool_2d, NONE,
           "kernel.h", "requantize.h", "pool_2d.h", "average_pool_2d_s16_ref.c"),
    REF_OF(MAX_POOL_2D, pool_2d, mn_max_pool_2d_s16_ref, pool_2d_s16, pool_2d, NONE, "kernel.h",
           "requantize.h", "pool_2d.h", "max_pool_2d_s16_ref.c"),
    REF_OF(MEAN, mean, mn_mean_s16_ref, mean_s16, mean, NONE, "kernel.h", "requantize.h", "mean.h",
           "mean_sum.h", "mean_s16_ref.c"),
    REF_OF(ADD, add, mn_add_s16_ref, add_s16, add, ELEMENT, "kernel.h", "requantize.h", "add.h",
           "add_s16_ref.c"),
    REF(SOFTMAX, softmax, mn_softmax_s16_ref, softmax_s16, ELEMENT, "kernel.h", "requantize.h",
        "softmax.h", "softmax_s16_ref.c"),

    /* between types; state */
    REF_OF(SOFTMAX, softmax, mn_softmax_s8_s16_ref, softmax_s8_s16, softmax, NONE, "kernel.h",
           "requantize.h", "softmax.h", "softmax_ref.c"),
    REF(QUANTIZE, rescale_any, mn_rescale_any_ref, rescale_any, NONE, "kernel.h", "requantize.h",
        "rescale.h", "rescale_any_ref.c"),
    REF_OF(SVDF, svdf, mn_svdf_s8_s16_ref, svdf_s16, svdf, NONE, "kernel.h", "requantize.h",
           "svdf.h", "svdf_body.h", "svdf_s8_s16_ref.c"),
    REF_OF(SVDF, svdf, mn_svdf_s8_s8_ref, svdf_s8, svdf, NONE, "kernel.h", "requantize.h", "svdf.h",
           "svdf_body.h", "svdf_s8_s8_ref.c"),
};

enum { MOVE, AVERAGE_POOL_SUM, MEAN_SUM }; /* the first rows */

const mn_kernel_row *mn_kernel_move(void) {
  return &rows[MOVE];
}

const mn_kernel_row *mn_kernel_by_input_rows(const mn_graph *graph, const mn_op *op) {
  if (op->kind == MN_OP_AVERAGE_POOL_2D && mn_refuses_average_pool_sum(graph, op) == NULL)
    return &rows[AVERAGE_POOL_SUM];
  if (op->kind == MN_OP_MEAN && mn_refuses_mean_sum(graph, op) == NULL) return &rows[MEAN_SUM];
  return NULL;
}

const mn_rows mn_rows_ref = {rows, (int32_t)MN_COUNT(rows)};
