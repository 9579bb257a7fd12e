/* counts.h - what the emulator's counter wrote: executed instructions per region and address.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_COUNTS_H
#define MN_BENCH_COUNTS_H

#include "micronets/base.h"

typedef struct mn_count {
  uint32_t address, size,
      opcode; /* size 2 or 4 bytes; opcode: first halfword high when there are two */
  uint64_t executed, taken;
} mn_count;

typedef struct mn_region {
  int32_t id;
  int64_t total;
  const mn_count *counts; /* addresses ascending */
  int32_t count;
} mn_region;

typedef struct mn_counts_file {
  mn_region *regions;
  int32_t region_count;
} mn_counts_file;

/* Errors: MN_ERR_FORMAT naming the line; a file that is cut short is refused. */
mn_status mn_counts_read(mn_counts_file *counts, mn_arena *arena, const char *path,
                         mn_error *error) MN_MUST_CHECK;
const mn_region *mn_counts_region(const mn_counts_file *counts, int32_t id); /* NULL: nothing ran */

#endif
