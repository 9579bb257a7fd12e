/* expected_sram.c - the SRAM term of search: what plan.c would need for expected tensor sizes, as a
 * smooth function. One term per op, the bytes alive while it runs; the terms join in a norm of high
 * power (`sharpness`). INFINITY gives the plain maximum, every size rounded up as the planner does.
 *
 * In a supernet an op runs only where its decision lets it: what the other side of a MIX reads does
 * not keep a tensor alive, and a MIX copies nothing. So at one-hot sizes each term is that of the
 * lowered graph.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "micronets/plan.h"
#include "plan/kernel_table.h"
#include "plan/layout.h"

typedef struct life {
  const mn_graph *graph;
  int32_t *first, *last; /* [tensor_count] op indices; first -1: an input of the graph */
  int32_t *block;        /* [tensor_count] the tensor whose memory it shares; itself mostly */
  int32_t *off_of;       /* [op_count] the MIX whose second operand alone it serves; -1 none */
  double *term;          /* [op_count] */
} life;

/* ---- Which ops run only where a shortcut is taken ------------------------------------------------*/
/* The MIX that op `reader` makes of its operand `slot`: itself, or the one it serves; -1: another use. */
static int32_t served_by(const life *l, int32_t reader, int32_t slot) {
  if (l->graph->ops[reader].kind == MN_OP_MIX) return slot == 1 ? reader : -1;
  return l->off_of[reader];
}

static void find_shortcut_ops(life *l) {
  const mn_graph *g = l->graph;
  for (int32_t op = g->op_count - 1; op >= 0; op--) {
    int32_t mix = -2; /* not read yet */
    for (int32_t reader = op + 1; reader < g->op_count; reader++)
      for (int32_t slot = 0; slot < g->ops[reader].inputs; slot++) {
        if (g->ops[reader].input[slot] != g->ops[op].output) continue;
        int32_t by = served_by(l, reader, slot);
        mix = mix == -2 || mix == by ? by : -1;
      }
    l->off_of[op] = mix < 0 || g->ops[op].kind == MN_OP_MIX ? -1 : mix;
  }
}

/* ---- Lifetimes -----------------------------------------------------------------------------*/
static mn_overlap overlap_of(mn_op_kind kind) {
  const mn_kernel_row *row;
  for (int32_t i = 0; (row = mn_kernel_row_at(i)) != NULL; i++)
    if (row->op == kind && row->family[0] == 'r') return row->overlap;
  return MN_OVERLAP_NONE;
}

static bool is_activation(const mn_graph *graph, mn_tensor_id id) {
  return id >= 0 && !graph->tensors[id].constant;
}

static void extend(life *l, mn_tensor_id id, int32_t op) {
  if (is_activation(l->graph, id) && op > l->last[l->block[id]]) l->last[l->block[id]] = op;
}

/* A use from a shortcut of what comes from outside of it counts at that op alone. */
static bool keeps_alive(const life *l, int32_t op, mn_tensor_id id) {
  if (l->off_of[op] < 0) return true;
  int32_t maker = l->first[id];
  return maker >= 0 && l->off_of[maker] == l->off_of[op];
}

static void find_lifetimes(life *l) {
  const mn_graph *g = l->graph;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    l->first[t] = -1;
    l->block[t] = t;
    l->last[t] = g->tensors[t].variable ? g->op_count : -1;
  }
  for (int32_t op = 0; op < g->op_count; op++) {
    const mn_op *o = &g->ops[op];
    l->first[o->output] = op;
    if (overlap_of(o->kind) == MN_OVERLAP_ALIAS && is_activation(g, o->input[0]))
      l->block[o->output] = l->block[o->input[0]];
    extend(l, o->output, op);
    for (int32_t i = 0; i < o->inputs && o->kind != MN_OP_MIX; i++)
      if (o->input[i] >= 0 && keeps_alive(l, op, o->input[i])) extend(l, o->input[i], op);
  }
  for (int32_t i = 0; i < g->output_count; i++) extend(l, g->outputs[i], g->op_count);
}

/* ---- Terms ---------------------------------------------------------------------------------*/
/* True where the op writes its output over an input that dies. */
static bool writes_in_place(const life *l, int32_t op) {
  const mn_op *o = &l->graph->ops[op];
  if (overlap_of(o->kind) != MN_OVERLAP_ELEMENT) return false;
  for (int32_t i = 0; i < o->inputs; i++)
    if (is_activation(l->graph, o->input[i]) && l->last[l->block[o->input[i]]] == op) return true;
  return false;
}

