/* memory.c - large memory of a trainer: padded, on huge pages; gradients of values share buffers, since
 * only a few are alive at a time in the backward pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/mman.h>

#include "train/engine.h"

enum { HUGE = 2 << 20, LINE = 64, TAIL_FLOATS = 64 };

/* Zeros. Large blocks are given back to the system at once, which gives zeros where they are touched: gradients in
 * passes that only judge, and half of a compact value, never are. */
static void *block_alloc(size_t bytes) {
  const size_t alignment = bytes >= HUGE / 2 ? HUGE : LINE;
  const size_t size = (bytes + alignment - 1) / alignment * alignment;
  void *memory = mn_malloc_aligned(size, alignment);
  if (memory == NULL) return NULL;
  if (alignment != HUGE || madvise(memory, size, MADV_DONTNEED) != 0) memset(memory, 0, size);
  if (alignment == HUGE) (void)madvise(memory, size, MADV_HUGEPAGE); /* advice only */
  return memory;
}

static bool blocks_grow(mn_trainer *t) {
  if (t->block_count < t->block_capacity) return true;
  const int32_t capacity = t->block_capacity == 0 ? 64 : 2 * t->block_capacity;
  void **blocks = mn_realloc(t->blocks, (size_t)capacity * sizeof *blocks);
  if (blocks == NULL) return false;
  t->blocks = blocks;
  t->block_capacity = capacity;
  return true;
}

float *mn_engine_floats(mn_trainer *t, int64_t count) {
  if (!blocks_grow(t)) return NULL;
  void *memory = block_alloc(((size_t)count + TAIL_FLOATS) * sizeof(float));
  if (memory != NULL) t->blocks[t->block_count++] = memory;
  return memory;
}

static int64_t value_floats(const mn_trainer *t, const mn_value *v) {
  return v->pixels * v->stride * t->config.batch;
}

void mn_trainer_rest(mn_trainer *t) {
  for (int32_t i = 0; i < t->value_count; i++) {
    const mn_value *v = &t->values[i];
    const size_t bytes = (size_t)value_floats(t, v) * sizeof(float) / HUGE * HUGE;
    if (bytes == 0) continue;
    if (v->z != NULL) (void)madvise(v->z, bytes, MADV_DONTNEED); /* advice only */
    if (v->g != NULL) (void)madvise(v->g, bytes, MADV_DONTNEED);
  }
}

void mn_engine_release(mn_trainer *t) {
  for (int32_t i = 0; i < t->block_count; i++) mn_free_aligned(t->blocks[i]);
  mn_free(t->blocks);
}

/* ---- Gradients: one buffer serves values whose lives do not overlap ---------------------------*/
typedef struct slot {
  int64_t floats;
  bool taken;
} slot;

/* The best fitting free slot, else the largest free one enlarged, else a new one. */
static int32_t slot_take(slot *slots, int32_t *count, int64_t floats) {
  int32_t best = -1;
  for (int32_t i = 0; i < *count; i++) {
    if (slots[i].taken) continue;
    const bool fits = slots[i].floats >= floats;
    if (best < 0)
      best = i;
    else if (fits && (slots[best].floats < floats || slots[i].floats < slots[best].floats))
      best = i;
    else if (!fits && slots[best].floats < floats && slots[i].floats > slots[best].floats)
      best = i;
  }
  if (best < 0) {
    best = (*count)++;
    slots[best] = (slot){0};
  }
  if (slots[best].floats < floats) slots[best].floats = floats;
  slots[best].taken = true;
  return best;
}

/* Whether the unit's backward pass reads every row (or plane) of its output's gradient before it writes
 * the same row of its input's. Then both share a buffer, which stays in the cache. */
static bool backward_in_place(const mn_unit *u) {
  const mn_value *x = u->input[0], *y = u->output;
  const bool same = x->height == y->height && x->width == y->width && x->stride == y->stride;
  const bool sum = (u->family == &mn_add_family || u->family == &mn_mix_family) && u->input[1] != x;
  const bool rows = u->family == &mn_conv_family && u->direct && u->input_rows == 1;
  return same && x->compacts == y->compacts && !x->input && x->maker == NULL &&
         (rows || sum || (u->family == &mn_depthwise_family && u->window.multiplier == 1));
}

