/* cycles.c - modelled cycles of one op: its shape in the terms of the cycle table, times the
 * coefficients fitted for its kernel on the target's core.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/cycles.h"

#include <stdio.h>

#include "plan/arguments.h"
#include "plan/kernel_table.h"

typedef struct shape_4 {
  double h, w, c;
} shape_4;

/* Rows, columns and channels as kernels see them: one row where the rank is below 4. */
static shape_4 shape_of(const mn_graph *graph, mn_tensor_id id) {
  int32_t dim[4];
  mn_shape_four(dim, &graph->tensors[id].shape);
  return (shape_4){dim[1], dim[2], dim[3]};
}

static bool has_window(mn_op_kind kind) {
  return kind == MN_OP_CONV_2D || kind == MN_OP_DEPTHWISE_CONV_2D ||
         kind == MN_OP_AVERAGE_POOL_2D || kind == MN_OP_MAX_POOL_2D;
}

/* How many taps of a window lie inside the map along one axis, summed over the outputs. */
static double taps_inside(int32_t input, int32_t output, int32_t kernel, int32_t stride,
                          int32_t dilation, int32_t pad) {
  double inside = 0;
  for (int32_t o = 0; o < output; o++)
    for (int32_t k = 0; k < kernel; k++) {
      int32_t at = o * stride - pad + k * dilation;
      inside += at >= 0 && at < input;
    }
  return inside;
}

static double ceil_to(double value, int32_t multiple) {
  int64_t whole = (int64_t)value;
  return (double)((whole + multiple - 1) / multiple * multiple);
}

/* Of an op with a window: what one output position reads, and multiply-accumulates (a pool's values
 * looked at) in whole and inside the map. Each call takes its positions four at a time. */
static void window_terms(double *terms, const mn_graph *graph, const mn_op *op, int32_t calls) {
  mn_kernel_window w = mn_window_of(graph, op);
  double outputs = w.output_c, taps = (double)w.kernel_h * w.kernel_w;
  double positions = (double)w.output_h * w.output_w;
  double rows_inside =
      taps_inside(w.input_h, w.output_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
  double inside = rows_inside * taps_inside(w.input_w, w.output_w, w.kernel_w, w.stride_w,
                                            w.dilation_w, w.pad_left);
  double depth = op->kind == MN_OP_CONV_2D ? w.input_c : 1;
  terms[MN_CYCLE_GATHERED] = positions * taps * w.input_c;
  terms[MN_CYCLE_MACS] = positions * taps * depth * outputs;
  terms[MN_CYCLE_INSIDE_MACS] = inside * depth * outputs;
  terms[MN_CYCLE_INSIDE_ROWS] = rows_inside * w.output_w * outputs;
  if (w.kernel_h != 3 || w.kernel_w != 3) {
    terms[MN_CYCLE_OTHER_MACS] = terms[MN_CYCLE_MACS];
    terms[MN_CYCLE_OTHER_ROWS] = positions * w.kernel_h * outputs;
  }
  terms[MN_CYCLE_INSIDE_TAPS] = inside * (op->kind == MN_OP_CONV_2D ? outputs : 1);
  bool deep = op->kind == MN_OP_CONV_2D;
  terms[MN_CYCLE_MACS_BY_4] =
      deep ? calls * ceil_to(positions / calls, 4) * ceil_to(taps * depth, 4) * ceil_to(outputs, 2)
           : w.output_h * ceil_to(w.output_w, 2) * taps * outputs;
  terms[MN_CYCLE_MACS_BY_16] = deep ? positions * ceil_to(taps * depth, 16) * ceil_to(outputs, 4)
                                    : positions * taps * ceil_to(outputs, 16);
}

/* Each filter weighs the values and its own memory, which moves on by a step. */
static void svdf_terms(double *terms, const mn_graph *graph, const mn_op *op) {
  const mn_shape *feature = &graph->tensors[op->input[1]].shape;
  const mn_shape *time = &graph->tensors[op->input[2]].shape;
  terms[MN_CYCLE_MACS] = (double)feature->dim[0] * feature->dim[1];
  terms[MN_CYCLE_INSIDE_MACS] = (double)time->dim[0] * time->dim[1];
  terms[MN_CYCLE_INSIDE_ROWS] = feature->dim[0];
}

void mn_cycle_terms(double *terms, const mn_graph *graph, const mn_op *op, int32_t calls) {
  shape_4 x = shape_of(graph, op->input[0]), y = shape_of(graph, op->output);
  double inputs = x.h * x.w * x.c, outputs = y.h * y.w * y.c;
  for (int32_t i = 0; i < MN_CYCLE_TERMS; i++) terms[i] = 0;
  terms[MN_CYCLE_CALLS] = calls;
  terms[MN_CYCLE_CALL_CHANNELS] = calls * y.c;
  terms[MN_CYCLE_ROWS] = y.h;
  terms[MN_CYCLE_POSITIONS] = y.h * y.w;
  terms[MN_CYCLE_OUTPUTS] = outputs;
  terms[MN_CYCLE_INPUTS] = inputs;
  if (has_window(op->kind)) window_terms(terms, graph, op, calls);
  if (op->kind == MN_OP_MEAN) {
    terms[MN_CYCLE_INSIDE_TAPS] = x.h * x.w;
    terms[MN_CYCLE_INSIDE_ROWS] = x.h * y.c;
  }
  if (op->kind == MN_OP_SVDF) svdf_terms(terms, graph, op);
  if (op->kind != MN_OP_FULLY_CONNECTED) return;
  double depth = (double)mn_shape_elements(&graph->tensors[op->input[1]].shape) / y.c;
  terms[MN_CYCLE_MACS] = outputs * depth;
  terms[MN_CYCLE_MACS_BY_4] = ceil_to(y.c, 4) * ceil_to(depth, 4) * (outputs / y.c);
  terms[MN_CYCLE_MACS_BY_16] = ceil_to(y.c, 4) * ceil_to(depth, 16) * (outputs / y.c);
}

static double cycles_of(const char *symbol, const mn_graph *graph, const mn_op *op,
                        const mn_target *target, int32_t calls) {
  const mn_cycle_row *cost = target != NULL ? mn_target_cycle_row(target, symbol) : NULL;
  if (cost == NULL) return -1;
  double terms[MN_CYCLE_TERMS], cycles = 0;
  mn_cycle_terms(terms, graph, op, calls);
  for (int32_t i = 0; i < MN_CYCLE_TERMS; i++) cycles += cost->cycles[i] * terms[i];
  return cycles * (target->cycle_factor > 0 ? target->cycle_factor : 1);
}

double mn_kernel_cycles(const mn_kernel_row *row, const mn_graph *graph, const mn_op *op,
                        const mn_target *target, int32_t calls) {
  return cycles_of(row->symbol, graph, op, target, calls);
}

double mn_tflm_op_cycles(const mn_graph *graph, int32_t index, const mn_target *target) {
  const mn_op *op = &graph->ops[index];
  char symbol[64];
  bool point = op->kind == MN_OP_CONV_2D && op->window.stride_h == 1 && op->window.stride_w == 1;
  if (point) {
    const mn_shape *weights = &graph->tensors[op->input[1]].shape;
    point = weights->dim[1] == 1 && weights->dim[2] == 1;
  }
  snprintf(symbol, sizeof symbol, "tflm_%s%s", mn_op_info_get(op->kind)->text, point ? "_1x1" : "");
  return cycles_of(symbol, graph, op, target, 1);
}
