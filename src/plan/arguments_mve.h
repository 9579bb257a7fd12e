/* arguments_mve.h - refusals and arguments of the Helium kernels: constants as kernels/matrix_mve.h,
 * outputs_mve.h and depthwise_conv_2d_mve.c say. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_MVE_H
#define MN_PLAN_ARGUMENTS_MVE_H

#include "plan/arguments.h"

mn_refuses mn_mve_refuses_depthwise, mn_mve_refuses_depthwise_in_place;
mn_refuses mn_mve_refuses_depthwise_3x3, mn_mve_refuses_depthwise_3x3_in_place;
mn_refuses mn_mve_refuses_fully_connected;

mn_walk mn_mve_walk_conv_2d, mn_mve_walk_one_channel, mn_mve_walk_depthwise;
mn_walk mn_mve_walk_depthwise_3x3, mn_mve_walk_fully_connected;

#endif