/* Walks the units backward: a value's gradient lives from its last reader to its maker. */
static int32_t slots_assign(const mn_trainer *t, slot *slots, int32_t *slot_of) {
  int32_t count = 0;
  for (int32_t i = 0; i < t->value_count; i++) slot_of[i] = -1;
  slot_of[t->scores - t->values] = slot_take(slots, &count, value_floats(t, t->scores));
  for (int32_t i = t->unit_count - 1; i >= 0; i--) {
    const mn_unit *u = &t->units[i];
    const int32_t own = slot_of[u->output - t->values];
    int32_t *first = &slot_of[u->input[0] - t->values];
    const bool in_place = own >= 0 && *first < 0 && backward_in_place(u);
    if (in_place) *first = own;
    for (int32_t k = 0; k < 2; k++) {
      const mn_value *v = u->input[k];
      if (v != NULL && v->maker != NULL) v = v->maker->input[0]; /* its gradient is written now */
      if (v == NULL || v->input || slot_of[v - t->values] >= 0) continue;
      slot_of[v - t->values] = slot_take(slots, &count, value_floats(t, v));
    }
    if (own >= 0 && !in_place) slots[own].taken = false;
  }
  return count;
}

static mn_status gradients_place(mn_trainer *t) {
  slot *slots = mn_arena_array(t->arena, (size_t)t->value_count, sizeof *slots);
  int32_t *slot_of = mn_arena_array(t->arena, (size_t)t->value_count, sizeof *slot_of);
  float **memory = mn_arena_array(t->arena, (size_t)t->value_count, sizeof *memory);
  if (slots == NULL || slot_of == NULL || memory == NULL) return MN_ERR_MEMORY;
  const int32_t count = slots_assign(t, slots, slot_of);
  for (int32_t i = 0; i < count; i++)
    if ((memory[i] = mn_engine_floats(t, slots[i].floats)) == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < t->value_count; i++)
    if (slot_of[i] >= 0) t->values[i].g = memory[slot_of[i]];
  return MN_OK;
}

static mn_status value_place(mn_trainer *t, mn_value *v) {
  float **const vectors[] = {
      &v->scale,   &v->shift,    &v->low,     &v->high,       &v->raw_scale,         &v->raw_shift,
      &v->raw_low, &v->raw_high, &v->mask,    &v->batch_mean, &v->inverse_deviation, &v->open,
      &v->on_g,    &v->on_z,     &v->constant};
  for (size_t i = 0; i < MN_COUNT(vectors); i++)
    if ((*vectors[i] = mn_arena_array(t->arena, (size_t)v->stride + TAIL_FLOATS, sizeof(float))) ==
        NULL)
      return MN_ERR_MEMORY;
  v->open_gradient = mn_arena_array(t->arena, (size_t)v->stride, sizeof(double));
  if (v->open_gradient == NULL) return MN_ERR_MEMORY;
  const size_t sums = (size_t)MN_SHARDS * MN_SUM_KINDS * (size_t)v->stride;
  if ((v->sums = mn_arena_array(t->arena, sums, sizeof(double))) == NULL) return MN_ERR_MEMORY;
  if (v->maker == NULL && (v->z = mn_engine_floats(t, value_floats(t, v))) == NULL)
    return MN_ERR_MEMORY;
  return MN_OK;
}

mn_status mn_engine_place(mn_trainer *t) {
  for (int32_t i = 0; i < t->value_count; i++) MN_TRY(value_place(t, &t->values[i]));
  MN_TRY(gradients_place(t));
  const int64_t threads = mn_pool_threads(t->config.pool);
  t->scratch_floats = (t->scratch_floats + LINE - 1) / LINE * LINE + TAIL_FLOATS;
  t->scratch = mn_engine_floats(t, threads * t->scratch_floats);
  t->item_loss = mn_arena_array(t->arena, (size_t)t->config.batch, sizeof(double));
  t->item_right = mn_arena_array(t->arena, (size_t)t->config.batch, sizeof *t->item_right);
  t->item_low = mn_arena_array(t->arena, (size_t)t->config.batch, sizeof(float));
  t->item_high = mn_arena_array(t->arena, (size_t)t->config.batch, sizeof(float));
  const bool missing = t->scratch == NULL || t->item_loss == NULL || t->item_right == NULL ||
                       t->item_low == NULL || t->item_high == NULL;
  return missing ? MN_ERR_MEMORY : MN_OK;
}
