/* hooks.h - what a compiled model's hooks do in the bench program: MN_HOOKS names this file. Set is one
 * of MN_BENCH_MARKS (layers for the instruction counter), MN_BENCH_WATCH (checksums of rows) and, for a
 * board, MN_BENCH_BOARD: both, one after the other.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_HOOKS_H
#define MN_HOOKS_H

#include "mark.h"

#if defined(MN_BENCH_MARKS) || defined(MN_BENCH_BOARD)
#define MN_MARK(op) mn_bench_mark(MN_REGION_FIRST_LAYER + (op))
#endif

#if defined(MN_BENCH_WATCH) || defined(MN_BENCH_BOARD)
extern uint32_t mn_bench_checks; /* 1: rows are said */
void mn_bench_rows(int32_t op, int32_t first_row, int32_t rows, const void *data, uint32_t bytes);
#define MN_WATCH(op, first_row, rows, data, bytes) \
  (mn_bench_checks ? mn_bench_rows(op, first_row, rows, data, bytes) : (void)0)
#endif

/* Checksums cost stack and instructions: a program that was built for them alone measures nothing. */
#ifdef MN_BENCH_WATCH
enum { MN_BENCH_MEASURES = 0 };
#else
enum { MN_BENCH_MEASURES = 1 };
#endif

#endif
