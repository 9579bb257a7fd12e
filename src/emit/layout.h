/* layout.h - what lies where in a compiled model's arena: the plan's memory, then the front end's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EMIT_LAYOUT_H
#define MN_EMIT_LAYOUT_H

#include "emit/writer.h"

typedef struct mn_emit_layout {
  int64_t features_offset, features_bytes, total_bytes;
  int32_t align, hop_samples;
} mn_emit_layout;

mn_emit_layout mn_emit_layout_of(const mn_plan *plan, const mn_model *model);
int32_t mn_emit_threshold(const mn_emitter *e);

#endif
