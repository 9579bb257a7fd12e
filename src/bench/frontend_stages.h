/* frontend_stages.h - the front end of a counted program, of sound or of frames, stage by stage.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_FRONTEND_STAGES_H
#define MN_BENCH_FRONTEND_STAGES_H

#include "bench/counted.h"
#include "micronets/bench.h"

/* Splits the region of one whole input of sound, or of one frame, by the functions that ran: *stages lives
 * in arena. *count is 0 where the program takes tensors alone. */
mn_status mn_frontend_stages(const mn_bench_layer **stages, int32_t *count, mn_arena *arena,
                             const mn_counted *counted, mn_error *error) MN_MUST_CHECK;

#endif
