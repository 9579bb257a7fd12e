/* layout.c - see layout.h. First layouts that place blocks in some order, each as low as it fits; an
 * order is mended by moving the blocks that ended too high to its front ("squeaky wheel"). Nearly
 * always one meets the lower bound. Else depth-first search over normalised layouts: sorted by offset,
 * every block lies at 0 or as low as the blocks before it allow, so a layout is an order of blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/layout.h"

#include <stdlib.h>
#include <string.h>

typedef struct solver {
  const mn_block *blocks; /* rounded */
  int32_t count, times;
  int64_t
      *separation; /* [count, count]: least offset[b] - offset[a] where a lies below b; -1 free */
  int32_t *neighbour, *neighbours; /* [count, count], [count]: blocks that live at the same time */
  int32_t *order;                  /* [count] in which the greedy layouts place */
  int64_t *offset, *best;          /* [count]; offset -1: not placed */
  int64_t best_bytes, lower_bound;
  int64_t nodes, node_limit;
} solver;

static int64_t round_up(int64_t value, int64_t align) {
  return (value + align - 1) / align * align;
}

static bool overlap_in_time(const mn_block *a, const mn_block *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* ---- What keeps two blocks apart ---------------------------------------------------------------*/
static int64_t separation_of(const mn_block *blocks, int32_t below, int32_t above) {
  const mn_block *a = &blocks[below], *b = &blocks[above];
  if (!overlap_in_time(a, b)) return -1;
  for (int32_t i = 0; i < MN_BLOCK_MAX_OVER; i++)
    if (a->over[i] == above && a->distance[i] < a->bytes) return a->distance[i];
  return a->bytes;
}

static int64_t separation(const solver *s, int32_t below, int32_t above) {
  return s->separation[(int64_t)below * s->count + above];
}

/* ---- Lower bound ---------------------------------------------------------------------------*/
/* Bytes that block y adds at `time` to those it may be written over and that live still. */
static int64_t added_bytes(const mn_block *y, const mn_block *blocks, int32_t time,
                           const int64_t *placed) {
  int64_t least = y->bytes;
  for (int32_t i = 0; i < MN_BLOCK_MAX_OVER; i++) {
    if (y->over[i] < 0 || (placed != NULL && placed[y->over[i]] >= 0)) continue;
    const mn_block *x = &blocks[y->over[i]];
    if (x->last < time) continue;
    int64_t covered = y->distance[i] + x->bytes;
    int64_t added = (covered > y->bytes ? covered : y->bytes) - x->bytes;
    if (added < least) least = added;
  }
  return least;
}

/* Bytes that the blocks alive at `time` cover at least; those already placed do not count. */
static int64_t covered_at(const mn_block *blocks, int32_t count, int32_t time,
                          const int64_t *placed) {
  int64_t sum = 0;
  for (int32_t b = 0; b < count; b++) {
    const mn_block *block = &blocks[b];
    if (time < block->first || time > block->last || (placed != NULL && placed[b] >= 0)) continue;
    sum += added_bytes(block, blocks, time, placed);
  }
  return sum;
}

static int64_t lower_bound_of(const mn_block *blocks, int32_t count, int32_t times) {
  int64_t bound = 0;
  for (int32_t time = 0; time < times; time++) {
    int64_t bytes = covered_at(blocks, count, time, NULL);
    if (bytes > bound) bound = bytes;
  }
  return bound;
}

/* ---- Greedy layouts ------------------------------------------------------------------------*/
/* The i-th block alive together with `block`. */
static int32_t neighbour(const solver *s, int32_t block, int32_t i) {
  return s->neighbour[(int64_t)block * s->count + i];
}

static bool fits(const solver *s, int32_t block, int64_t offset) {
  for (int32_t i = 0; i < s->neighbours[block]; i++) {
    int32_t a = neighbour(s, block, i);
    if (s->offset[a] < 0) continue;
    bool above = offset - s->offset[a] >= separation(s, a, block);
    bool below = s->offset[a] - offset >= separation(s, block, a);
    if (!above && !below) return false;
  }
  return true;
}

/* The lowest place beside a placed block where `block` fits; one always exists above all. */
static int64_t lowest_place(const solver *s, int32_t block) {
  if (fits(s, block, 0)) return 0;
  int64_t lowest = INT64_MAX;
  for (int32_t i = 0; i < s->neighbours[block]; i++) {
    int32_t a = neighbour(s, block, i);
    if (s->offset[a] < 0) continue;
    int64_t above = s->offset[a] + separation(s, a, block);
    int64_t below = s->offset[a] - separation(s, block, a);
    if (above < lowest && fits(s, block, above)) lowest = above;
    if (below >= 0 && below < lowest && fits(s, block, below)) lowest = below;
  }
  return lowest;
}

static void keep_if_better(solver *s) {
  int64_t bytes = 0;
  for (int32_t b = 0; b < s->count; b++) {
    int64_t end = s->offset[b] + s->blocks[b].bytes;
    if (end > bytes) bytes = end;
  }
  if (bytes >= s->best_bytes) return;
  s->best_bytes = bytes;
  for (int32_t b = 0; b < s->count; b++) s->best[b] = s->offset[b];
}

typedef int64_t weight_of(const mn_block *block); /* the heavier first */
static int64_t by_bytes(const mn_block *block) {
  return block->bytes;
}
static int64_t by_area(const mn_block *block) {
  return block->bytes * (block->last - block->first + 1);
}
static int64_t by_duration(const mn_block *block) {
  return block->last - block->first;
}
static int64_t by_start(const mn_block *block) {
  return -(int64_t)block->first;
}
static int64_t by_end(const mn_block *block) {
  return block->last;
}

static void sort_order(solver *s, weight_of *weight) {
  for (int32_t i = 0; i < s->count; i++) {
    int32_t block = i, to = i;
    for (; to > 0 && weight(&s->blocks[s->order[to - 1]]) < weight(&s->blocks[block]); to--)
      s->order[to] = s->order[to - 1];
    s->order[to] = block;
  }
}

static void place_in_order(solver *s) {
  for (int32_t b = 0; b < s->count; b++) s->offset[b] = -1;
  for (int32_t i = 0; i < s->count; i++) s->offset[s->order[i]] = lowest_place(s, s->order[i]);
  keep_if_better(s);
}

/* Moves the blocks that end above the bound to the front, the others behind in their order. */
static void promote_high_blocks(solver *s, int32_t *spare) {
  int32_t front = 0, back = 0;
  for (int32_t i = 0; i < s->count; i++) {
    int32_t block = s->order[i];
    bool high = s->offset[block] + s->blocks[block].bytes > s->lower_bound;
    if (high)
      s->order[front++] = block;
    else
      spare[back++] = block;
  }
  memcpy(s->order + front, spare, (size_t)back * sizeof *spare);
}

#define MENDINGS 60 /* of one starting order */

static void greedy(solver *s, weight_of *weight, int32_t *spare) {
  sort_order(s, weight);
  for (int32_t i = 0; i < MENDINGS && s->best_bytes > s->lower_bound; i++) {
    place_in_order(s);
    promote_high_blocks(s, spare);
  }
}

/* ---- Branch and bound ----------------------------------------------------------------------*/
/* The lowest offset left to a block that is not placed, given that offsets only grow. */
static int64_t floor_of(const solver *s, int32_t block, int64_t last_offset) {
  int64_t floor = last_offset;
  for (int32_t i = 0; i < s->neighbours[block]; i++) {
    int32_t a = neighbour(s, block, i);
    if (s->offset[a] < 0) continue;
    int64_t above = s->offset[a] + separation(s, a, block);
    if (above > floor) floor = above;
  }
  return floor;
}

/* The lowest offset a block can take by resting on placed blocks; below `last_offset` it would have
 * been placed earlier, so it is not a branch of its own. */
static int64_t resting_place(const solver *s, int32_t block) {
  return floor_of(s, block, 0);
}

/* True where no completion of the partial layout is better than the best known. */
static bool hopeless(const solver *s, const int64_t *floor) {
  for (int32_t time = 0; time < s->times; time++) {
    int64_t lowest = INT64_MAX;
    for (int32_t b = 0; b < s->count; b++) {
      if (s->offset[b] >= 0 || time < s->blocks[b].first || time > s->blocks[b].last) continue;
      if (floor[b] < lowest) lowest = floor[b];
      if (floor[b] + s->blocks[b].bytes >= s->best_bytes) return true;
    }
    if (lowest == INT64_MAX) continue;
    if (lowest + covered_at(s->blocks, s->count, time, s->offset) >= s->best_bytes) return true;
  }
  return false;
}

typedef struct frame {
  int32_t candidate; /* the next block to try at this depth */
  int64_t last_offset;
} frame;

static bool search_ends(const solver *s) {
  return s->nodes >= s->node_limit || s->best_bytes <= s->lower_bound;
}

/* Depth-first over orders of blocks by ascending offset; the stack is explicit. */
static void branch_and_bound(solver *s, frame *stack, int32_t *chosen, int64_t *floor) {
  for (int32_t b = 0; b < s->count; b++) s->offset[b] = -1;
  int32_t depth = 0;
  stack[0] = (frame){0, 0};
  while (depth >= 0 && !search_ends(s)) {
    frame *top = &stack[depth];
    if (depth == s->count) keep_if_better(s);
    if (depth == s->count || top->candidate == s->count) {
      if (--depth >= 0) s->offset[chosen[depth]] = -1;
      continue;
    }
    int32_t block = top->candidate++;
    if (s->offset[block] >= 0) continue;
    int64_t place = resting_place(s, block);
    if (place < top->last_offset || place + s->blocks[block].bytes >= s->best_bytes) continue;
    s->nodes++;
    s->offset[block] = place;
    for (int32_t b = 0; b < s->count; b++)
      if (s->offset[b] < 0) floor[b] = floor_of(s, b, place);
    if (hopeless(s, floor)) {
      s->offset[block] = -1;
      continue;
    }
    chosen[depth++] = block;
    stack[depth] = (frame){0, place};
  }
}

/* ---- Entry ---------------------------------------------------------------------------------*/
static void round_blocks(mn_block *blocks, int32_t count, int64_t align) {
  for (int32_t b = 0; b < count; b++) {
    blocks[b].bytes = round_up(blocks[b].bytes, align);
    for (int32_t i = 0; i < MN_BLOCK_MAX_OVER; i++)
      if (blocks[b].over[i] >= 0) blocks[b].distance[i] = round_up(blocks[b].distance[i], align);
  }
}

static bool allocate(solver *s, mn_arena *arena) {
  size_t n = (size_t)s->count;
  s->separation = mn_arena_array(arena, n * n, sizeof *s->separation);
  s->neighbour = mn_arena_array(arena, n * n, sizeof *s->neighbour);
  s->neighbours = mn_arena_array(arena, n, sizeof *s->neighbours);
  s->order = mn_arena_array(arena, n, sizeof *s->order);
  s->offset = mn_arena_array(arena, n, sizeof *s->offset);
  s->best = mn_arena_array(arena, n, sizeof *s->best);
  return s->separation != NULL && s->neighbour != NULL && s->neighbours != NULL &&
         s->order != NULL && s->offset != NULL && s->best != NULL;
}

static void find_neighbours(solver *s) {
  for (int32_t a = 0; a < s->count; a++) {
    int64_t row = (int64_t)a * s->count;
    if (s->blocks[a].last >= s->times) s->times = s->blocks[a].last + 1;
    for (int32_t b = 0; b < s->count; b++) {
      s->separation[row + b] = a == b ? -1 : separation_of(s->blocks, a, b);
      if (s->separation[row + b] >= 0) s->neighbour[row + s->neighbours[a]++] = b;
    }
  }
}

static mn_status solve(mn_layout *layout, mn_block *blocks, int32_t count,
                       const mn_layout_limits *limits, mn_arena *arena, mn_error *error) {
  solver s = {
      .blocks = blocks, .count = count, .best_bytes = INT64_MAX, .node_limit = limits->nodes};
  size_t n = (size_t)count;
  int64_t *floor = mn_arena_array(arena, n, sizeof *floor);
  int32_t *chosen = mn_arena_array(arena, n, sizeof *chosen);
  frame *stack = mn_arena_array(arena, n + 1, sizeof *stack);
  if (!allocate(&s, arena) || floor == NULL || chosen == NULL || stack == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while laying out %d blocks", count);
  find_neighbours(&s);
  s.lower_bound = lower_bound_of(blocks, count, s.times);
  *layout = (mn_layout){.bytes = s.lower_bound, .lower_bound = s.lower_bound};
  if (s.lower_bound > limits->most) return MN_OK;

  weight_of *const orders[] = {by_start, by_bytes, by_area, by_duration, by_end};
  for (size_t i = 0; i < MN_COUNT(orders) && s.best_bytes > s.lower_bound; i++)
    greedy(&s, orders[i], chosen);
  branch_and_bound(&s, stack, chosen, floor);
  /* A search that ran to its end proved its best layout. */
  if (s.nodes < s.node_limit) s.lower_bound = s.best_bytes;

  for (int32_t b = 0; b < count; b++) blocks[b].offset = s.best[b];
  *layout = (mn_layout){.bytes = s.best_bytes, .lower_bound = s.lower_bound, .nodes = s.nodes};
  return MN_OK;
}

mn_status mn_layout_solve(mn_layout *layout, mn_block *blocks, int32_t count,
                          const mn_layout_limits *limits, mn_arena *arena, mn_error *error) {
  *layout = (mn_layout){0};
  if (count == 0) return MN_OK;
  round_blocks(blocks, count, limits->align);
  mn_arena_mark mark = mn_arena_mark_get(arena);
  mn_status status = solve(layout, blocks, count, limits, arena, error);
  mn_arena_release(arena, mark);
  return status;
}
