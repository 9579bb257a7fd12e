/* clean.c - the passes over a frozen graph, round after round until none finds anything.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "plan/draft.h"

mn_status mn_clean_graph(mn_clean *clean, mn_arena *arena, const mn_graph *graph, mn_error *error) {
  static mn_pass_run *const passes[] = {
#define X(name, what) mn_pass_##name,
      MN_PASS_LIST(X)
#undef X
  };
  mn_clean made = {0};
  mn_draft draft;
  assert(graph->frozen);
  MN_TRY(mn_draft_open(&draft, arena, graph, error));
  for (bool changed = true; changed;) {
    changed = false;
    for (int32_t p = 0; p < MN_PASS_COUNT; p++) {
      int64_t removed = 0;
      MN_TRY(passes[p](&draft, &removed));
      made.removed[p] += removed;
      changed = changed || removed > 0;
    }
  }
  MN_TRY(mn_draft_finish(&made, &draft));
  *clean = made;
  return MN_OK;
}
