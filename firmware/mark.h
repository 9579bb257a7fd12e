/* mark.h - tells the instruction counter where a region begins (firmware/emulator/count.c).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_MARK_H
#define MN_MARK_H

#include <stdint.h>

/* Region 0 is everything outside; 1 a whole inference; 2 one input of sound, or one frame; 3 + i
 * layer i. */
enum {
  MN_REGION_OUTSIDE,
  MN_REGION_WHOLE,
  MN_REGION_FEED,
  MN_REGION_FIRST_LAYER,
  MN_REGIONS = 2048
};

extern volatile uint32_t mn_bench_port[MN_REGIONS];
extern uint32_t mn_bench_armed; /* 0: marks do nothing */
void mn_bench_mark(uint32_t region);

#endif
