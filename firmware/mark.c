/* mark.c - see mark.h. A file of its own, so that the call is a call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mark.h"

volatile uint32_t mn_bench_port[MN_REGIONS];
uint32_t mn_bench_armed;

void mn_bench_mark(uint32_t region) {
  if (mn_bench_armed) mn_bench_port[region] = 0;
}
