/* arguments_mve.c - see arguments_mve.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_mve.h"

#include <string.h>

#include "kernels/conv_2d.h"
#include "kernels/depthwise_3x3_mve.h"
#include "kernels/fully_connected.h"
#include "plan/arguments_block.h"

enum { LANES = 4, GROUP = 16, TAPS = 8, MOST_COLUMNS = 4000 };
enum { POSITIONS = 3, TERMS = 16, RULE = 9 }; /* of matrix_mve.h */
enum { PAIR_COLUMN = 16, SPOT = 8 };          /* of depthwise_3x3_mve.c, bytes */

static int32_t round_up(int32_t value) {
  return (value + LANES - 1) / LANES * LANES;
}

/* ---- What the kernels refuse -------------------------------------------------------------------*/
static const char *refuses_multiplier(const mn_graph *graph, const mn_op *op) {
  return op->window.multiplier > 1 ? "more than one output per channel"
                                   : mn_refuses_depthwise_conv_2d(graph, op);
}

/* Offsets of taps have 16 bits. */
const char *mn_mve_refuses_depthwise(const mn_graph *graph, const mn_op *op) {
  const char *reason = refuses_multiplier(graph, op);
  const mn_window *w = &op->window;
  if (reason != NULL) return reason;
  int64_t across = (int64_t)(w->kernel_w - 1) * w->dilation_w;
  int64_t width = (int64_t)(graph->tensors[op->output].shape.dim[2] - 1) * w->stride_w + across + 1;
  int64_t span = (int64_t)(w->kernel_h - 1) * w->dilation_h * width + across;
  return span * GROUP > UINT16_MAX ? "the window spans too many bytes" : NULL;
}

const char *mn_mve_refuses_depthwise_in_place(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_mve_refuses_depthwise(graph, op);
  return reason != NULL ? reason : mn_refuses_depthwise_in_place(graph, op);
}

/* Offsets into a pair of rows have 16 bits. */
const char *mn_mve_refuses_depthwise_3x3(const mn_graph *graph, const mn_op *op) {
  const char *reason = refuses_multiplier(graph, op);
  const mn_window *w = &op->window;
  if (reason != NULL) return reason;
  if (w->kernel_h != 3 || w->kernel_w != 3) return "the window is not 3x3";
  if (w->dilation_h != 1 || w->dilation_w != 1) return "the window is dilated";
  if (w->stride_h != w->stride_w || w->stride_w > 2) return "stride is not 1 or 2";
  int32_t width = graph->tensors[op->output].shape.dim[2] * w->stride_w;
  return width > MOST_COLUMNS ? "rows are too wide" : NULL;
}

const char *mn_mve_refuses_depthwise_3x3_in_place(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_mve_refuses_depthwise_3x3(graph, op);
  return reason != NULL ? reason : mn_refuses_depthwise_in_place(graph, op);
}

const char *mn_mve_refuses_fully_connected(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_fully_connected(graph, op);
  if (reason != NULL) return reason;
  int32_t zero_point = mn_activation_range(mn_op_operand(graph, op, 1)).zero_point;
  return zero_point != 0 ? "weights have a zero point other than 0" : NULL;
}

/* ---- Packing -----------------------------------------------------------------------------------*/
/* One multiplier and shift for each of `outputs` channels rounded up. */
static mn_status pack_scales(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                             int32_t outputs, int32_t per_channel, mn_error *error) {
  const int32_t *from = a->constant[2].data;
  const int8_t *from_shift = a->constant[3].data;
  size_t count = (size_t)round_up(outputs);
  int32_t *multiplier = mn_arena_array(arena, count, sizeof *multiplier);
  int8_t *shift = mn_arena_array(arena, count, sizeof *shift);
  if (multiplier == NULL || shift == NULL) return mn_walk_no_memory(error, op);
  for (size_t o = 0; o < count && from != NULL; o++) {
    bool there = o < (size_t)outputs;
    multiplier[o] = there ? from[o * (size_t)per_channel] : 0;
    shift[o] = (int8_t)(there ? from_shift[o * (size_t)per_channel] : -1);
  }
  a->constant[2].data = from != NULL ? multiplier : NULL;
  a->constant[2].bytes = count * sizeof *multiplier;
  a->constant[3].data = from != NULL ? shift : NULL;
  a->constant[3].bytes = count;
  return MN_OK;
}

static mn_status pack(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                      const mn_pack_source *source, int32_t rows, int32_t per_channel,
                      mn_error *error) {
  MN_TRY(mn_pack_rows(a, arena, op, source, rows, round_up(source->outputs + 3), error));
  return pack_scales(a, arena, op, source->outputs, per_channel, error);
}

