/* cycles.h - what the cost of an op depends on, in the terms of the cycle table (target.h).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_CYCLES_H
#define MN_PLAN_CYCLES_H

#include "micronets/plan.h"

/* Fills terms[MN_CYCLE_TERMS] for one op done in `calls` calls. Works on bare and frozen graphs. */
void mn_cycle_terms(double *terms, const mn_graph *graph, const mn_op *op, int32_t calls);

#endif
