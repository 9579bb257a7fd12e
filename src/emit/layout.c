/* layout.c - see layout.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/layout.h"

mn_emit_layout mn_emit_layout_of(const mn_plan *plan, const mn_model *model) {
  enum { LEAST_ALIGN = 4 };
  mn_frontend_memory memory = mn_plan_frontend_memory(plan, &model->frontend);
  int32_t align = plan->arena_align < LEAST_ALIGN ? LEAST_ALIGN : plan->arena_align;
  return (mn_emit_layout){
      .memory = memory, .align = align, .has_frontend = memory.features_bytes > 0};
}
