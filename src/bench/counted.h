/* counted.h - a program that ran under the instruction counter: what it said, its counts, and the
 * cycles that the core's model gives for any part of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_COUNTED_H
#define MN_BENCH_COUNTED_H

#include "bench/cycle_models.h"

typedef struct mn_counted {
  const char *path; /* of the program file */
  mn_bytes text;    /* what it printed */
  mn_counts_file counts;
  mn_instructions instructions; /* empty where the core has no model */
  const mn_cycle_model *model;  /* NULL: none */
  double factor;                /* of the board */
} mn_counted;

/* Runs `program` on the one vector in the file `input`. */
mn_status mn_counted_run(mn_counted *counted, mn_workshop *shop, const char *program,
                         const char *input) MN_MUST_CHECK;
/* Modelled cycles of a region on the target's board; -1 without a model or where nothing ran. */
double mn_counted_cycles(const mn_counted *counted, const mn_region *region);

#endif