/* Weights and rules of matrix_mve.h, of what pack() left. */
static void fill_matrix(int8_t *weights, int32_t *rules, const mn_kernel_arguments *a,
                        const mn_pack_source *s) {
  static const int32_t place[LANES] = {0, 2, 1, 3};
  const int8_t *from = a->constant[0].data, *shift = a->constant[3].data;
  const int32_t *bias = a->constant[1].data, *multiplier = a->constant[2].data;
  for (int32_t o = 0; o < s->outputs; o++)
    memcpy(weights + (size_t)(o / LANES * LANES + place[o % LANES]) * (size_t)s->terms,
           from + (size_t)o * (size_t)s->terms, (size_t)s->terms);
  for (int32_t o = 0; o < round_up(s->outputs); o++) {
    int32_t *rule = rules + o / LANES * RULE, i = o % LANES;
    rule[i] = bias[o], rule[LANES + i] = multiplier[o];
    rule[2 * LANES] |= (int32_t)((uint32_t)(uint8_t)shift[o] << 8 * i);
  }
}

static mn_status pack_matrix(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                             const mn_pack_source *s, int32_t per_channel, mn_error *error) {
  MN_TRY(pack(a, arena, op, s, 1, per_channel, error));
  size_t bytes = (size_t)round_up(s->outputs) * (size_t)s->terms + TERMS;
  size_t words = (size_t)round_up(s->outputs) / LANES * RULE;
  int8_t *weights = mn_arena_alloc(arena, bytes);
  int32_t *rules = mn_arena_array(arena, words, sizeof *rules);
  if (weights == NULL || rules == NULL) return mn_walk_no_memory(error, op);
  bool bare = s->weights == NULL;
  if (!bare) fill_matrix(weights, rules, a, s);
  a->constant[0].data = bare ? NULL : weights;
  a->constant[0].bytes = bytes;
  a->constant[1] = (mn_constant){.name = "rules",
                                 .dtype = MN_DTYPE_INT32,
                                 .data = bare ? NULL : rules,
                                 .bytes = words * sizeof *rules};
  a->constants = 2;
  return MN_OK;
}

/* ---- Walkers -----------------------------------------------------------------------------------*/
static mn_status finish_conv_2d(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op,
                                int64_t channel_step, int64_t term_step, mn_error *error) {
  const mn_conv_2d *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->output_c,
                      .terms = p->kernel_h * p->kernel_w * p->input_c,
                      .channel_step = channel_step,
                      .term_step = term_step,
                      .folded = p->input_zero_point};
  a->scratch_bytes = (int64_t)POSITIONS * ((s.terms + TERMS - 1) / TERMS * TERMS);
  return pack_matrix(a, arena, op, &s, p->per_channel, error);
}

mn_status mn_mve_walk_conv_2d(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                              const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_conv_2d(a, arena, graph, op, error));
  const mn_conv_2d *p = a->params;
  int64_t terms = (int64_t)p->kernel_h * p->kernel_w * p->input_c;
  return finish_conv_2d(a, arena, op, terms, 1, error);
}

mn_status mn_mve_walk_one_channel(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                                  const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_one_channel(a, arena, graph, op, error));
  const mn_conv_2d *p = a->params;
  return finish_conv_2d(a, arena, op, 1, p->output_c, error);
}

static mn_status walk_depthwise(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                                const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(a, arena, graph, op, error));
  const mn_depthwise_conv_2d *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->output_c,
                      .terms = p->kernel_h * p->kernel_w,
                      .channel_step = 1,
                      .term_step = p->output_c,
                      .folded = p->input_zero_point};
  return pack(a, arena, op, &s, LANES, p->per_channel, error);
}

mn_status mn_mve_walk_depthwise(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                                const mn_op *op, mn_error *error) {
  MN_TRY(walk_depthwise(a, arena, graph, op, error));
  const mn_depthwise_conv_2d *p = a->params;
  int64_t rows = mn_depthwise_strip_mve(p->output_h, p->output_w);
  int64_t height = (rows - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
  int64_t width = (p->output_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
  int64_t taps = (int64_t)(p->kernel_h * p->kernel_w + TAPS - 1) / TAPS * TAPS;
  a->scratch_bytes = taps * (int64_t)sizeof(int32_t) + height * width * GROUP;
  return MN_OK;
}

mn_status mn_mve_walk_depthwise_3x3(mn_kernel_arguments *a, mn_arena *arena, const mn_graph *graph,
                                    const mn_op *op, mn_error *error) {
  MN_TRY(walk_depthwise(a, arena, graph, op, error));
  const mn_depthwise_conv_2d *p = a->params;
  int64_t pairs = mn_depthwise_3x3_pairs_mve(p) + 1, columns = mn_depthwise_3x3_columns_mve(p);
  a->scratch_bytes = (pairs * columns + 2) * PAIR_COLUMN + mn_depthwise_3x3_spots_mve(p) * SPOT;
  return MN_OK;
}

mn_status mn_mve_walk_fully_connected(mn_kernel_arguments *a, mn_arena *arena,
                                      const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_fully_connected(a, arena, graph, op, error));
  const mn_fully_connected *p = a->params;
  mn_pack_source s = {.weights = a->constant[0].data,
                      .outputs = p->outputs,
                      .terms = p->inputs,
                      .channel_step = p->inputs,
                      .term_step = 1,
                      .folded = p->input_zero_point};
  return pack(a, arena, op, &s, 1, p->per_channel, error);
}
