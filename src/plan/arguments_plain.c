/* arguments_plain.c - arguments of the ops without weights: pools, add, pad, reshape, softmax, mean,
 * quantize.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph/quantization.h"
#include "kernels/add.h"
#include "kernels/copy.h"
#include "kernels/mean.h"
#include "kernels/pad.h"
#include "kernels/pool_2d.h"
#include "kernels/rescale.h"
#include "kernels/softmax.h"
#include "plan/arguments.h"

#define MAX_SOFTMAX_DEPTH 511     /* the last shift of softmax stays below 32 */
#define MAX_MEAN_ELEMENTS 8388608 /* an int32 sum of int8 cannot wrap */
#define MAX_S16_SUM 32768         /* nor one of int16 */

static const char *refuses_other(const mn_graph *graph, const mn_op *op, mn_dtype x, mn_dtype y) {
  bool same = graph->tensors[op->input[0]].dtype == x && graph->tensors[op->output].dtype == y;
  return same ? NULL : mn_refused_types;
}

static bool same_range(const mn_graph *graph, const mn_op *op) {
  mn_range x = mn_activation_range(&graph->tensors[op->input[0]]);
  mn_range y = mn_activation_range(&graph->tensors[op->output]);
  return memcmp(&x.scale, &y.scale, sizeof x.scale) == 0 && x.zero_point == y.zero_point;
}

static int32_t zero_point_of(const mn_graph *graph, mn_tensor_id id) {
  return mn_activation_range(&graph->tensors[id]).zero_point;
}

/* Rows as exec.h counts them: axis 1 of four, else one. */
static int32_t row_elements(const mn_shape *shape) {
  int64_t elements = mn_shape_elements(shape);
  return (int32_t)(shape->rank == 4 ? elements / shape->dim[1] : elements);
}

/* ---- Pools ---------------------------------------------------------------------------------*/
static const char *refuses_pool(const mn_graph *graph, const mn_op *op, mn_dtype type) {
  if (refuses_other(graph, op, type, type) != NULL) return mn_refused_types;
  const mn_window *window = &op->window;
  if (graph->tensors[op->input[0]].shape.dim[0] != 1) return "the batch is not 1";
  if (type == MN_DTYPE_INT16 && (int64_t)window->kernel_h * window->kernel_w > MAX_S16_SUM)
    return "more than 2^15 values per window";
  return same_range(graph, op) ? NULL : "input and output have different scales";
}

const char *mn_refuses_pool_2d(const mn_graph *graph, const mn_op *op) {
  return refuses_pool(graph, op, MN_DTYPE_INT8);
}

const char *mn_refuses_pool_2d_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_pool(graph, op, MN_DTYPE_INT16);
}

#define FROM_WINDOW(name) p->name = window.name;

mn_status mn_walk_pool_2d(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, mn_error *error) {
  mn_pool_2d *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  mn_kernel_window window = mn_window_of(graph, op);
  MN_KERNEL_WINDOW_FIELDS(FROM_WINDOW)
  return mn_output_limits(&p->output_min, &p->output_max, graph, op, error);
}

/* ---- Add -----------------------------------------------------------------------------------*/
static bool add_scaling(mn_add_scaling *scaling, const mn_graph *graph, const mn_op *op) {
  return mn_add_scaling_of(scaling, graph->tensors[op->output].dtype,
                           mn_activation_range(&graph->tensors[op->input[0]]).scale,
                           mn_activation_range(&graph->tensors[op->input[1]]).scale,
                           mn_activation_range(&graph->tensors[op->output]).scale);
}

static const char *refuses_add(const mn_graph *graph, const mn_op *op, mn_dtype type) {
  const mn_tensor *a = mn_op_operand(graph, op, 0), *b = mn_op_operand(graph, op, 1);
  mn_add_scaling scaling;
  if (refuses_other(graph, op, type, type) != NULL) return mn_refused_types;
  if (b == NULL || b->dtype != type) return "the terms have different types";
  if (!mn_shape_equal(&a->shape, &b->shape)) return "the terms have different shapes";
  if (a->quantization.count == 0) return NULL;
  return add_scaling(&scaling, graph, op) ? NULL : "the output scale is too small for its inputs";
}

