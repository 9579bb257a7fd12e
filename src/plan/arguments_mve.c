/* arguments_mve.c - see arguments_mve.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_mve.h"

#include "kernels/conv_2d.h"
#include "kernels/depthwise_3x3_mve.h"
#include "kernels/fully_connected.h"
#include "plan/arguments_block.h"

enum { LANES = 4, GROUP = 16, POSITIONS = 3, SLACK = 4, MOST_COLUMNS = 4000 };
enum { PAIR_COLUMN = 16, SPOT = 8 }; /* of depthwise_3x3_mve.c, bytes */

static int32_t round_up(int32_t value) {
  return (value + LANES - 1) / LANES * LANES;
}

/* ---- What the kernels refuse -------------------------------------------------------------------*/
const char *mn_mve_refuses_depthwise(const mn_graph *graph, const mn_op *op) {
  return op->window.multiplier > 1 ? "more than one output per channel"
                                   : mn_refuses_depthwise_conv_2d(graph, op);
}

const char *mn_mve_refuses_depthwise_in_place(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_mve_refuses_depthwise(graph, op);
  return reason != NULL ? reason : mn_refuses_depthwise_in_place(graph, op);
}

/* Offsets into a pair of rows have 16 bits. */
const char *mn_mve_refuses_depthwise_3x3(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_mve_refuses_depthwise(graph, op);
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
  int64_t sums = (int64_t)round_up(p->output_c + 3) * (int64_t)sizeof(int32_t);
  a->scratch_bytes = POSITIONS * (sums + s.terms);
  return pack(a, arena, op, &s, 1, p->per_channel, error);
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
  a->scratch_bytes = (height * width + SLACK) * GROUP;
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
  a->scratch_bytes = (int64_t)round_up(p->outputs) * (int64_t)sizeof(int32_t);
  return pack(a, arena, op, &s, 1, p->per_channel, error);
}
