/* arguments_linear.c - see arguments_linear.h. With both multipliers given, every pair whose output is
 * v asks of the offset C that v <= (a * A + b * B + C) / 2^shift < v + 1; all pairs leave an interval of
 * C, or nothing: then multipliers nearby are tried.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_linear.h"

#include <math.h>
#include <stdlib.h>

#include "graph/quantization.h"
#include "kernels/add.h"
#include "kernels/add_linear.h"
#include "kernels/requantize.h"

enum { VALUES = 256, REACH = 6, MOST_POSITIONS = 255 };

typedef int8_t outputs[VALUES][VALUES]; /* [a + 128][b + 128] */

/* The definition, for every pair. */
static void tabulate(outputs y, const mn_add *p) {
  int32_t a[VALUES], b[VALUES], unit = (int32_t)1 << p->left_shift;
  for (int32_t i = 0; i < VALUES; i++) {
    a[i] = mn_requantize((i - 128 - p->a_zero_point) * unit, p->a_multiplier, p->a_shift);
    b[i] = mn_requantize((i - 128 - p->b_zero_point) * unit, p->b_multiplier, p->b_shift);
  }
  for (int32_t i = 0; i < VALUES; i++)
    for (int32_t k = 0; k < VALUES; k++) {
      int32_t q = mn_requantize(a[i] + b[k], p->output_multiplier, p->output_shift);
      y[i][k] = (int8_t)mn_clamp(q + p->output_zero_point, p->output_min, p->output_max);
    }
}

/* What all pairs leave of C; false where that is nothing. */
static bool offsets(int64_t *low, int64_t *high, outputs y, const mn_add_linear *l) {
  *low = INT32_MIN;
  *high = INT32_MAX;
  for (int32_t i = 0; i < VALUES && *low <= *high; i++)
    for (int32_t k = 0; k < VALUES; k++) {
      int64_t sum = (int64_t)(i - 128) * l->a_multiplier + (int64_t)(k - 128) * l->b_multiplier;
      int64_t least = (y[i][k] * ((int64_t)1 << l->shift)) - sum;
      int64_t most = least + ((int64_t)1 << l->shift) - 1;
      if (y[i][k] > l->output_min && least > *low) *low = least;
      if (y[i][k] < l->output_max && most < *high) *high = most;
    }
  return *low <= *high;
}

static bool fits(const mn_add_linear *l) {
  int64_t most = (int64_t)128 * (l->a_multiplier + (int64_t)l->b_multiplier);
  int64_t offset = l->offset < 0 ? -(int64_t)l->offset : l->offset;
  return most + offset <= INT32_MAX;
}

/* `most`: the largest magnitude of a sum, in steps of the output. */
static bool search(mn_add_linear *l, outputs y, double by_a, double by_b, double most) {
  for (l->shift = 30; l->shift > 8 && ldexp(most, l->shift) > INT32_MAX; l->shift--) {
  }
  for (int32_t i = 0; i < REACH * REACH * 4; i++) {
    int32_t near_a = i / (2 * REACH), near_b = i % (2 * REACH); /* 0, -1, 1, -2, 2 ... */
    int64_t low, high;
    l->a_multiplier =
        (int32_t)lround(ldexp(by_a, l->shift)) + (near_a & 1 ? -(near_a + 1) / 2 : near_a / 2);
    l->b_multiplier =
        (int32_t)lround(ldexp(by_b, l->shift)) + (near_b & 1 ? -(near_b + 1) / 2 : near_b / 2);
    if (!offsets(&low, &high, y, l)) continue;
    l->offset = (int32_t)(low + (high - low) / 2);
    if (fits(l)) return true;
  }
  return false;
}

/* The numbers of an op, in place of the definition's; zeroes on a bare graph. */
static bool linear_of(mn_add_linear *l, const mn_graph *graph, const mn_op *op, const mn_add *p) {
  *l = (mn_add_linear){
      .row_elements = p->row_elements, .output_min = p->output_min, .output_max = p->output_max};
  if (graph->tensors[op->input[0]].quantization.count == 0) return true;
  outputs y;
  double scale = (double)mn_activation_range(&graph->tensors[op->output]).scale;
  double by_a = (double)mn_activation_range(&graph->tensors[op->input[0]]).scale / scale;
  double by_b = (double)mn_activation_range(&graph->tensors[op->input[1]]).scale / scale;
  if (!(by_a + by_b < 1e5)) return false;
  tabulate(y, p);
  double most = 128 * (by_a + by_b) + abs(p->output_zero_point) + abs(p->a_zero_point) * by_a +
                abs(p->b_zero_point) * by_b + 2;
  return search(l, y, by_a, by_b, most);
}

static bool is_linear(mn_add_linear *l, const mn_graph *graph, const mn_op *op) {
  mn_kernel_arguments arguments;
  mn_error error;
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK) return false;
  bool linear = mn_walk_add(&arguments, arena, graph, op, &error) == MN_OK &&
                linear_of(l, graph, op, arguments.params);
  mn_arena_destroy(arena);
  return linear;
}

const char *mn_refuses_add_linear(const mn_graph *graph, const mn_op *op) {
  mn_add_linear l;
  const char *reason = mn_refuses_add(graph, op);
  if (reason != NULL) return reason;
  return is_linear(&l, graph, op) ? NULL : "no linear function gives every output";
}

const char *mn_dsp_refuses_add_linear(const mn_graph *graph, const mn_op *op) {
  mn_add_linear l;
  const char *reason = mn_refuses_add(graph, op);
  if (reason != NULL) return reason;
  if (!is_linear(&l, graph, op)) return "no linear function gives every output";
  return l.output_min == INT8_MIN && l.output_max == INT8_MAX ? NULL : "a narrower output range";
}

mn_status mn_walk_add_linear(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                             const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_add(arguments, arena, graph, op, error));
  mn_add_linear *l = mn_arena_alloc(arena, sizeof *l);
  if (l == NULL) return mn_walk_no_memory(error, op);
  if (!linear_of(l, graph, op, arguments->params))
    return mn_error_set(error, MN_ERR_FAILED, "op %s: no linear function gives every output",
                        op->name);
  arguments->params = l;
  return MN_OK;
}

const char *mn_dsp_refuses_average_pool_2d(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_pool_2d(graph, op);
  if (reason != NULL) return reason;
  int64_t positions = (int64_t)op->window.kernel_h * op->window.kernel_w;
  return positions > MOST_POSITIONS ? "more than 255 positions in a window" : NULL;
}
