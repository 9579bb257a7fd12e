/* integer_isa.c - which integer kernels run on this processor.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/integer.h"

#if defined(MN_LANES_X86)
#include <cpuid.h>

extern const mn_integer mn_lane_integer_avx512amx, mn_lane_integer_avx512vnni,
    mn_lane_integer_avxvnni;

/* CPUID leaf 7, subleaf 1, EAX bit 4; not every compiler has a name for it. */
static bool has_avxvnni(void) {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}

const mn_integer *mn_integer_get(const mn_lanes *lanes) {
  if (lanes->lanes == 16 && __builtin_cpu_supports("avx512vnni"))
    return mn_amx_get() ? &mn_lane_integer_avx512amx : &mn_lane_integer_avx512vnni;
  if (lanes->lanes == 8 && has_avxvnni()) return &mn_lane_integer_avxvnni;
  return NULL;
}
#else
const mn_integer *mn_integer_get(const mn_lanes *lanes) {
  (void)lanes;
  return NULL;
}
#endif
