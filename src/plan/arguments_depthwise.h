/* arguments_depthwise.h - refusals and arguments of depthwise kernels over planes: 3x3 with folded
 * requantization, and any window. `_same`: stride 1 and equal shapes, where y may lie over x.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_DEPTHWISE_H
#define MN_PLAN_ARGUMENTS_DEPTHWISE_H

#include "plan/arguments.h"

mn_refuses mn_dsp_refuses_depthwise_3x3, mn_dsp_refuses_depthwise_3x3_same;
mn_refuses mn_dsp_refuses_depthwise, mn_dsp_refuses_depthwise_same;
mn_walk mn_dsp_walk_depthwise_3x3, mn_dsp_walk_depthwise_3x3_narrow, mn_dsp_walk_depthwise;

#endif
