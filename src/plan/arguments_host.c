/* arguments_host.c - the host rows of the kernel table: what the reference walkers gave, packed for
 * vector units. See kernels/host/host.h for the layouts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_host.h"

#include <math.h>
#include <string.h>

#include "kernels/host/host.h"

#define MOST_TAPS 256
#define LINE 64 /* bytes */

/* ---- What this machine has -------------------------------------------------------------------*/
#if defined(__x86_64__)
bool mn_host_has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
bool mn_host_has_avx2(void) {
  return __builtin_cpu_supports("avx2");
}
#else
bool mn_host_has_avx512(void) {
  return false;
}
bool mn_host_has_avx2(void) {
  return false;
}
#endif

/* ---- What the kernels refuse -------------------------------------------------------------------*/
const char *mn_host_refuses_conv_2d(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_conv_2d(graph, op);
  if (reason != NULL) return reason;
  return op->window.dilation_w > 1 && op->window.kernel_w > 1 ? "dilated along a row" : NULL;
}

const char *mn_host_refuses_conv_2d_narrow(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_host_refuses_conv_2d(graph, op);
  if (reason != NULL) return reason;
  int32_t channels = graph->tensors[op->output].shape.dim[3];
  return channels > 16 || channels % 4 != 0 ? "not 4, 8, 12 or 16 output channels" : NULL;
}

const char *mn_host_refuses_depthwise_conv_2d(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  if (op->window.multiplier > 1) return "more than one output per channel";
  return op->window.kernel_h * op->window.kernel_w > MOST_TAPS ? "more than 256 taps" : NULL;
}

const char *mn_host_refuses_one_channel(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  if (graph->tensors[op->input[0]].shape.dim[3] > 1) return "more than one input channel";
  return op->window.dilation_w > 1 && op->window.kernel_w > 1 ? "dilated along a row" : NULL;
}

const char *mn_host_refuses_fully_connected(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_fully_connected(graph, op);
  if (reason != NULL) return reason;
  return mn_activation_range(mn_op_operand(graph, op, 1)).zero_point != 0
             ? "weights have a zero point other than 0"
             : NULL;
}

/* ---- Packing -------------------------------------------------------------------------------*/
/* Weights of one op as a function of output channel, kernel row and element within that row. */
typedef struct packing {
  mn_host_layout layout;
  mn_kernel_arguments *arguments;
  mn_arena *arena;
  const int8_t *weights; /* NULL on a bare graph */
  int64_t channel_step, row_step, element_step;
  int32_t outputs, rows, elements; /* elements of one kernel row */
  int32_t columns;                 /* of a block, see mn_host_columns */
  int32_t input_zero_point, per_channel;
} packing;

static int32_t round_up(int32_t value, int32_t to) {
  return (value + to - 1) / to * to;
}

static int8_t weight_at(const packing *p, int32_t o, int32_t row, int32_t element) {
  if (o >= p->outputs || row >= p->rows || element >= p->elements) return 0;
  return p->weights[o * p->channel_step + row * p->row_step + element * p->element_step];
}

static void put(const packing *p, void *to, int64_t index, int8_t value) {
  if (p->layout.group == 4)
    ((int8_t *)to)[index] = value;
  else
    ((int16_t *)to)[index] = value;
}

/* What unsigned inputs add to every sum. */
static int32_t correction(const packing *p, int32_t o) {
  int64_t sum = 0;
  if (p->layout.group != 4 || o >= p->outputs) return 0;
  for (int32_t row = 0; row < p->rows; row++)
    for (int32_t e = 0; e < p->elements; e++) sum += weight_at(p, o, row, e);
  return (int32_t)(sum * (p->input_zero_point + 128));
}

/* Whole cache lines, so that no vector of weights lies across two. */
static void *alloc_lines(mn_arena *arena, size_t bytes) {
  uint8_t *memory = mn_arena_alloc(arena, bytes + LINE - 1);
  return memory == NULL ? NULL : memory + (LINE - (uintptr_t)memory % LINE) % LINE;
}

/* What kernels/host/rounding_body.h works with: 0 and 1/2 where the shift is not to the right. */
static void to_real(float *factor, float *nudge, int32_t multiplier, int32_t shift) {
  bool right = shift < 0 || multiplier == 0;
  *factor = right ? (float)ldexp(multiplier, shift - 31) : 0;
  *nudge = right ? (float)ldexp(0.5, shift) : 0.5f;
}

