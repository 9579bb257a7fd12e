/* table.c - the kernels of this variant as one table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/lanes/lanes_internal.h"

const mn_lanes MN_LANE(table) = {
    .name = MN_TEXT(MN_ISA),
    .lanes = MN_LANES,
    .gemm = MN_LANE(gemm),
    .pack = MN_LANE(pack),
    .read = MN_LANE(read),
    .row_sums = MN_LANE(row_sums),
    .finish = MN_LANE(finish),
    .unnormalize = MN_LANE(unnormalize),
    .depthwise = MN_LANE(depthwise),
    .depthwise_weights = MN_LANE(depthwise_weights),
    .weave = MN_LANE(weave),
    .combine = MN_LANE(combine),
    .scale = MN_LANE(scale),
    .widen = MN_LANE(widen),
    .dot = MN_LANE(dot),
    .adamw = MN_LANE(adamw),
    .sgd = MN_LANE(sgd),
    .reduce = MN_LANE(reduce),
};