static bool reads(const mn_op *op, mn_tensor_id id) {
  for (int32_t i = 0; i < op->inputs; i++)
    if (op->input[i] == id) return true;
  return false;
}

/* How often the bytes of tensor `id` count in the term of `op`. */
static double weight_planner(const life *l, int32_t op, mn_tensor_id id) {
  if (l->block[id] != id) return 0;
  const mn_op *o = &l->graph->ops[op];
  bool alive = l->first[id] <= op && op <= l->last[id];
  if (!alive) return reads(o, id) && l->off_of[op] >= 0 ? 1 : 0;
  return id == o->output && writes_in_place(l, op) ? 0 : 1;
}

static double weight_paper(const life *l, int32_t op, mn_tensor_id id) {
  const mn_op *o = &l->graph->ops[op];
  double count = id == o->output ? 1 : 0;
  for (int32_t i = 0; i < o->inputs; i++) count += o->input[i] == id ? 1 : 0;
  return count;
}

typedef double weight_of(const life *l, int32_t op, mn_tensor_id id);

static double rounded(double bytes, double align) {
  return align > 0 ? ceil(bytes / align - 1e-9) * align
                   : bytes; /* shares of widths are not exact */
}

static double peak_of(life *l, const double *bytes, const double *exists, weight_of *weight,
                      double align) {
  const mn_graph *g = l->graph;
  double peak = 0;
  for (int32_t op = 0; op < g->op_count; op++) {
    l->term[op] = 0;
    if (g->ops[op].kind == MN_OP_MIX || !(exists[op] > 0)) continue;
    for (int32_t t = 0; t < g->tensor_count; t++)
      if (is_activation(g, t)) l->term[op] += weight(l, op, t) * rounded(bytes[t], align);
    if (l->term[op] > peak) peak = l->term[op];
  }
  return peak;
}

/* The norm, and what each term adds to it: slope[op] replaces term[op]. */
static double join(life *l, const double *exists, double peak, double sharpness) {
  int32_t ops = l->graph->op_count;
  if (!(peak > 0)) return 0;
  if (isinf(sharpness)) {
    bool found = false;
    for (int32_t op = 0; op < ops; op++) {
      bool here = !found && l->term[op] >= peak;
      found = found || here;
      l->term[op] = here ? 1 : 0;
    }
    return peak;
  }
  double sum = 0;
  for (int32_t op = 0; op < ops; op++) sum += exists[op] * pow(l->term[op] / peak, sharpness);
  double value = peak * pow(sum, 1 / sharpness);
  for (int32_t op = 0; op < ops; op++)
    l->term[op] = exists[op] * pow(l->term[op] / value, sharpness - 1);
  return value;
}

static bool allocate(life *l) {
  size_t tensors = (size_t)l->graph->tensor_count, ops = (size_t)l->graph->op_count;
  l->first = mn_calloc(3 * tensors + ops + 1, sizeof *l->first);
  l->term = mn_calloc(ops + 1, sizeof *l->term);
  if (l->first == NULL || l->term == NULL) return false;
  l->last = l->first + tensors;
  l->block = l->last + tensors;
  l->off_of = l->block + tensors;
  return true;
}

double mn_plan_expected_sram(double *dbytes, const mn_graph *graph, const double *tensor_bytes,
                             const double *op_exists, double sharpness, bool paper) {
  life l = {.graph = graph};
  double value = (double)NAN;
  weight_of *weight = paper ? weight_paper : weight_planner;
  for (int32_t t = 0; t < graph->tensor_count; t++) dbytes[t] = 0;
  if (allocate(&l)) {
    find_shortcut_ops(&l);
    find_lifetimes(&l);
    double peak = peak_of(&l, tensor_bytes, op_exists, weight,
                          isinf(sharpness) && !paper ? MN_ARENA_ALIGN : 0);
    value = join(&l, op_exists, peak, sharpness);
    for (int32_t op = 0; op < graph->op_count; op++) {
      if (!(l.term[op] > 0)) continue;
      for (int32_t t = 0; t < graph->tensor_count; t++)
        if (is_activation(graph, t)) dbytes[t] += l.term[op] * weight(&l, op, t);
    }
  }
  mn_free(l.first);
  mn_free(l.term);
  return value;
}
