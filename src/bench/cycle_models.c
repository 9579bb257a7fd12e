/* cycle_models.c - one row per core.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/cycle_models.h"

#include <string.h>

static const mn_cycle_model models[] = {
    {"cortex-m0", mn_m0_cycles,
     "Arm Cortex-M0 Technical Reference Manual r0p0, table 3-1; the fast multiplier"},
    {"cortex-m0plus", mn_m0plus_cycles,
     "Arm Cortex-M0+ Technical Reference Manual r0p1, table 3-1; the fast multiplier"},
    {"cortex-m3", mn_m3_cycles, "Arm Cortex-M3 Technical Reference Manual r2p0, table 3-1"},
    {"cortex-m4", mn_m4_cycles, "Arm Cortex-M4 Technical Reference Manual r0p1, table 3-1"},
    {"cortex-m33", mn_m4_cycles,
     "the Cortex-M4's table: Arm publishes none for the Cortex-M33; two public boards lie within 1 %"},
    {"cortex-m7", mn_m7_cycles,
     "dual-issue list schedule by rules from public measurements; Arm publishes no table"},
    {"cortex-m55", mn_m55_cycles,
     "a rough model of beats and overlap (Armv8.1-M Architecture Reference Manual); no board behind it"},
};

const mn_cycle_model *mn_cycle_model_of(const char *core) {
  for (size_t i = 0; i < MN_COUNT(models); i++)
    if (strcmp(models[i].core, core) == 0) return &models[i];
  return NULL;
}
