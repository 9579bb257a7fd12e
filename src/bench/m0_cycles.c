/* m0_cycles.c - Cortex-M0 (three stages): loads and stores 2, several registers 1 and 1 each, a branch
 * that is followed 3, BL 4, POP with PC 3 more. Multiplication takes 1 where the chip has the fast
 * multiplier, which is assumed, else 32.
 * Source: Cortex-M0 Technical Reference Manual r0p0, table 3-1. SPDX-License-Identifier: Apache-2.0 */
#include "bench/cycle_models.h"

double mn_m0_cycles(const mn_region *region, const mn_instructions *instructions) {
  static const mn_core_costs costs = {
      .load = 2, .store = 2, .load_behind = 2, .many_to_pc = 3, .taken = 2, .link = 1};
  return mn_sequential_total(&costs, region, instructions);
}
