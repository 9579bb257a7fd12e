/* arguments.h - the only walker from an op of a graph to the arguments of a kernel: one pair of
 * functions per op family. `refuses` says why the reference kernels cannot run an op (NULL: they
 * can); `arguments` fills the parameter struct and packs the constants. Both take bare graphs, where
 * scales are unknown: sizes are right, values are zero.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_H
#define MN_PLAN_ARGUMENTS_H

#include "plan/kernel_table.h"

/* The reason "other types than this kernel's": any other reason says more. */
extern const char mn_refused_types[];

typedef const char *mn_refuses(const mn_graph *graph, const mn_op *op);
typedef mn_status mn_walk(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, mn_error *error);

mn_refuses mn_refuses_conv_2d, mn_refuses_depthwise_conv_2d, mn_refuses_fully_connected;
mn_refuses mn_refuses_conv_2d_s4, mn_refuses_conv_2d_s16, mn_refuses_conv_2d_s16_b32;
mn_refuses mn_refuses_depthwise_conv_2d_s4, mn_refuses_depthwise_conv_2d_s16;
mn_refuses mn_refuses_fully_connected_s4, mn_refuses_fully_connected_s16;
mn_refuses mn_refuses_pool_2d_s16, mn_refuses_add_s16, mn_refuses_mean_s16;
mn_refuses mn_refuses_softmax_s8_s16, mn_refuses_softmax_s16;
mn_refuses mn_refuses_rescale_any, mn_refuses_svdf_s16, mn_refuses_svdf_s8;
mn_refuses mn_refuses_pool_2d, mn_refuses_add, mn_refuses_pad, mn_refuses_reshape;
mn_refuses mn_refuses_softmax, mn_refuses_mean, mn_refuses_quantize;

mn_walk mn_walk_conv_2d, mn_walk_depthwise_conv_2d, mn_walk_fully_connected;
/* Arguments of a depthwise convolution of one input channel, as those of an ordinary one; weights and
 * bias are as mn_walk_depthwise_conv_2d leaves them. */
mn_walk mn_walk_one_channel;
mn_walk mn_walk_pool_2d, mn_walk_add, mn_walk_pad, mn_walk_reshape;
mn_walk mn_walk_softmax, mn_walk_mean, mn_walk_quantize;
mn_walk mn_walk_softmax_s16, mn_walk_rescale_any, mn_walk_svdf;

mn_refuses mn_refuses_average_pool_sum, mn_refuses_mean_sum;
mn_walk mn_walk_average_pool_sum, mn_walk_mean_sum;

/* ---- Shared by the files that implement them -------------------------------------------------*/
/* Input `index` of an op, NULL where absent. */
const mn_tensor *mn_op_operand(const mn_graph *graph, const mn_op *op, int32_t index);
/* Scale and zero point of an activation; 1 and 0 on a bare graph. */
mn_range mn_activation_range(const mn_tensor *tensor);
/* The fields that window ops share, as one struct; copy them with MN_KERNEL_WINDOW_FIELDS. */
typedef struct mn_kernel_window {
  MN_KERNEL_WINDOW_FIELDS(MN_KERNEL_FIELD)
} mn_kernel_window;
mn_kernel_window mn_window_of(const mn_graph *graph, const mn_op *op);
/* What the fused activation and the type leave of the output's range. */
mn_status mn_output_limits(int32_t *min, int32_t *max, const mn_graph *graph, const mn_op *op,
                           mn_error *error);
/* Starts arguments: zeroed params of `size` bytes, activation inputs -1 but for the first `inputs`. */
void *mn_walk_begin(mn_kernel_arguments *arguments, mn_arena *arena, const mn_op *op, size_t size,
                    int32_t inputs);
/* Four-axis view of a shape of rank 4 or less: ones are put in so that axis 1, the rows, is 1 where
 * the rank is below 4. The second function says where an axis went. */
void mn_shape_four(int32_t dim[4], const mn_shape *shape);
int32_t mn_axis_four(int32_t rank, int32_t axis);
mn_status mn_walk_no_memory(mn_error *error, const mn_op *op);

#endif