/* Bias and scaling of the channels `order` names, -1 where there is none. */
static bool pack_channels(packing *p, const int32_t *order, int32_t count) {
  mn_constant *constant = p->arguments->constant;
  const int32_t *bias = constant[1].data, *multiplier = constant[2].data;
  const int8_t *shift = constant[3].data;
  int32_t *packed = alloc_lines(p->arena, 3 * (size_t)count * sizeof *packed);
  float *real = alloc_lines(p->arena, 2 * (size_t)count * sizeof *real);
  if (packed == NULL || real == NULL) return false;
  for (int32_t i = 0; i < count && p->weights != NULL; i++) {
    int32_t o = order[i];
    if (o < 0) continue;
    packed[i] = (int32_t)((uint32_t)(bias != NULL ? bias[o] : 0) - (uint32_t)correction(p, o));
    packed[count + i] = multiplier[o * p->per_channel];
    packed[2 * count + i] = shift[o * p->per_channel];
    to_real(&real[i], &real[count + i], packed[count + i], packed[2 * count + i]);
  }
  bool bare = p->weights == NULL;
  size_t bytes = (size_t)count * sizeof *packed;
  constant[1] = (mn_constant){.name = "bias", .dtype = MN_DTYPE_INT32, .bytes = bytes};
  constant[2] = (mn_constant){.name = "scaling", .dtype = MN_DTYPE_INT32, .bytes = 2 * bytes};
  constant[3] = (mn_constant){.name = "real", .dtype = MN_DTYPE_FLOAT32, .bytes = 2 * bytes};
  constant[1].data = bare ? NULL : packed;
  constant[2].data = bare ? NULL : packed + count;
  constant[3].data = bare ? NULL : real;
  return true;
}

static void *pack_begin(packing *p, int64_t values) {
  size_t bytes = (size_t)values * (p->layout.group == 4 ? sizeof(int8_t) : sizeof(int16_t));
  void *packed = alloc_lines(p->arena, bytes);
  p->arguments->constant[0] =
      (mn_constant){.name = "weights",
                    .dtype = p->layout.group == 4 ? MN_DTYPE_INT8 : MN_DTYPE_INT16,
                    .data = p->weights != NULL ? packed : NULL,
                    .bytes = bytes,
                    .weights = true};
  return packed;
}

static mn_status pack_product(packing *p, const mn_op *op, mn_error *error) {
  int32_t lanes = p->layout.lanes, group = p->layout.group;
  int32_t outputs = round_up(p->outputs, lanes), elements = round_up(p->elements, group);
  int32_t *order = mn_arena_array(p->arena, (size_t)outputs, sizeof *order);
  void *packed = pack_begin(p, (int64_t)outputs * p->rows * elements);
  if (order == NULL || packed == NULL) return mn_walk_no_memory(error, op);
  for (int32_t o = 0; o < outputs; o++) order[o] = o < p->outputs ? o : -1;
  int64_t index = 0;
  for (int32_t v = 0; v < outputs && p->weights != NULL; v += lanes)
    for (int32_t row = 0; row < p->rows; row++)
      for (int32_t e = 0; e < elements; e += group)
        for (int32_t i = 0; i < lanes * group; i++)
          put(p, packed, index++, weight_at(p, v + i / group, row, e + i % group));
  return pack_channels(p, order, outputs) ? MN_OK : mn_walk_no_memory(error, op);
}

static mn_status pack_taps(packing *p, const mn_op *op, mn_error *error) {
  int32_t lanes = p->layout.lanes, group = p->layout.group, block = lanes * group;
  int32_t outputs = round_up(p->outputs, block), taps = round_up(p->elements, group);
  int32_t *order = mn_arena_array(p->arena, (size_t)outputs, sizeof *order);
  void *packed = pack_begin(p, (int64_t)outputs * taps);
  if (order == NULL || packed == NULL) return mn_walk_no_memory(error, op);
  for (int32_t i = 0; i < outputs; i++) {
    int32_t o = i / block * block + mn_host_channel(p->layout, i % block / lanes, i % lanes);
    order[i] = p->columns > 1 ? o % p->outputs : o < p->outputs ? o : -1;
  }
  int64_t index = 0;
  for (int32_t b = 0; b < outputs && p->weights != NULL; b += block)
    for (int32_t t = 0; t < taps; t += group)
      for (int32_t i = 0; i < block * group; i++) {
        int32_t o = order[b + i / group];
        put(p, packed, index++, o < 0 ? 0 : weight_at(p, o, 0, t + i % group));
      }
  return pack_channels(p, order, outputs) ? MN_OK : mn_walk_no_memory(error, op);
}

/* 4 channels of 4 positions a vector, see kernels/host/conv_narrow_body.h. */
static mn_status pack_narrow(packing *p, const mn_op *op, mn_error *error) {
  int32_t lanes = p->layout.lanes, group = p->layout.group;
  int32_t sets = p->outputs / 4, elements = round_up(p->elements, group);
  int32_t *order = mn_arena_array(p->arena, (size_t)(sets * lanes), sizeof *order);
  void *packed = pack_begin(p, (int64_t)sets * lanes * p->rows * elements);
  if (order == NULL || packed == NULL) return mn_walk_no_memory(error, op);
  for (int32_t i = 0; i < sets * lanes; i++) order[i] = i / lanes * 4 + i % 4;
  int64_t index = 0;
  for (int32_t row = 0; row < p->rows && p->weights != NULL; row++)
    for (int32_t e = 0; e < elements; e += group)
      for (int32_t i = 0; i < sets * lanes * group; i++)
        put(p, packed, index++, weight_at(p, order[i / group], row, e + i % group));
  return pack_channels(p, order, sets * lanes) ? MN_OK : mn_walk_no_memory(error, op);
}

