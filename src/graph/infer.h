/* infer.h - the only shape inference. Internal to room graph.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_GRAPH_INFER_H
#define MN_GRAPH_INFER_H

#include "micronets/graph.h"

/* Checks an op against its inputs (input[i] NULL where absent), fills what the op leaves open
 * (strides, dilations, kernel size, multiplier) and gives the output's shape. `output` may hold a
 * known shape (rank >= 0) that RESHAPE without a shape tensor takes over; rank -1: unknown. */
mn_status mn_infer_shape(mn_shape *output, mn_op *op, const mn_tensor *const *input,
                         mn_error *error) MN_MUST_CHECK;

/* "[1, 49, 10, 64]" */
typedef struct mn_shape_text {
  char text[80];
} mn_shape_text;
mn_shape_text mn_shape_print(const mn_shape *shape);

#endif
