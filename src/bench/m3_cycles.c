/* m3_cycles.c - Cortex-M3: as the Cortex-M4 without its multiplier: MLA and MLS 2, 64-bit products 3 to
 * 7 by their operands, 4 is taken; division 2 to 12, 7 is taken.
 * Source: Cortex-M3 Technical Reference Manual r2p0, table 3-1. SPDX-License-Identifier: Apache-2.0 */
#include "bench/cycle_models.h"

double mn_m3_cycles(const mn_region *region, const mn_instructions *instructions) {
  static const mn_core_costs costs = {.load = 2,
                                      .store = 1,
                                      .load_behind = 1,
                                      .load_pair = 3,
                                      .many_to_pc = 3,
                                      .taken = 2,
                                      .accumulate = 2,
                                      .multiply_long = 4,
                                      .divide = 7};
  return mn_sequential_total(&costs, region, instructions);
}
