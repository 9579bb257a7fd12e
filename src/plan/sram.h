/* sram.h - all RAM that a compiled model needs: what a price promises, and what a limit of SRAM counts.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_SRAM_H
#define MN_PLAN_SRAM_H

#include "micronets/plan.h"

/* A row of the measured table; nothing where the symbol, or the target (NULL), is unknown. */
mn_code_size mn_size_of(const mn_target *target, const char *symbol);
/* The stack of the function that fills the input; 0 where there is none. `frontend` may be NULL. */
int64_t mn_frontend_stack(const mn_frontend *frontend, const mn_target *target);

typedef struct mn_sram {
  int64_t arena, features, stack, total;
} mn_sram;
/* With what the options name besides. `target` may be NULL: the stack is unknown then and counts nothing. */
mn_sram mn_plan_sram(const mn_plan *plan, const mn_plan_options *options, const mn_target *target);

/* No schedule of these calls ([ops], each whole or in a loop as `turns`) needs less besides its arena. */
int64_t mn_sram_least_beside(const mn_plan_step *calls, const mn_plan_step *turns, int32_t ops,
                             const mn_plan_options *options, const mn_target *target);

#endif
