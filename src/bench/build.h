/* build.h - the programs of one bench: the model as it is deployed, with marks between layers, with
 * checksums, and alone for its size.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_BUILD_H
#define MN_BENCH_BUILD_H

#include "bench/emulator.h"
#include "micronets/bench.h"

#define MN_PROGRAM_PLAIN "plain.elf" /* as deployed; between marks as a whole */
#define MN_PROGRAM_MARKS "marks.elf" /* a mark before every layer */
#define MN_PROGRAM_WATCH "watch.elf" /* a checksum of every finished stretch of rows */
#define MN_PROGRAM_SIZE "size.elf"   /* nothing but the model */

/* Emits the plan into the shop's folder, compiles and links all four. *model gets the objects that
 * a deployed model consists of. */
mn_status mn_build_programs(mn_objects *model, mn_workshop *shop, const mn_plan *plan,
                            const mn_model *source) MN_MUST_CHECK;

/* Only the program with marks. */
mn_status mn_build_marks(mn_workshop *shop, const mn_plan *plan,
                         const mn_model *source) MN_MUST_CHECK;

#endif
