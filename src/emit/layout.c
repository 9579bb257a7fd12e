/* layout.c - see layout.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/layout.h"

mn_emit_layout mn_emit_layout_of(const mn_plan *plan, const mn_model *model) {
  (void)model;
  return (mn_emit_layout){.features_offset = plan->arena_bytes, .total_bytes = plan->arena_bytes,
                          .align = plan->arena_align};
}
