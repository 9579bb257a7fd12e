/* cycle_models.h - static cycle models of Arm's cores over exact execution counts. Memory never
 * waits; a board's factor (targets/) stands for its flash and caches.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_CYCLE_MODELS_H
#define MN_BENCH_CYCLE_MODELS_H

#include "bench/counts.h"
#include "bench/instructions.h"

/* Cycles of what was executed in one region of a program. */
typedef double mn_cycle_function(const mn_region *region, const mn_instructions *instructions);

typedef struct mn_cycle_model {
  const char *core; /* "cortex-m4" */
  mn_cycle_function *cycles;
  const char *source; /* where the figures come from, and how certain they are */
} mn_cycle_model;

/* NULL: no model of this core. */
const mn_cycle_model *mn_cycle_model_of(const char *core);

mn_cycle_function mn_m0_cycles, mn_m0plus_cycles, mn_m3_cycles, mn_m4_cycles, mn_m7_cycles,
    mn_m55_cycles;

/* ---- Shared by cores that do one instruction after another -----------------------------------*/
/* What an instruction takes where that is not 1 cycle. */
typedef struct mn_core_costs {
  double load, store;                       /* a single one */
  double load_behind;                       /* a load right behind another single load or store */
  double load_pair;                         /* LDRD, STRD; several registers: 1 and 1 for each */
  double many_to_pc;                        /* more, where they load PC */
  double taken, link;                       /* more, where a branch is followed; where it is BL */
  double accumulate, multiply_long, divide; /* MLA and MLS; 64-bit products; SDIV, UDIV */
} mn_core_costs;
extern const mn_core_costs mn_m4_costs; /* of the Cortex-M4; the M55 shares them */
double mn_sequential_cycles(const mn_core_costs *costs, const mn_count *count,
                            const mn_instruction *instruction, bool behind_memory);
/* The sum over a region of the former. */
double mn_sequential_total(const mn_core_costs *costs, const mn_region *region,
                           const mn_instructions *instructions);
bool mn_is_single_transfer(const mn_instruction *instruction);

#endif
