/* arguments_dsp.c - the rows of the kernel table that use the matrix core of Arm's DSP extension: what
 * its arithmetic covers, proved from the op's own weights, bias and scales; and its stream of packed
 * weights. See kernels/matrix_dsp.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_dsp.h"

#include <string.h>

#include "graph/quantization.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/matrix_dsp.h"
#include "kernels/requantize.h"

enum { FASTEST_SHIFT = 1, SLOWEST_SHIFT = 22, SUM_BITS = 23 };

/* Weights of one op by output channel, kernel row and element of that row. */
typedef struct matrix {
  const int8_t *weights; /* NULL on a bare graph */
  const uint8_t *bias;   /* int32, may be unaligned; NULL none */
  int32_t outputs, rows, row;
  int64_t channel_step, row_step, element_step;
  int32_t input_zero_point;
} matrix;

/* How the reference kernel requantizes: from the constants and parameters that it would get. */
typedef struct scales {
  const int32_t *multiplier;
  const int8_t *shift;
  int32_t per_channel, zero_point, min, max;
} scales;

/* What is packed of one output channel. */
typedef struct channel {
  int32_t bias, multiplier, right_shift;
} channel;

/* Weights [outputs][rows][row], as convolutions and fully connected layers have them. */
static matrix matrix_of(const mn_graph *graph, const mn_op *op, int32_t rows) {
  const mn_tensor *k = mn_op_operand(graph, op, 1), *bias = mn_op_operand(graph, op, 2);
  int32_t outputs = k->shape.dim[0];
  bool known = k->quantization.count > 0;
  matrix m = {.weights = known ? k->data : NULL,
              .bias = known && bias != NULL ? bias->data : NULL,
              .outputs = outputs,
              .rows = rows,
              .row = (int32_t)(mn_shape_elements(&k->shape) / outputs / rows),
              .element_step = 1,
              .input_zero_point = mn_activation_range(mn_op_operand(graph, op, 0)).zero_point};
  m.row_step = m.row;
  m.channel_step = (int64_t)rows * m.row;
  return m;
}

/* Weights [1][rows][row][outputs] of a depthwise layer with one input channel. */
static matrix one_channel_matrix(const mn_graph *graph, const mn_op *op) {
  matrix m = matrix_of(graph, op, 1);
  m.outputs = mn_op_operand(graph, op, 1)->shape.dim[3];
  m.rows = op->window.kernel_h;
  m.row = op->window.kernel_w;
  m.channel_step = 1;
  m.element_step = m.outputs;
  m.row_step = (int64_t)m.row * m.outputs;
  return m;
}

static int32_t weight_of(const matrix *m, int32_t o, int32_t row, int32_t element) {
  if (o >= m->outputs || element >= m->row) return 0;
  return m->weights[o * m->channel_step + row * m->row_step + element * m->element_step];
}

/* ---- What the arithmetic covers ------------------------------------------------------------------*/
/* Bias with the input's zero point in it, and the least and largest sum that any input gives. A channel
 * whose weights are all zero has one output: its bias and scale may be anything. */
typedef struct bounds {
  int64_t bias, least, most;
  bool constant;
} bounds;

static int32_t bias_of(const matrix *m, int32_t o) {
  int32_t bias = 0;
  if (m->bias != NULL) memcpy(&bias, m->bias + (size_t)o * sizeof bias, sizeof bias);
  return bias;
}

static bounds bounds_of(const matrix *m, int32_t o) {
  int64_t sum = 0, absolute = 0;
  for (int32_t row = 0; row < m->rows; row++)
    for (int32_t i = 0; i < m->row; i++) {
      int32_t w = weight_of(m, o, row, i);
      sum += w;
      absolute += w < 0 ? -w : w;
    }
  /* An input x lies in [-128, 127], so x * w in -w/2 +- 127.5 |w|. */
  int64_t bias = bias_of(m, o) - sum * m->input_zero_point;
  int64_t twice = 2 * bias - sum;
  return (bounds){bias, (twice - 255 * absolute) / 2, (twice + 255 * absolute) / 2, absolute == 0};
}

static bool has_least_weight(const matrix *m) {
  int64_t count = (int64_t)m->outputs * m->rows * m->row, i = 0;
  while (i < count && m->weights[i] != INT8_MIN) i++;
  return i < count;
}

static const char *refuses_weights(const matrix *m) {
  if (m->weights == NULL) return NULL;
  if (has_least_weight(m)) return "a weight is -128";
  for (int32_t o = 0; o < m->outputs; o++) {
    bounds b = bounds_of(m, o);
    if (b.constant) continue;
    if (b.least <= -(1 << SUM_BITS) || b.most >= 1 << SUM_BITS) return "sums of more than 24 bits";
  }
  return NULL;
}

typedef double mn_factor(float x_scale, float weight_scale, float y_scale);

