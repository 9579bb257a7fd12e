/* bf16_isa.c - which bf16 kernels run on this processor.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/bf16.h"

extern const mn_bf16 mn_lane_bf16_table_portable;

#if defined(MN_LANES_X86)
#include <cpuid.h>

extern const mn_bf16 mn_lane_bf16_table_avx512bf16, mn_lane_bf16_table_avx512,
    mn_lane_bf16_table_avx2;

/* CPUID leaf 7, subleaf 1, EAX bit 5; not every compiler has a name for it. */
static bool has_bf16(void) {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

const mn_bf16 *mn_bf16_get(const mn_lanes *lanes) {
  if (lanes->lanes == 16)
    return has_bf16() ? &mn_lane_bf16_table_avx512bf16 : &mn_lane_bf16_table_avx512;
  return lanes->lanes == 8 ? &mn_lane_bf16_table_avx2 : &mn_lane_bf16_table_portable;
}
#else
const mn_bf16 *mn_bf16_get(const mn_lanes *lanes) {
  (void)lanes;
  return &mn_lane_bf16_table_portable;
}
#endif
