/* half_isa.c - which kernels of 16-bit factors run on this processor.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/half.h"

extern const mn_half mn_lane_bf16_table_portable, mn_lane_int16_table_portable;

#if defined(MN_LANES_X86)
#include <cpuid.h>

extern const mn_half mn_lane_bf16_table_avx512amx, mn_lane_bf16_table_avx512bf16,
    mn_lane_bf16_table_avx512, mn_lane_bf16_table_avx2;
extern const mn_half mn_lane_int16_table_avx512vnni, mn_lane_int16_table_avx512,
    mn_lane_int16_table_avx2;

/* CPUID leaf 7, subleaf 1, EAX bit 5; not every compiler has a name for it. */
static bool has_bf16(void) {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

static const mn_half *bf16_get(const mn_lanes *lanes) {
  if (lanes->lanes == 16 && has_bf16())
    return mn_amx_get() ? &mn_lane_bf16_table_avx512amx : &mn_lane_bf16_table_avx512bf16;
  if (lanes->lanes == 16) return &mn_lane_bf16_table_avx512;
  return lanes->lanes == 8 ? &mn_lane_bf16_table_avx2 : &mn_lane_bf16_table_portable;
}

static const mn_half *int16_get(const mn_lanes *lanes) {
  if (lanes->lanes == 16)
    return __builtin_cpu_supports("avx512vnni") ? &mn_lane_int16_table_avx512vnni
                                                : &mn_lane_int16_table_avx512;
  return lanes->lanes == 8 ? &mn_lane_int16_table_avx2 : &mn_lane_int16_table_portable;
}

/* VDPBF16PS and VPDPWSSD are 32 multiplications. AMD's processors (Zen 4) start as many of the former as of
 * VFMADD, which is 16. Intel's (Emerald Rapids) start a quarter as many, and of the latter as many: 85 and
 * 351 Gop/s where VFMADD has 176, at 2.75 GHz. TDPBF16PS is 8,192 multiplications, one in 16 cycles by Intel's
 * optimization manual; not measured. */
bool mn_half_pays(mn_arithmetic arithmetic) {
  const mn_half *half = mn_half_get(mn_lanes_get(NULL), arithmetic);
  if (half == &mn_lane_bf16_table_avx512amx) return true;
  if (half == &mn_lane_bf16_table_avx512bf16) return __builtin_cpu_is("amd");
  return half == &mn_lane_int16_table_avx512vnni;
}
#else
static const mn_half *bf16_get(const mn_lanes *lanes) {
  (void)lanes;
  return &mn_lane_bf16_table_portable;
}
static const mn_half *int16_get(const mn_lanes *lanes) {
  (void)lanes;
  return &mn_lane_int16_table_portable;
}
bool mn_half_pays(mn_arithmetic arithmetic) {
  (void)arithmetic;
  return false;
}
#endif

const mn_half *mn_half_get(const mn_lanes *lanes, mn_arithmetic arithmetic) {
  if (arithmetic == MN_ARITHMETIC_BF16) return bf16_get(lanes);
  return arithmetic == MN_ARITHMETIC_INT16 ? int16_get(lanes) : NULL;
}
