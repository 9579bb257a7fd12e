/* scratch.h - a folder that is gone afterwards.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_SCRATCH_H
#define MN_BENCH_SCRATCH_H

#include "micronets/base.h"

mn_status mn_scratch_make(const char **folder, mn_arena *arena, mn_error *error) MN_MUST_CHECK;
void mn_scratch_remove(const char *folder); /* with everything in it; NULL is a no-op */

#endif
