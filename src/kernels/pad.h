/* pad.h - surrounds a tensor of up to four axes with a constant value, int8.
 *
 * Shapes    x int8 [D0, H, W, C], y int8 with `before` and `after` on every axis; no constants
 * Ranges    value in [-128, 127]; every before >= 0.
 * Memory    allocates nothing; no scratch; x, y disjoint.
 * Rows      output rows along axis 1; where output_n > 1 always all of them in one call.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition.
 * Source    TFLite PAD.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_PAD_H
#define MN_KERNELS_PAD_H

#include "kernels/kernel.h"

#define MN_PAD_FIELDS(X) \
  X(input_n)             \
  X(input_h)             \
  X(input_w)             \
  X(input_c)             \
  X(output_n)            \
  X(output_h)            \
  X(output_w)            \
  X(output_c)            \
  X(before_n)            \
  X(before_h)            \
  X(before_w)            \
  X(before_c)            \
  X(value)
typedef struct mn_pad {
  MN_PAD_FIELDS(MN_KERNEL_FIELD)
} mn_pad;

mn_kernel_body mn_pad_s8_ref, mn_pad_s8_plain;

#endif
