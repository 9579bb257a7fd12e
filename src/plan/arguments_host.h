/* arguments_host.h - arguments of the host's vector kernels, for a layout of vectors; the kernel table
 * binds one per instruction set.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_HOST_H
#define MN_PLAN_ARGUMENTS_HOST_H

#include "kernels/host/host.h"
#include "plan/arguments.h"

bool mn_host_has_avx512(void);
bool mn_host_has_avx2(void);

mn_refuses mn_host_refuses_conv_2d, mn_host_refuses_conv_2d_narrow;
mn_refuses mn_host_refuses_depthwise_conv_2d;
mn_refuses mn_host_refuses_one_channel, mn_host_refuses_fully_connected;

typedef mn_status mn_host_walk(mn_kernel_arguments *arguments, mn_arena *arena,
                               const mn_graph *graph, const mn_op *op, mn_host_layout layout,
                               mn_error *error);
mn_host_walk mn_host_walk_conv_2d, mn_host_walk_conv_2d_narrow;
mn_host_walk mn_host_walk_one_channel;
mn_host_walk mn_host_walk_depthwise_conv_2d, mn_host_walk_fully_connected;

#endif