static const char *refuses_scales(const mn_graph *graph, const mn_op *op, const matrix *m,
                                  mn_factor *factor) {
  const mn_quantization *k = &mn_op_operand(graph, op, 1)->quantization;
  float x_scale = mn_activation_range(mn_op_operand(graph, op, 0)).scale;
  float y_scale = mn_activation_range(&graph->tensors[op->output]).scale;
  int32_t min = -128, max = 127;
  mn_error error;
  for (int32_t o = 0; o < k->count; o++) {
    if (k->count > 1 && bounds_of(m, o).constant) continue;
    int32_t right = -mn_multiplier_of(factor(x_scale, k->scale[o], y_scale)).shift;
    if (right < FASTEST_SHIFT || right > SLOWEST_SHIFT) return "a scale outside 2^-22 .. 2^-1";
  }
  if (k->count > 0 && mn_output_limits(&min, &max, graph, op, &error) != MN_OK)
    return "no range of outputs";
  return min != -128 || max != 127 ? "outputs are held within a part of their range" : NULL;
}

const char *mn_dsp_refuses_conv_2d_exact(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_conv_2d(graph, op);
  if (reason != NULL) return reason;
  if (op->window.dilation_w > 1 && op->window.kernel_w > 1) return "dilated along a row";
  matrix m = matrix_of(graph, op, op->window.kernel_h);
  return refuses_weights(&m);
}

const char *mn_dsp_refuses_conv_2d(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_dsp_refuses_conv_2d_exact(graph, op);
  if (reason != NULL) return reason;
  matrix m = matrix_of(graph, op, 1);
  return refuses_scales(graph, op, &m, mn_conv_factor);
}

const char *mn_dsp_refuses_conv_2d_1x1(const mn_graph *graph, const mn_op *op) {
  const mn_window *w = &op->window;
  const char *reason = mn_dsp_refuses_conv_2d(graph, op);
  if (reason != NULL) return reason;
  bool pixel = w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1;
  return pixel ? NULL : "not 1x1 with stride 1";
}

/* A depthwise layer of one input channel is an ordinary convolution. */
const char *mn_dsp_refuses_one_channel(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  if (mn_op_operand(graph, op, 0)->shape.dim[3] > 1) return "more than one input channel";
  if (op->window.dilation_w > 1 && op->window.kernel_w > 1) return "dilated along a row";
  matrix m = one_channel_matrix(graph, op);
  reason = refuses_weights(&m);
  return reason != NULL ? reason : refuses_scales(graph, op, &m, mn_conv_factor);
}

/* A convolution whose one window is all of its input is a fully connected layer. */
const char *mn_dsp_refuses_one_window(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_dsp_refuses_conv_2d(graph, op);
  if (reason != NULL) return reason;
  mn_kernel_window w = mn_window_of(graph, op);
  bool all = w.output_h == 1 && w.output_w == 1 && w.kernel_h == w.input_h &&
             w.kernel_w == w.input_w && w.pad_top == 0 && w.pad_left == 0;
  return all ? NULL : "more than one window";
}

const char *mn_dsp_refuses_fully_connected_exact(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_fully_connected(graph, op);
  if (reason != NULL) return reason;
  if (mn_activation_range(mn_op_operand(graph, op, 1)).zero_point != 0)
    return "weights have a zero point other than 0";
  matrix m = matrix_of(graph, op, 1);
  return refuses_weights(&m);
}

const char *mn_dsp_refuses_fully_connected(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_dsp_refuses_fully_connected_exact(graph, op);
  if (reason != NULL) return reason;
  bool per_channel = mn_op_operand(graph, op, 1)->quantization.count > 1;
  matrix m = matrix_of(graph, op, 1);
  return refuses_scales(graph, op, &m, per_channel ? mn_conv_factor : mn_fully_connected_factor);
}

/* ---- Packing -------------------------------------------------------------------------------*/
/* The half word of channels o and o + 1. */
static uint32_t half_of(const matrix *m, int32_t o, int32_t row, int32_t element) {
  int32_t value = 256 * weight_of(m, o + 1, row, element) + weight_of(m, o, row, element);
  return (uint32_t)value & 0xffffu;
}

/* A constant channel's output d above the zero point is what a sum of 4 d, halved twice, gives. */
static channel constant_channel(const matrix *m, const scales *s, int32_t o) {
  int32_t q = o * s->per_channel;
  int32_t y = mn_requantize(bias_of(m, o), s->multiplier[q], s->shift[q]) + s->zero_point;
  return (channel){4 * (mn_clamp(y, s->min, s->max) - s->zero_point), 1 << 30, 1};
}

static channel channel_of(const matrix *m, const scales *s, int32_t o) {
  int32_t q = o * s->per_channel;
  if (o >= m->outputs) return (channel){0, 1 << 30, 1};
  bounds b = bounds_of(m, o);
  if (b.constant) return constant_channel(m, s, o);
  return (channel){(int32_t)b.bias, s->multiplier[q], -s->shift[q]};
}

