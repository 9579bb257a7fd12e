/* isa.c - which variant of the vector kernels runs on this processor.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/lanes.h"

extern const mn_lanes mn_lane_table_portable;

#if defined(MN_LANES_X86)
extern const mn_lanes mn_lane_table_avx2, mn_lane_table_avx512;

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}
#endif

static bool always(void) {
  return true;
}

static const struct {
  const mn_lanes *table;
  bool (*runs)(void);
} variants[] = {
#if defined(MN_LANES_X86)
    {&mn_lane_table_avx512, has_avx512},
    {&mn_lane_table_avx2, has_avx2},
#endif
    {&mn_lane_table_portable, always},
};

const mn_lanes *mn_lanes_get(const char *isa) {
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    if ((isa == NULL || strcmp(isa, variants[i].table->name) == 0) && variants[i].runs())
      return variants[i].table;
  return NULL;
}
