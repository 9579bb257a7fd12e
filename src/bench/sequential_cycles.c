/* sequential_cycles.c - cores that do one instruction after another: a table of costs per class.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bench/cycle_models.h"

enum { FLOAT_DIVIDE = 14, FLOAT_ACCUMULATE = 3 };

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static double float_cycles(const char *mnemonic) {
  if (begins_with(mnemonic, "vdiv") || begins_with(mnemonic, "vsqrt")) return FLOAT_DIVIDE;
  bool accumulates = begins_with(mnemonic, "vmla") || begins_with(mnemonic, "vfma") ||
                     begins_with(mnemonic, "vmls") || begins_with(mnemonic, "vfms");
  return accumulates ? FLOAT_ACCUMULATE : 1;
}

static double float_memory_cycles(const mn_instruction *in) {
  bool many = strchr(in->operands, '{') != NULL;
  return many ? 1 + mn_registers_listed(in->operands) : 2;
}

bool mn_is_single_transfer(const mn_instruction *in) {
  return in != NULL && (in->kind == MN_CLASS_LOAD || in->kind == MN_CLASS_STORE);
}

double mn_sequential_cycles(const mn_core_costs *costs, const mn_count *count,
                            const mn_instruction *in, bool behind_memory) {
  double executed = (double)count->executed, taken = (double)count->taken;
  if (in == NULL) return executed;
  switch (in->kind) {
    case MN_CLASS_LOAD: return executed * (behind_memory ? costs->load_behind : costs->load);
    case MN_CLASS_STORE: return executed * costs->store;
    case MN_CLASS_LOAD_PAIR:
    case MN_CLASS_STORE_PAIR: return executed * costs->load_pair;
    case MN_CLASS_LOAD_MANY:
    case MN_CLASS_STORE_MANY: {
      bool to_pc = in->kind == MN_CLASS_LOAD_MANY && strstr(in->operands, "pc") != NULL;
      return executed * (1 + mn_registers_listed(in->operands)) +
             (to_pc ? costs->many_to_pc * taken : 0);
    }
    case MN_CLASS_BRANCH:
      return executed + costs->taken * taken +
             (strcmp(in->mnemonic, "bl") == 0 ? costs->link * executed : 0);
    case MN_CLASS_MULTIPLY:
      return executed * (begins_with(in->mnemonic, "ml") ? costs->accumulate : 1);
    case MN_CLASS_MULTIPLY_LONG: return executed * costs->multiply_long;
    case MN_CLASS_DIVIDE: return executed * costs->divide;
    case MN_CLASS_FLOAT: return executed * float_cycles(in->mnemonic);
    case MN_CLASS_FLOAT_LOAD:
    case MN_CLASS_FLOAT_STORE: return executed * float_memory_cycles(in);
    default: return executed;
  }
}

double mn_sequential_total(const mn_core_costs *costs, const mn_region *region,
                           const mn_instructions *instructions) {
  double cycles = 0.0;
  uint32_t behind = 0; /* address behind the last single load or store */
  for (int32_t i = 0; i < region->count; i++) {
    const mn_count *count = &region->counts[i];
    const mn_instruction *in = mn_instruction_at(instructions, count->address);
    cycles += mn_sequential_cycles(costs, count, in, count->address == behind);
    behind = mn_is_single_transfer(in) ? count->address + count->size : 0;
  }
  return cycles;
}
