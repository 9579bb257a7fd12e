/* board.h - the bench program on a real board, over a serial port.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_BOARD_H
#define MN_BENCH_BOARD_H

#include "bench/build.h"
#include "bench/vectors.h"

/* What a program and the host know each other by: a checksum of the plan's constants. */
uint32_t mn_board_model_id(const mn_plan *plan);

/* Waits for the board at `port` to say hello, gives it all vectors, and returns what it said, as the
 * emulated program does, cycles by region at its end. Errors: MN_ERR_FAILED where the board runs another
 * model, is silent, or a line was damaged on its way. */
mn_status mn_board_run(mn_bytes *text, mn_workshop *shop, const char *port, uint32_t model_id,
                       const mn_vectors *vectors) MN_MUST_CHECK;

/* Cycles, layers and stack out of that text. */
mn_status mn_board_measure(mn_bench_result *result, mn_workshop *shop, const mn_graph *graph,
                           mn_bytes text) MN_MUST_CHECK;

#endif
