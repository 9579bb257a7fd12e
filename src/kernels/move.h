/* move.h - moves bytes towards lower addresses: the rows that a slab keeps between two turns of a loop.
 *
 * Shapes    x, y: `bytes` bytes; no constants. One row.
 * Ranges    bytes >= 0.
 * Memory    allocates nothing; no scratch; y begins below x and may overlap it; both are aligned to 4
 *           bytes where bytes and their distance are multiples of 4.
 * Errors    none: the plan checked.
 * Variants  _ref plain C, the only one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MOVE_H
#define MN_KERNELS_MOVE_H

#include "kernels/kernel.h"

#define MN_MOVE_FIELDS(X) X(bytes)
typedef struct mn_move {
  MN_MOVE_FIELDS(MN_KERNEL_FIELD)
} mn_move;

mn_kernel_body mn_move_ref;

#endif
