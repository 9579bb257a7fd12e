/* kernel_check.h - compares the kernels of a family with the definition on one op: whole tensors, slabs
 * of rows with nothing readable around them, and outputs over inputs as far as the row allows it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_KERNEL_CHECK_H
#define MN_TEST_KERNEL_CHECK_H

#include "plan/kernel_table.h"
#include "support.h"

/* Every row of `family` that takes the only op of a frozen graph, on random inputs that hold the
 * extremes too. Returns how many rows that were; fails the test at the first difference. */
int32_t kernel_check(mn_arena *arena, const mn_graph *graph, const char *family, mn_rng *rng);

#endif
