/* slice.h - takes channels out of the constants of one op of a draft. Constants are never changed in
 * place: another op may read the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_SLICE_H
#define MN_PLAN_SLICE_H

#include "plan/draft.h"
#include "plan/known.h"

/* What stays of `from` channels, ascending. */
typedef struct mn_kept {
  const int32_t *channel; /* [count] */
  int32_t count, from;
} mn_kept;

/* Input channels of a convolution or fully connected layer, whose input is several times `from` wide
 * where it reads a map as one vector. */
mn_status mn_slice_inputs(mn_draft *draft, mn_op *op, const mn_kept *kept) MN_MUST_CHECK;
/* Output channels: weights, bias, scales. */
mn_status mn_slice_outputs(mn_draft *draft, mn_op *op, const mn_kept *kept) MN_MUST_CHECK;
/* The shape that a RESHAPE is given: its last number becomes `last`. */
mn_status mn_slice_shape(mn_draft *draft, mn_op *op, int32_t last) MN_MUST_CHECK;

/* Adds to the bias of a layer what the constant channels of `x` marked in folded[channels] contribute;
 * x is the layer's input or what was flattened into it. `fits`
 * becomes false where the bias would leave its range; `dry`: only that is found out. */
mn_status mn_fold_channels(mn_draft *draft, mn_op *op, mn_tensor_id x, const mn_known *known,
                           const bool *folded, bool dry, bool *fits) MN_MUST_CHECK;

bool mn_averages_channels(const mn_graph *graph, const mn_op *op); /* MEAN over the last axis */

#endif
