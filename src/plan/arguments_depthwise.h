/* arguments_depthwise.h - refusals and arguments of depthwise kernels over planes, whose constants are
 * packed as kernels/depthwise_3x3.h says.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_DEPTHWISE_H
#define MN_PLAN_ARGUMENTS_DEPTHWISE_H

#include "plan/arguments.h"

mn_refuses mn_dsp_refuses_depthwise_3x3, mn_dsp_refuses_depthwise_3x3_same;
mn_walk mn_dsp_walk_depthwise_3x3;

#endif
