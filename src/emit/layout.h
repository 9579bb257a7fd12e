/* layout.h - what lies where in a compiled model's arena: the plan's memory, then the front end's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EMIT_LAYOUT_H
#define MN_EMIT_LAYOUT_H

#include "emit/writer.h"

typedef struct mn_emit_layout {
  mn_frontend_memory memory;
  int64_t score_offset; /* of the vector and its differences, for a detector */
  int32_t align;
  bool has_frontend; /* an audio front end: sound can be fed */
  bool sees;         /* an image front end: frames can be given */
} mn_emit_layout;

mn_emit_layout mn_emit_layout_of(const mn_plan *plan, const mn_model *model,
                                 const mn_detector *detector);
int32_t mn_emit_threshold(const mn_emitter *e);

#endif