const char *mn_refuses_add(const mn_graph *graph, const mn_op *op) {
  return refuses_add(graph, op, MN_DTYPE_INT8);
}

const char *mn_refuses_add_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_add(graph, op, MN_DTYPE_INT16);
}

mn_status mn_walk_add(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                      const mn_op *op, mn_error *error) {
  mn_add *p = mn_walk_begin(arguments, arena, op, sizeof *p, 2);
  if (p == NULL) return mn_walk_no_memory(error, op);
  mn_add_scaling s = {0};
  if (graph->tensors[op->input[0]].quantization.count > 0) (void)add_scaling(&s, graph, op);
  *p = (mn_add){
      .row_elements = row_elements(&graph->tensors[op->output].shape),
      .a_zero_point = zero_point_of(graph, op->input[0]),
      .a_multiplier = s.a.value,
      .a_shift = s.a.shift,
      .b_zero_point = zero_point_of(graph, op->input[1]),
      .b_multiplier = s.b.value,
      .b_shift = s.b.shift,
      .left_shift = s.left_shift,
      .output_zero_point = zero_point_of(graph, op->output),
      .output_multiplier = s.y.value,
      .output_shift = s.y.shift,
  };
  return mn_output_limits(&p->output_min, &p->output_max, graph, op, error);
}

/* ---- Pad, reshape ----------------------------------------------------------------------------*/
const char *mn_refuses_pad(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *x = mn_op_operand(graph, op, 0);
  bool known = x->dtype == MN_DTYPE_INT8 || x->dtype == MN_DTYPE_INT16;
  if (!known || refuses_other(graph, op, x->dtype, x->dtype) != NULL) return mn_refused_types;
  if (x->shape.rank > 4) return "more than four axes";
  return same_range(graph, op) ? NULL : "input and output have different scales";
}

mn_status mn_walk_pad(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                      const mn_op *op, mn_error *error) {
  mn_pad *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  const mn_shape *shape = &graph->tensors[op->input[0]].shape;
  const uint8_t *paddings = mn_op_operand(graph, op, 1)->data;
  int32_t x[4], y[4], before[4] = {0};
  mn_shape_four(x, shape);
  mn_shape_four(y, &graph->tensors[op->output].shape);
  for (int32_t d = 0; d < shape->rank; d++)
    memcpy(&before[mn_axis_four(shape->rank, d)], paddings + (size_t)d * 2 * sizeof(int32_t),
           sizeof(int32_t));
  /* int16 is padded with 0, two equal bytes: the kernel may see it as twice as many channels. */
  int32_t bytes = mn_dtype_bits(graph->tensors[op->output].dtype) / 8;
  *p = (mn_pad){.input_n = x[0],
                .input_h = x[1],
                .input_w = x[2],
                .input_c = x[3] * bytes,
                .output_n = y[0],
                .output_h = y[1],
                .output_w = y[2],
                .output_c = y[3] * bytes,
                .before_n = before[0],
                .before_h = before[1],
                .before_w = before[2],
                .before_c = before[3] * bytes,
                .value = zero_point_of(graph, op->output)};
  return MN_OK;
}

const char *mn_refuses_reshape(const mn_graph *graph, const mn_op *op) {
  mn_dtype x = graph->tensors[op->input[0]].dtype, y = graph->tensors[op->output].dtype;
  return x == y ? NULL : "input and output have different types";
}

mn_status mn_walk_reshape(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, mn_error *error) {
  mn_copy *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  p->bytes = (int32_t)mn_tensor_bytes(&graph->tensors[op->output]);
  return MN_OK;
}

