/* layout.h - places blocks of memory that live for stretches of time so that the whole is smallest:
 * exact branch and bound with a proved lower bound, limited by a count of nodes.
 *
 * Two blocks that live at the same time are disjoint, but for one case: a block y may begin
 * `distance` bytes below block x (x.offset - y.offset >= distance) although both live from the time y
 * is made until x dies, because x is consumed as fast as y is written.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_LAYOUT_H
#define MN_PLAN_LAYOUT_H

#include "micronets/base.h"

#define MN_ARENA_ALIGN 16 /* of every tensor: what the widest MCU vector loads like */

#define MN_BLOCK_MAX_OVER 2
typedef struct mn_block {
  int64_t bytes;       /* > 0 */
  int32_t first, last; /* times it lives at, both included */
  int32_t
      over[MN_BLOCK_MAX_OVER]; /* blocks it may be written over; -1 none; each lives at `first` */
  int64_t distance[MN_BLOCK_MAX_OVER]; /* >= 0 */
  int64_t offset;                      /* result */
} mn_block;

typedef struct mn_layout {
  int64_t bytes;       /* highest end of a block */
  int64_t lower_bound; /* no layout is smaller */
  int64_t nodes;       /* of the search; 0 where a greedy layout met the bound */
} mn_layout;

/* What is worth laying out: a layout of more than `most` bytes is of no use. Where the lower bound alone is
 * above it, nothing is placed and bytes is that bound. */
typedef struct mn_layout_limits {
  int64_t align, nodes, most;
} mn_layout_limits;

/* Sizes, distances and offsets are rounded up to `align`. Scratch memory is released again. */
mn_status mn_layout_solve(mn_layout *layout, mn_block *blocks, int32_t count,
                          const mn_layout_limits *limits, mn_arena *arena,
                          mn_error *error) MN_MUST_CHECK;

#endif
