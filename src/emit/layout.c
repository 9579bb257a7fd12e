/* layout.c - see layout.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/layout.h"

mn_emit_layout mn_emit_layout_of(const mn_plan *plan, const mn_model *model,
                                 const mn_detector *detector) {
  enum { LEAST_ALIGN = 4 };
  mn_frontend_memory memory = mn_plan_frontend_memory(plan, &model->frontend);
  int32_t align = plan->arena_align < LEAST_ALIGN ? LEAST_ALIGN : plan->arena_align;
  int64_t score = (memory.total_bytes + 1) / 2 * 2;
  if (detector != NULL) memory.total_bytes = score + mn_detector_vector_bytes(detector);
  return (mn_emit_layout){.memory = memory,
                          .score_offset = score,
                          .align = align,
                          .has_frontend = memory.features_bytes > 0,
                          .sees = model->frontend.kind == MN_FRONTEND_IMAGE};
}
