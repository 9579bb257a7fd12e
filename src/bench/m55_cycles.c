/* m55_cycles.c - Cortex-M55: a rough model. Arm publishes no timing table, and there is no public board
 * to hold it against: good for comparing kernels with each other, not for promises.
 *
 * Modelled: a vector instruction is four beats, two a cycle, so it takes 2 cycles; right behind another
 * one that uses a different unit (memory, multiplier, the rest) it overlaps by one. The end of a
 * low-overhead loop costs nothing while the loop goes on. All else as the Cortex-M4. Left out: dual issue
 * of short instructions, bank conflicts, waiting for results.
 * Source: Armv8-M Architecture Reference Manual, chapters on beats and low-overhead branches.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bench/cycle_models.h"

typedef enum unit { UNIT_NONE, UNIT_MEMORY, UNIT_MULTIPLIER, UNIT_OTHER } unit;

static unit unit_of(const mn_instruction *in) {
  if (in == NULL) return UNIT_NONE;
  switch (in->kind) {
    case MN_CLASS_VECTOR_LOAD:
    case MN_CLASS_VECTOR_STORE: return UNIT_MEMORY;
    case MN_CLASS_VECTOR_MULTIPLY: return UNIT_MULTIPLIER;
    case MN_CLASS_VECTOR: return UNIT_OTHER;
    default: return UNIT_NONE;
  }
}

static bool ends_loop(const mn_instruction *in) {
  return in != NULL && in->kind == MN_CLASS_BRANCH && strncmp(in->mnemonic, "le", 2) == 0;
}

double mn_m55_cycles(const mn_region *region, const mn_instructions *instructions) {
  double cycles = 0;
  const mn_instruction *before = NULL; /* the one right before, NULL none */
  for (int32_t i = 0; i < region->count; i++) {
    const mn_count *count = &region->counts[i];
    const mn_instruction *in = mn_instruction_at(instructions, count->address);
    bool adjacent =
        i > 0 && region->counts[i - 1].address + region->counts[i - 1].size == count->address;
    if (!adjacent) before = NULL;
    unit now = unit_of(in), then = unit_of(before);
    if (now != UNIT_NONE)
      cycles += (double)count->executed * (then != UNIT_NONE && then != now ? 1 : 2);
    else if (ends_loop(in))
      cycles += (double)(count->executed - count->taken);
    else
      cycles += mn_sequential_cycles(&mn_m4_costs, count, in, mn_is_single_transfer(before));
    before = in;
  }
  return cycles;
}
