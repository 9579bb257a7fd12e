/* target.c - the target that a command prices, compiles or benches for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/target.h"

#include <stdlib.h>

#include "micronets/bench.h"
#include "run/stage.h"

/* Where measured code sizes are kept from run to run: the user's cache. */
static const char *cache_folder(mn_arena *arena) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (cache != NULL && *cache != '\0') return mn_arena_text(arena, "%s/micronets", cache);
  if (home != NULL && *home != '\0') return mn_arena_text(arena, "%s/.cache/micronets", home);
  return NULL;
}

mn_status mn_stage_target(const mn_target **target, const mn_run_context *context, const char *name,
                          mn_error *error) {
  const mn_target *read = NULL;
  MN_TRY(mn_target_read(&read, context->arena, name, error));
  if (!mn_kernel_family_known(read->kernels))
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: kernels: found \"%s\"; expected mve, dsp, m0, plain or ref", name,
                        read->kernels);
  MN_TRY(mn_bench_code_sizes_refresh(context->arena, read, cache_folder(context->arena),
                                     context->monitor, error));
  *target = read;
  return MN_OK;
}