/* The group of channels o .. o + 3. */
static uint32_t *pack_group(uint32_t *to, const matrix *m, const scales *s, int32_t o) {
  uint32_t shifts = 0;
  channel four[4];
  for (int32_t c = 0; c < 4; c++) four[c] = channel_of(m, s, o + c);
  for (int32_t c = 0; c < 4; c += 2) {
    *to++ = 256 * (uint32_t)four[c + 1].bias + (uint32_t)four[c].bias;
    *to++ = (uint32_t)four[c].bias;
  }
  for (int32_t row = 0; row < m->rows; row++)
    for (int32_t pair = 0; pair < mn_matrix_row_pairs(m->row); pair++)
      for (int32_t c = 0; c < 4; c += 2)
        *to++ = half_of(m, o + c, row, mn_matrix_element(m->row, pair, 0)) |
                half_of(m, o + c, row, mn_matrix_element(m->row, pair, 1)) << 16;
  for (int32_t c = 0; c < 4; c++) {
    shifts |= ((uint32_t)four[c].right_shift & 0xffu) << (8 * c);
    to[1 + c] = (uint32_t)four[c].multiplier;
  }
  *to = shifts;
  return to + 5;
}

/* Replaces the constants of the reference kernel by one stream. */
static mn_status pack(mn_kernel_arguments *a, mn_arena *arena, const mn_op *op, const matrix *m,
                      scales *s, mn_error *error) {
  int32_t pairs = m->rows * mn_matrix_row_pairs(m->row), groups = (m->outputs + 3) / 4;
  size_t words = (size_t)groups * (size_t)(2 * pairs + MN_MATRIX_EXTRA_WORDS);
  uint32_t *stream = mn_arena_array(arena, words, sizeof *stream), *to = stream;
  if (stream == NULL) return mn_walk_no_memory(error, op);
  s->multiplier = a->constant[2].data;
  s->shift = a->constant[3].data;
  for (int32_t g = 0; g < groups && m->weights != NULL; g++) to = pack_group(to, m, s, 4 * g);
  memset(a->constant, 0, sizeof a->constant);
  a->constants = 1;
  a->constant[0] = (mn_constant){.name = "weights",
                                 .dtype = MN_DTYPE_INT32,
                                 .data = m->weights != NULL ? stream : NULL,
                                 .bytes = words * sizeof *stream,
                                 .weights = true};
  return MN_OK;
}

#define SCALES(p)                                                                                  \
  (scales) {                                                                                       \
    .per_channel = (p)->per_channel, .zero_point = (p)->output_zero_point, .min = (p)->output_min, \
    .max = (p)->output_max                                                                         \
  }

static int64_t columns_bytes(const matrix *m) {
  int32_t pairs = m->rows * mn_matrix_row_pairs(m->row);
  return (int64_t)mn_matrix_columns(pairs) * pairs * (int64_t)sizeof(int32_t);
}

mn_status mn_dsp_walk_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena,
                              const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_conv_2d(arguments, arena, graph, op, error));
  const mn_conv_2d *p = arguments->params;
  matrix m = matrix_of(graph, op, p->kernel_h);
  scales s = SCALES(p);
  arguments->scratch_bytes = columns_bytes(&m);
  return pack(arguments, arena, op, &m, &s, error);
}

mn_status mn_dsp_walk_one_channel(mn_kernel_arguments *arguments, mn_arena *arena,
                                  const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_one_channel(arguments, arena, graph, op, error));
  const mn_conv_2d *p = arguments->params;
  matrix m = one_channel_matrix(graph, op);
  scales s = SCALES(p);
  arguments->scratch_bytes = columns_bytes(&m);
  return pack(arguments, arena, op, &m, &s, error);
}

mn_status mn_dsp_walk_fully_connected(mn_kernel_arguments *arguments, mn_arena *arena,
                                      const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_fully_connected(arguments, arena, graph, op, error));
  const mn_fully_connected *p = arguments->params;
  matrix m = matrix_of(graph, op, 1);
  scales s = SCALES(p);
  return pack(arguments, arena, op, &m, &s, error);
}

mn_status mn_dsp_walk_one_window(mn_kernel_arguments *arguments, mn_arena *arena,
                                 const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_conv_2d(arguments, arena, graph, op, error));
  const mn_conv_2d *c = arguments->params;
  mn_fully_connected *p = mn_arena_alloc(arena, sizeof *p);
  if (p == NULL) return mn_walk_no_memory(error, op);
  *p = (mn_fully_connected){
      .batch = 1, .inputs = c->kernel_h * c->kernel_w * c->input_c, .outputs = c->output_c};
#define COPY(name) p->name = c->name;
  MN_KERNEL_QUANTIZED_FIELDS(COPY)
#undef COPY
  arguments->params = p;
  matrix m = matrix_of(graph, op, 1);
  scales s = SCALES(p);
  return pack(arguments, arena, op, &m, &s, error);
}
