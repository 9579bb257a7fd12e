/* counted.c - see counted.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/counted.h"

mn_status mn_counted_run(mn_counted *counted, mn_workshop *shop, const char *program,
                         const char *input) {
  mn_emulation run = {.program = program,
                      .argument = input,
                      .counts = mn_arena_text(shop->arena, "%s.counts", program)};
  const char *counts = mn_arena_text(shop->arena, "%s/%s.counts", shop->folder, program);
  mn_counted made = {.path = mn_arena_text(shop->arena, "%s/%s", shop->folder, program),
                     .model = mn_cycle_model_of(shop->target->core),
                     .factor = shop->target->cycle_factor > 0 ? shop->target->cycle_factor : 1};
  if (run.counts == NULL || counts == NULL || made.path == NULL)
    return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(mn_emulate(shop, &run));
  made.text = run.output;
  MN_TRY(mn_counts_read(&made.counts, shop->arena, counts, shop->error));
  if (made.model != NULL) MN_TRY(mn_instructions_read(&made.instructions, shop, program));
  *counted = made;
  return MN_OK;
}

double mn_counted_cycles(const mn_counted *counted, const mn_region *region) {
  if (counted->model == NULL || region == NULL) return -1;
  return counted->model->cycles(region, &counted->instructions) * counted->factor;
}
