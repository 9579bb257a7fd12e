/* m0plus_cycles.c - Cortex-M0+ (two stages): as the Cortex-M0, but a branch that is followed 2, BL 3,
 * POP with PC 2 more. The fast multiplier is assumed; loads go to memory, not to the single-cycle I/O
 * port. Source: Cortex-M0+ Technical Reference Manual r0p1, table 3-1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/cycle_models.h"

double mn_m0plus_cycles(const mn_region *region, const mn_instructions *instructions) {
  static const mn_core_costs costs = {
      .load = 2, .store = 2, .load_behind = 2, .many_to_pc = 2, .taken = 1, .link = 1};
  return mn_sequential_total(&costs, region, instructions);
}
