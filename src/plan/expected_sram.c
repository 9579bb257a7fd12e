/* expected_sram.c - the SRAM term of search as a smooth function of tensor sizes. One term per time of a
 * schedule (or per op, as in the paper); the terms join in a norm of high power. The schedule stands still
 * while sizes move: which ops share a loop, how many rows of a tensor a slab holds, what is written
 * over what.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "micronets/plan.h"
#include "plan/layout.h"

/* ---- Joining -------------------------------------------------------------------------------*/
typedef struct terms {
  double *value; /* [count]; afterwards the slope of the whole with respect to each */
  double *exists;
  int32_t count;
} terms;

static bool terms_create(terms *t, int32_t count) {
  *t = (terms){.value = mn_calloc(2 * (size_t)count + 1, sizeof *t->value), .count = count};
  t->exists = t->value + count;
  return t->value != NULL;
}

static double peak_of(const terms *t) {
  double peak = 0;
  for (int32_t i = 0; i < t->count; i++)
    if (t->exists[i] > 0 && t->value[i] > peak) peak = t->value[i];
  return peak;
}

/* The maximum is that of the first term that reaches it. */
static double join_sharply(terms *t, double peak) {
  bool found = false;
  for (int32_t i = 0; i < t->count; i++) {
    bool here = !found && t->exists[i] > 0 && t->value[i] >= peak;
    found = found || here;
    t->value[i] = here ? 1 : 0;
  }
  return peak;
}

static double join(terms *t, double sharpness) {
  double peak = peak_of(t), sum = 0;
  if (isinf(sharpness) || !(peak > 0)) return join_sharply(t, peak);
  for (int32_t i = 0; i < t->count; i++)
    if (t->exists[i] > 0 && t->value[i] > 0)
      sum += t->exists[i] * pow(t->value[i] / peak, sharpness);
  double whole = peak * pow(sum, 1 / sharpness);
  for (int32_t i = 0; i < t->count; i++)
    t->value[i] = t->exists[i] > 0 && t->value[i] > 0
                      ? t->exists[i] * pow(t->value[i] / whole, sharpness - 1)
                      : 0;
  return whole;
}

/* ---- The schedule's terms ------------------------------------------------------------------*/
typedef struct sizes {
  const mn_memory *memory;
  double *full,
      *dfull;   /* [block_count] bytes of a block's tensor, as far as it exists; of scratch 1 */
  double align; /* 0: none */
} sizes;

static double rounded(const sizes *s, double bytes) {
  if (!(s->align > 0)) return bytes;
  return ceil(bytes / s->align - 1e-9) * s->align; /* shares of widths are not exact */
}

static double bytes_of(const sizes *s, int32_t b) {
  return rounded(s, s->memory->blocks[b].share * s->full[b]);
}

/* What block b adds at a time to those that it is written over and that are there still: the least of
 * its choices. In *which: 2 * i, its distance below over[i]; 2 * i + 1, what it is larger; -1, all of it. */
static double added_bytes(const sizes *s, int32_t b, int32_t time, int32_t *which) {
  const mn_plan_block *y = &s->memory->blocks[b];
  double bytes = bytes_of(s, b), least = bytes;
  *which = -1;
  for (int32_t i = 0; i < MN_BLOCK_MAX_OVER; i++) {
    int32_t x = y->over[i];
    if (x < 0 || s->memory->blocks[x].last < time) continue;
    double distance = rounded(s, fmax(0, y->y_share[i] * s->full[b] - y->x_share[i] * s->full[x]));
    double larger = bytes - bytes_of(s, x);
    if (fmax(distance, larger) >= least) continue;
    least = fmax(distance, larger);
    *which = 2 * i + (larger > distance);
  }
  return least;
}

/* Adds slope * d added / d full. */
static void add_slope(const sizes *s, int32_t b, int32_t time, double slope) {
  const mn_plan_block *y = &s->memory->blocks[b];
  int32_t which;
  double added = added_bytes(s, b, time, &which);
  if (which < 0 || which % 2 == 1) s->dfull[b] += slope * y->share;
  if (which < 0) return;
  int32_t x = y->over[which / 2];
  if (which % 2 == 1) s->dfull[x] -= slope * s->memory->blocks[x].share;
  if (which % 2 == 1 || !(added > 0)) return;
  s->dfull[b] += slope * y->y_share[which / 2];
  s->dfull[x] -= slope * y->x_share[which / 2];
}

