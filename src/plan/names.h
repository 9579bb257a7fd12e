/* names.h - C identifiers for the constants of a plan.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_NAMES_H
#define MN_PLAN_NAMES_H

#include "micronets/graph.h"

/* "ds4_conv_weights" for role "weights" of op "ds4.conv"; the op's index joins where the op has no name
 * of its own. NULL: out of memory. */
const char *mn_constant_name(mn_arena *arena, const mn_graph *graph, int32_t op, const char *role);

#endif
