/* amx.c - whether the tiles of AMX may be used here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes.h"

#if defined(MN_LANES_X86) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  BF16 = 1 << 22, /* CPUID leaf 7, EDX */
  TILE = 1 << 24,
  INT8 = 1 << 25,
  OSXSAVE = 1 << 27,              /* CPUID leaf 1, ECX: XGETBV may be run */
  TILE_STATE = 1 << 17 | 1 << 18, /* of XCR0: their shapes, their data */
  REQUEST_PERMISSION = 0x1023,    /* arch_prctl's ARCH_REQ_XCOMP_PERM, since Linux 5.16 */
  TILE_DATA = 18
};

static bool processor_has_tiles(void) {
  const unsigned int all = BF16 | TILE | INT8;
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & all) == all;
}

static bool system_saves_tiles(void) {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & OSXSAVE) == 0) return false;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & TILE_STATE) == TILE_STATE;
}

/* A process must ask for them once, before a thread uses one; what is granted holds for all threads. */
bool mn_amx_get(void) {
  return processor_has_tiles() && system_saves_tiles() &&
         syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
bool mn_amx_get(void) {
  return false;
}
#endif