static int64_t plane_bytes(const mn_kernel_window *w, mn_host_layout layout) {
  return mn_host_plane_elements(w->output_h, w->output_w, w->kernel_h, w->kernel_w, w->stride_h,
                                w->stride_w, w->dilation_h, w->dilation_w, w->input_c) *
         (layout.group == 4 ? 1 : 2);
}

/* ---- Walkers -------------------------------------------------------------------------------*/
static mn_status walk_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena,
                              const mn_graph *graph, const mn_op *op, mn_host_layout layout,
                              bool narrow, mn_error *error) {
  MN_TRY(mn_walk_conv_2d(arguments, arena, graph, op, error));
  const mn_conv_2d *c = arguments->params;
  mn_kernel_window window = mn_window_of(graph, op);
  arguments->scratch_bytes = plane_bytes(&window, layout);
  int32_t row = c->kernel_w * c->input_c;
  packing p = {.layout = layout,
               .arguments = arguments,
               .arena = arena,
               .weights = arguments->constant[0].data,
               .channel_step = (int64_t)c->kernel_h * row,
               .row_step = row,
               .element_step = 1,
               .outputs = c->output_c,
               .rows = c->kernel_h,
               .elements = row,
               .input_zero_point = c->input_zero_point,
               .per_channel = c->per_channel};
  return narrow ? pack_narrow(&p, op, error) : pack_product(&p, op, error);
}

mn_status mn_host_walk_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena,
                               const mn_graph *graph, const mn_op *op, mn_host_layout layout,
                               mn_error *error) {
  return walk_conv_2d(arguments, arena, graph, op, layout, false, error);
}

mn_status mn_host_walk_conv_2d_narrow(mn_kernel_arguments *arguments, mn_arena *arena,
                                      const mn_graph *graph, const mn_op *op, mn_host_layout layout,
                                      mn_error *error) {
  return walk_conv_2d(arguments, arena, graph, op, layout, true, error);
}

/* A depthwise convolution of one channel is an ordinary one. */
mn_status mn_host_walk_one_channel(mn_kernel_arguments *arguments, mn_arena *arena,
                                   const mn_graph *graph, const mn_op *op, mn_host_layout layout,
                                   mn_error *error) {
  MN_TRY(mn_walk_one_channel(arguments, arena, graph, op, error));
  const mn_conv_2d *c = arguments->params;
  mn_kernel_window window = mn_window_of(graph, op);
  arguments->scratch_bytes = plane_bytes(&window, layout);
  packing p = {.layout = layout,
               .arguments = arguments,
               .arena = arena,
               .weights = arguments->constant[0].data,
               .channel_step = 1,
               .row_step = (int64_t)c->kernel_w * c->output_c,
               .element_step = c->output_c,
               .outputs = c->output_c,
               .rows = c->kernel_h,
               .elements = c->kernel_w,
               .input_zero_point = c->input_zero_point,
               .per_channel = c->per_channel};
  return pack_product(&p, op, error);
}

mn_status mn_host_walk_depthwise_conv_2d(mn_kernel_arguments *arguments, mn_arena *arena,
                                         const mn_graph *graph, const mn_op *op,
                                         mn_host_layout layout, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(arguments, arena, graph, op, error));
  const mn_depthwise_conv_2d *d = arguments->params;
  mn_kernel_window window = mn_window_of(graph, op);
  arguments->scratch_bytes = plane_bytes(&window, layout);
  packing p = {.layout = layout,
               .arguments = arguments,
               .arena = arena,
               .weights = arguments->constant[0].data,
               .channel_step = 1,
               .element_step = d->output_c,
               .outputs = d->output_c,
               .rows = 1,
               .elements = d->kernel_h * d->kernel_w,
               .columns = mn_host_columns(layout, d->output_c, d->stride_w),
               .input_zero_point = d->input_zero_point,
               .per_channel = d->per_channel};
  return pack_taps(&p, op, error);
}

mn_status mn_host_walk_fully_connected(mn_kernel_arguments *arguments, mn_arena *arena,
                                       const mn_graph *graph, const mn_op *op,
                                       mn_host_layout layout, mn_error *error) {
  MN_TRY(mn_walk_fully_connected(arguments, arena, graph, op, error));
  const mn_fully_connected *f = arguments->params;
  arguments->scratch_bytes =
      ((int64_t)f->batch * f->inputs + MN_HOST_SLACK) * (layout.group == 4 ? 1 : 2);
  packing p = {.layout = layout,
               .arguments = arguments,
               .arena = arena,
               .weights = arguments->constant[0].data,
               .channel_step = f->inputs,
               .element_step = 1,
               .outputs = f->outputs,
               .rows = 1,
               .elements = f->inputs,
               .input_zero_point = f->input_zero_point,
               .per_channel = f->per_channel};
  return pack_product(&p, op, error);
}
