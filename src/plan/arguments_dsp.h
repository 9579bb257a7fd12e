/* arguments_dsp.h - arguments of the kernels for Arm's DSP extension that share the matrix core:
 * convolutions and fully connected layers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_DSP_H
#define MN_PLAN_ARGUMENTS_DSP_H

#include "plan/arguments.h"

mn_refuses mn_dsp_refuses_conv_2d, mn_dsp_refuses_conv_2d_exact, mn_dsp_refuses_conv_2d_1x1;
mn_refuses mn_dsp_refuses_one_channel, mn_dsp_refuses_one_window;
mn_refuses mn_dsp_refuses_fully_connected;
mn_refuses mn_dsp_refuses_fully_connected_exact;
mn_walk mn_dsp_walk_conv_2d, mn_dsp_walk_one_channel, mn_dsp_walk_one_window,
    mn_dsp_walk_fully_connected;

#endif
