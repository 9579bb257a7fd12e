/* hooks.h - what a compiled model's hooks do in the bench program: MN_HOOKS names this file. One of
 * MN_BENCH_MARKS (layers for the instruction counter) and MN_BENCH_WATCH (checksums of rows) is
 * set. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_HOOKS_H
#define MN_HOOKS_H

#include "mark.h"

#ifdef MN_BENCH_MARKS
#define MN_MARK(op) mn_bench_mark(MN_REGION_FIRST_LAYER + (op))
#endif

#ifdef MN_BENCH_WATCH
enum { MN_BENCH_MEASURES = 0 }; /* checksums cost stack and instructions: nothing is measured */
void mn_bench_rows(int32_t op, int32_t first_row, int32_t rows, const void *data, uint32_t bytes);
#define MN_WATCH(op, first_row, rows, data, bytes) mn_bench_rows(op, first_row, rows, data, bytes)
#else
enum { MN_BENCH_MEASURES = 1 };
#endif

#endif
