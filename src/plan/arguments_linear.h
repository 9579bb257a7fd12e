/* arguments_linear.h - ADD as one linear function, compared with the definition for every pair of
 * inputs (kernels/add_linear.h); and pools of few positions.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_LINEAR_H
#define MN_PLAN_ARGUMENTS_LINEAR_H

#include "plan/arguments.h"

mn_refuses mn_refuses_add_linear, mn_dsp_refuses_add_linear, mn_dsp_refuses_average_pool_2d;
mn_walk mn_walk_add_linear;

#endif
