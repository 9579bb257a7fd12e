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
#define MN_PROGRAM_BOARD "board.elf" /* for a real board, over a serial port */

/* Emits the plan into the shop's folder, compiles and links all four. *model gets the objects that
 * a deployed model consists of. */
mn_status mn_build_programs(mn_objects *model, mn_workshop *shop, const mn_plan *plan,
                            const mn_model *source) MN_MUST_CHECK;

/* Only the program with marks. `firmware` keeps the firmware's own objects from call to call of one
 * target; empty at first. */
mn_status mn_build_marks(mn_workshop *shop, mn_objects *firmware, const mn_plan *plan,
                         const mn_model *source) MN_MUST_CHECK;

/* The program for a real board of the target's [serial] section: marks and checksums in one, known by
 * `model_id`. */
mn_status mn_build_board(mn_workshop *shop, const mn_plan *plan, const mn_model *source,
                         uint32_t model_id) MN_MUST_CHECK;

#endif