static bool is_there(const mn_plan_block *block, int32_t time) {
  return block->first <= time && time <= block->last;
}

static double exists_of(const double *exists, int32_t op) {
  return op < 0 ? 1 : exists[op];
}

static double held_at(const sizes *s, int32_t time) {
  double bytes = 0;
  int32_t which;
  for (int32_t b = 0; b < s->memory->block_count; b++)
    if (is_there(&s->memory->blocks[b], time)) bytes += added_bytes(s, b, time, &which);
  return bytes;
}

static void fill_sizes(const sizes *s, const double *tensor_bytes, const double *op_exists) {
  for (int32_t b = 0; b < s->memory->block_count; b++) {
    const mn_plan_block *block = &s->memory->blocks[b];
    s->full[b] =
        exists_of(op_exists, block->op) * (block->tensor < 0 ? 1 : tensor_bytes[block->tensor]);
  }
}

static void pass_back(double *dbytes, const sizes *s, const terms *t, const double *op_exists) {
  for (int32_t i = 0; i < t->count; i++)
    for (int32_t b = 0; b < s->memory->block_count && t->value[i] > 0; b++)
      if (is_there(&s->memory->blocks[b], i + 1)) add_slope(s, b, i + 1, t->value[i]);
  for (int32_t b = 0; b < s->memory->block_count; b++) {
    const mn_plan_block *block = &s->memory->blocks[b];
    if (block->tensor >= 0) dbytes[block->tensor] += s->dfull[b] * exists_of(op_exists, block->op);
  }
}

double mn_plan_expected_sram(double *dbytes, const mn_memory *memory, const double *tensor_bytes,
                             int32_t tensor_count, const double *op_exists, double sharpness) {
  sizes s = {.memory = memory, .align = isinf(sharpness) ? MN_ARENA_ALIGN : 0};
  terms t;
  double value = (double)NAN;
  s.full = mn_calloc(2 * (size_t)memory->block_count + 1, sizeof *s.full);
  s.dfull = s.full + memory->block_count;
  for (int32_t i = 0; i < tensor_count; i++) dbytes[i] = 0;
  if (terms_create(&t, memory->op_count) && s.full != NULL) {
    fill_sizes(&s, tensor_bytes, op_exists);
    for (int32_t i = 0; i < memory->op_count; i++) {
      t.exists[i] = memory->op[i] < 0 ? 0 : op_exists[memory->op[i]];
      if (t.exists[i] > 0) t.value[i] = held_at(&s, i + 1);
    }
    value = join(&t, sharpness);
    pass_back(dbytes, &s, &t, op_exists);
  }
  mn_free(t.value);
  mn_free(s.full);
  return value;
}

/* ---- The paper's terms -----------------------------------------------------------------------*/
/* How often the bytes of tensor `id` count in the term of `op`. */
static double paper_weight(const mn_op *op, mn_tensor_id id) {
  double count = id == op->output ? 1 : 0;
  for (int32_t i = 0; i < op->inputs; i++) count += op->input[i] == id ? 1 : 0;
  return count;
}

double mn_paper_expected_sram(double *dbytes, const mn_graph *graph, const double *tensor_bytes,
                              const double *op_exists, double sharpness) {
  terms t;
  double value = (double)NAN;
  for (int32_t id = 0; id < graph->tensor_count; id++) dbytes[id] = 0;
  if (terms_create(&t, graph->op_count)) {
    for (int32_t op = 0; op < graph->op_count; op++) {
      t.exists[op] = graph->ops[op].kind == MN_OP_MIX ? 0 : op_exists[op];
      for (int32_t id = 0; id < graph->tensor_count; id++)
        if (!graph->tensors[id].constant)
          t.value[op] += paper_weight(&graph->ops[op], id) * tensor_bytes[id];
    }
    value = join(&t, sharpness);
    for (int32_t op = 0; op < graph->op_count; op++)
      for (int32_t id = 0; id < graph->tensor_count && t.value[op] > 0; id++)
        if (!graph->tensors[id].constant)
          dbytes[id] += t.value[op] * paper_weight(&graph->ops[op], id);
  }
  mn_free(t.value);
  return value;
}
