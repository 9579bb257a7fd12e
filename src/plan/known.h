/* known.h - which values of a frozen graph's tensors do not depend on its inputs, and what they are.
 *
 * Every op is run once by its reference kernel. An output that reads only known values, or multiplies
 * the others by zero weights, is known: borders, rounding and clamps are the kernel's own.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_KNOWN_H
#define MN_PLAN_KNOWN_H

#include "micronets/plan.h"

typedef struct mn_known {
  const mn_graph *graph;
  uint8_t **data; /* [tensor]: its bytes; right where known. NULL: a tensor that no op touches */
  bool **known;   /* [tensor][element]; NULL where data is */
} mn_known;

/* Lives in `arena`. Errors: MN_ERR_UNSUPPORTED where an op has no kernel. */
mn_status mn_known_find(mn_known *known, mn_arena *arena, const mn_graph *graph,
                        mn_error *error) MN_MUST_CHECK;

/* One element of an int8 or int16 tensor as a number. */
int32_t mn_known_value(const mn_known *known, mn_tensor_id id, int64_t element);
/* Channels are indices of the last axis. Whether all of one is known, and is the same everywhere. */
bool mn_known_channel(const mn_known *known, mn_tensor_id id, int32_t channel);
bool mn_known_constant(int32_t *value, const mn_known *known, mn_tensor_id id, int32_t channel);

int32_t mn_channels_of(const mn_tensor *tensor); /* size of the last axis; 1 without axes */
/* One element of int8 or int4 weights. */
int32_t mn_weight_at(const mn_tensor *weights, int64_t element);

#endif