/* ---- Softmax -------------------------------------------------------------------------------*/
static const char *refuses_softmax(const mn_graph *graph, const mn_op *op, mn_dtype type) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *y = &graph->tensors[op->output];
  mn_softmax_scaling scaling;
  if (refuses_other(graph, op, MN_DTYPE_INT8, type) != NULL) return mn_refused_types;
  if (x->shape.rank < 1) return "the input has no axis";
  if (x->shape.dim[x->shape.rank - 1] > MAX_SOFTMAX_DEPTH) return "more than 511 classes";
  if (x->quantization.count == 0) return NULL;
  if (mn_activation_range(y).zero_point != mn_dtype_limits(type).min)
    return "the output's zero point is not its smallest value";
  return mn_softmax_scaling_of(&scaling, op->beta, mn_activation_range(x).scale)
             ? NULL
             : "beta times the input's scale is out of range";
}

const char *mn_refuses_softmax(const mn_graph *graph, const mn_op *op) {
  return refuses_softmax(graph, op, MN_DTYPE_INT8);
}

const char *mn_refuses_softmax_s8_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_softmax(graph, op, MN_DTYPE_INT16);
}

mn_status mn_walk_softmax(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, mn_error *error) {
  mn_softmax *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  const mn_tensor *x = mn_op_operand(graph, op, 0);
  mn_softmax_scaling s = {{0, 0}, 0};
  if (x->quantization.count > 0)
    (void)mn_softmax_scaling_of(&s, op->beta, mn_activation_range(x).scale);
  p->depth = x->shape.dim[x->shape.rank - 1];
  p->outer = (int32_t)(mn_shape_elements(&x->shape) / p->depth);
  p->input_multiplier = s.input.value;
  p->input_left_shift = s.input.shift;
  p->difference_min = s.diff_min;
  return MN_OK;
}

/* ---- Mean ----------------------------------------------------------------------------------*/
/* Which of four axes are averaged. */
static void averaged_axes(bool averaged[4], const mn_graph *graph, const mn_op *op) {
  const mn_tensor *axes = mn_op_operand(graph, op, 1);
  int32_t rank = graph->tensors[op->input[0]].shape.rank;
  memset(averaged, 0, 4 * sizeof *averaged);
  for (int64_t i = 0; i < mn_shape_elements(&axes->shape); i++) {
    int32_t axis;
    memcpy(&axis, (const uint8_t *)axes->data + (size_t)i * sizeof axis, sizeof axis);
    averaged[mn_axis_four(rank, axis < 0 ? axis + rank : axis)] = true;
  }
}

/* A factor that no multiplier and left shift of 30 bits give. */
static const char *refuses_factor(const mn_graph *graph, const mn_op *op) {
  mn_range from = mn_activation_range(&graph->tensors[op->input[0]]);
  mn_range to = mn_activation_range(&graph->tensors[op->output]);
  return mn_multiplier_of(mn_rescale_factor(from.scale, to.scale)).shift > 30
             ? "the input's scale is more than 2^30 times the output's"
             : NULL;
}

static const char *refuses_mean(const mn_graph *graph, const mn_op *op, mn_dtype type,
                                int64_t most) {
  const mn_tensor *x = mn_op_operand(graph, op, 0), *y = &graph->tensors[op->output];
  if (refuses_other(graph, op, type, type) != NULL) return mn_refused_types;
  if (x->shape.rank > 4) return "more than four axes";
  int64_t count = mn_shape_elements(&x->shape) / mn_shape_elements(&y->shape);
  return count > most ? "too many values per mean for a 32-bit sum" : refuses_factor(graph, op);
}

const char *mn_refuses_mean(const mn_graph *graph, const mn_op *op) {
  return refuses_mean(graph, op, MN_DTYPE_INT8, MAX_MEAN_ELEMENTS);
}

const char *mn_refuses_mean_s16(const mn_graph *graph, const mn_op *op) {
  return refuses_mean(graph, op, MN_DTYPE_INT16, MAX_S16_SUM);
}

/* The division by the count joins the multiplier, which keeps its bits by a shift of log2(count). */
static mn_multiplier divided(mn_multiplier m, int64_t count) {
  int32_t bits = 0;
  while (count >> (bits + 1) > 0) bits++;
  if (bits > 31 + m.shift) bits = 31 + m.shift;
  m.value = (int32_t)(((int64_t)m.value << bits) / count);
  m.shift -= bits;
  return m;
}

