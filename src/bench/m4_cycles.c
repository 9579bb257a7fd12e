/* m4_cycles.c - Cortex-M4, memory without wait states: ALU, multiply and dual multiply 1; load 2, but 1
 * right behind another load or store; store 1; double-word load or store 3; n registers 1 + n; a branch
 * that is followed 2 more; division 2 to 12 by its operands, 7 is taken.
 * Source: Cortex-M4 Technical Reference Manual r0p1, table 3-1. SPDX-License-Identifier: Apache-2.0 */
#include "bench/cycle_models.h"

const mn_core_costs mn_m4_costs = {.load = 2,
                                   .store = 1,
                                   .load_behind = 1,
                                   .load_pair = 3,
                                   .many_to_pc = 3,
                                   .taken = 2,
                                   .accumulate = 1,
                                   .multiply_long = 1,
                                   .divide = 7};

double mn_m4_cycles(const mn_region *region, const mn_instructions *instructions) {
  return mn_sequential_total(&mn_m4_costs, region, instructions);
}
