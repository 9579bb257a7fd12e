/* copy.h - the same bytes elsewhere: RESHAPE where the planner could not leave them in place.
 *
 * Shapes    x, y: `bytes` bytes; no constants. The tensor is one row.
 * Memory    allocates nothing; no scratch; x, y disjoint.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_COPY_H
#define MN_KERNELS_COPY_H

#include "kernels/kernel.h"

#define MN_COPY_FIELDS(X) X(bytes)
typedef struct mn_copy {
  MN_COPY_FIELDS(MN_KERNEL_FIELD)
} mn_copy;

mn_kernel_body mn_copy_ref;

#endif