mn_status mn_walk_mean(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                       const mn_op *op, mn_error *error) {
  mn_mean *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  const mn_tensor *input = mn_op_operand(graph, op, 0), *output = &graph->tensors[op->output];
  mn_range from = mn_activation_range(input), to = mn_activation_range(output);
  int32_t x[4], y[4];
  bool averaged[4];
  mn_shape_four(x, &input->shape);
  averaged_axes(averaged, graph, op);
  int64_t count = 1;
  for (int32_t d = 0; d < 4; d++) {
    y[d] = averaged[d] ? 1 : x[d];
    if (averaged[d]) count *= x[d];
  }
  mn_multiplier m = divided(mn_multiplier_of(mn_rescale_factor(from.scale, to.scale)), count);
  *p = (mn_mean){.input_n = x[0],
                 .input_h = x[1],
                 .input_w = x[2],
                 .input_c = x[3],
                 .output_n = y[0],
                 .output_h = y[1],
                 .output_w = y[2],
                 .output_c = y[3],
                 .input_zero_point = from.zero_point,
                 .output_zero_point = to.zero_point,
                 .multiplier = m.value,
                 .shift = m.shift};
  return MN_OK;
}

/* ---- Quantize ------------------------------------------------------------------------------*/
const char *mn_refuses_quantize(const mn_graph *graph, const mn_op *op) {
  const char *reason = refuses_other(graph, op, MN_DTYPE_INT8, MN_DTYPE_INT8);
  return reason != NULL ? reason : refuses_factor(graph, op);
}

static mn_rescale rescale_of(const mn_graph *graph, const mn_op *op) {
  mn_range from = mn_activation_range(&graph->tensors[op->input[0]]);
  mn_range to = mn_activation_range(&graph->tensors[op->output]);
  mn_multiplier m = mn_multiplier_of(mn_rescale_factor(from.scale, to.scale));
  return (mn_rescale){.row_elements = row_elements(&graph->tensors[op->output].shape),
                      .input_zero_point = from.zero_point,
                      .output_zero_point = to.zero_point,
                      .multiplier = m.value,
                      .shift = m.shift};
}

mn_status mn_walk_quantize(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                           const mn_op *op, mn_error *error) {
  mn_rescale *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  *p = rescale_of(graph, op);
  return MN_OK;
}

/* Code of a type that the general kernel knows, -1 none. */
static int32_t rescale_type(mn_dtype type) {
  switch (type) {
    case MN_DTYPE_INT8: return MN_RESCALE_S8;
    case MN_DTYPE_UINT8: return MN_RESCALE_U8;
    case MN_DTYPE_INT16: return MN_RESCALE_S16;
    case MN_DTYPE_INT32: return MN_RESCALE_S32;
    default: return -1;
  }
}

const char *mn_refuses_rescale_any(const mn_graph *graph, const mn_op *op) {
  bool known = rescale_type(graph->tensors[op->input[0]].dtype) >= 0 &&
               rescale_type(graph->tensors[op->output].dtype) >= 0;
  return known ? refuses_factor(graph, op) : mn_refused_types;
}

#define FROM_RESCALE(name) p->name = rescale.name;

mn_status mn_walk_rescale_any(mn_kernel_arguments *arguments, mn_arena *arena,
                              const mn_graph *graph, const mn_op *op, mn_error *error) {
  mn_rescale_any *p = mn_walk_begin(arguments, arena, op, sizeof *p, 1);
  if (p == NULL) return mn_walk_no_memory(error, op);
  mn_rescale rescale = rescale_of(graph, op);
  MN_RESCALE_FIELDS(FROM_RESCALE)
  p->input_type = rescale_type(graph->tensors[op->input[0]].dtype);
  p->output_type = rescale_type(graph->tensors[op->output].dtype);
  return MN_OK;
}
