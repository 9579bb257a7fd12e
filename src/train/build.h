/* build.h - the builder's state.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_BUILD_H
#define MN_TRAIN_BUILD_H

#include "train/engine.h"

typedef struct builder {
  mn_trainer *t;
  mn_error *error;
} builder;

static inline mn_status refuse(const builder *b, int32_t index, const char *what) {
  const mn_op *op = &b->t->graph->ops[index];
  return mn_error_set(b->error, MN_ERR_UNSUPPORTED, "line %d (%s): %s %s", op->line, op->name,
                      mn_op_info_get(op->kind)->text, what);
}

#endif
