/* arguments_depthwise.c - constants of the depthwise kernels over planes: weights in pairs of taps; for
 * 3x3 requantization folded, else bounds that let it be done in 32 bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_depthwise.h"

#include "graph/quantization.h"
#include "kernels/depthwise_3x3.h"
#include "kernels/depthwise_planes_dsp.h"
#include "plan/fold_requantize.h"

/* One op as the reference walker gave it: weights [KH, KW, O], the rest per channel or once. */
typedef struct source {
  const mn_depthwise_conv_2d *p;
  int32_t taps;
  const int8_t *weights, *shift; /* NULL on a bare graph */
  const int32_t *bias, *multiplier;
} source;

static source source_of(const mn_kernel_arguments *a) {
  const mn_depthwise_conv_2d *p = a->params;
  return (source){.p = p,
                  .taps = p->kernel_h * p->kernel_w,
                  .weights = a->constant[2].data != NULL ? a->constant[0].data : NULL,
                  .bias = a->constant[1].data,
                  .multiplier = a->constant[2].data,
                  .shift = a->constant[3].data};
}

/* Of one tap of one output channel. */
static int32_t weight_at(const source *s, int32_t i, int32_t j, int32_t o) {
  return s->weights[(i * s->p->kernel_w + j) * s->p->output_c + o];
}

static int32_t halves(int32_t bottom, int32_t top) {
  return (int32_t)(((uint32_t)bottom & 0xffffu) | (uint32_t)top << 16);
}

/* The sum of one channel without its input, and the range that any int8 input leaves to it. */
static int64_t bound_sum(mn_requantization *r, const source *s, int32_t o) {
  int64_t still = s->bias != NULL ? s->bias[o] : 0, most = 0, least = 0;
  for (int32_t t = 0; t < s->taps; t++) {
    int32_t w = weight_at(s, 0, t, o);
    still -= (int64_t)w * s->p->input_zero_point;
    most += w * (w > 0 ? INT8_MAX : INT8_MIN);
    least += w * (w > 0 ? INT8_MIN : INT8_MAX);
  }
  r->low = still + least;
  r->high = still + most;
  return still;
}

static mn_constant constant_of(const char *name, mn_dtype dtype, const void *data, size_t bytes,
                               bool known) {
  return (mn_constant){.name = name, .dtype = dtype, .data = known ? data : NULL, .bytes = bytes};
}

/* ---- 3x3 -----------------------------------------------------------------------------------*/
/* How far all weights of a channel can be shifted within an int16. */
static int32_t room_above(const source *s, int32_t o) {
  int32_t most = 16;
  for (int32_t t = 0; t < s->taps; t++) {
    int32_t w = weight_at(s, 0, t, o);
    while (most > 0 && (w * (1 << most) > INT16_MAX || w * (1 << most) < INT16_MIN)) most--;
  }
  return most;
}

/* Weights and folded constants of one channel, as the kernel's header lays them out. */
static bool pack_3x3(int32_t *weights, int32_t *folded, const source *s, int32_t o) {
  int32_t q = o * s->p->per_channel;
  mn_requantization r = {.multiplier = s->multiplier[q],
                         .shift = s->shift[q],
                         .zero_point = s->p->output_zero_point,
                         .min = s->p->output_min,
                         .max = s->p->output_max};
  mn_folded f;
  int64_t still = bound_sum(&r, s, o);
  if (!mn_requantize_fold(&f, &r, room_above(s, o))) return false;
  for (int32_t t = 0; t < MN_DEPTHWISE_3X3_WEIGHTS; t++)
    weights[t] = halves(weight_at(s, t / 2, t % 2, o) * (1 << f.up),
                        weight_at(s, t / 2, t % 2 + 1, o) * (1 << f.up));
  folded[0] = (int32_t)(still * ((int64_t)1 << f.up)) + f.nudge;
  folded[1] = f.multiplier;
  folded[2] = f.offset;
  return true;
}

/* True where `holds` is so of every channel, and of a bare graph. */
typedef bool check(const source *s, int32_t o);
static bool all_channels(const mn_graph *graph, const mn_op *op, check *holds) {
  mn_kernel_arguments arguments;
  mn_error error;
  mn_arena *arena = NULL;
  bool all = false;
  if (mn_arena_create(&arena) != MN_OK) return false;
  if (mn_walk_depthwise_conv_2d(&arguments, arena, graph, op, &error) == MN_OK) {
    source s = source_of(&arguments);
    all = true;
    for (int32_t o = 0; o < s.p->output_c && all && s.weights != NULL; o++) all = holds(&s, o);
  }
  mn_arena_destroy(arena);
  return all;
}

static bool folds(const source *s, int32_t o) {
  int32_t weights[MN_DEPTHWISE_3X3_WEIGHTS], folded[MN_DEPTHWISE_3X3_FOLDED];
  return pack_3x3(weights, folded, s, o);
}

const char *mn_dsp_refuses_depthwise_3x3(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  const mn_window *w = &op->window;
  if (w->kernel_h != 3 || w->kernel_w != 3) return "the window is not 3x3";
  if (w->stride_h != w->stride_w || w->stride_h > 2) return "the stride is neither 1 nor 2";
  if (w->dilation_h > 1 || w->dilation_w > 1) return "dilated";
  if (w->multiplier > 1) return "more than one output per channel";
  return all_channels(graph, op, folds) ? NULL : "requantization does not fold";
}

static mn_status walk_3x3(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                          const mn_op *op, int32_t limit, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(arguments, arena, graph, op, error));
  source s = source_of(arguments);
  size_t weight_count = (size_t)s.p->output_c * MN_DEPTHWISE_3X3_WEIGHTS;
  size_t folded_count = (size_t)s.p->output_c * MN_DEPTHWISE_3X3_FOLDED;
  int32_t *weights = mn_arena_array(arena, weight_count, sizeof *weights);
  int32_t *folded = mn_arena_array(arena, folded_count, sizeof *folded);
  if (weights == NULL || folded == NULL) return mn_walk_no_memory(error, op);
  bool known = s.weights != NULL;
  for (int32_t o = 0; o < s.p->output_c && known; o++)
    if (!pack_3x3(weights + o * MN_DEPTHWISE_3X3_WEIGHTS, folded + o * MN_DEPTHWISE_3X3_FOLDED, &s,
                  o))
      return mn_error_set(error, MN_ERR_FAILED, "op %s: channel %d does not fold", op->name, o);
  mn_constant *c = arguments->constant;
  c[0] = constant_of("weights", MN_DTYPE_INT32, weights, weight_count * sizeof *weights, known);
  c[0].weights = true;
  c[1] = constant_of("folded", MN_DTYPE_INT32, folded, folded_count * sizeof *folded, known);
  c[2] = c[3] = (mn_constant){0};
  arguments->constants = 2;
  arguments->scratch_bytes = mn_planes_bytes(s.p, MN_DEPTHWISE_3X3_PLANES, limit);
  return MN_OK;
}

mn_status mn_dsp_walk_depthwise_3x3(mn_kernel_arguments *arguments, mn_arena *arena,
                                    const mn_graph *graph, const mn_op *op, mn_error *error) {
  return walk_3x3(arguments, arena, graph, op, MN_PLANES_SCRATCH, error);
}

mn_status mn_dsp_walk_depthwise_3x3_narrow(mn_kernel_arguments *arguments, mn_arena *arena,
                                           const mn_graph *graph, const mn_op *op,
                                           mn_error *error) {
  return walk_3x3(arguments, arena, graph, op, MN_PLANES_NARROW, error);
}

/* ---- Any window --------------------------------------------------------------------------------*/
static bool is_bounded(const source *s, int32_t o) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  mn_requantization r;
  int64_t still = bound_sum(&r, s, o);
  return s->shift[o * s->p->per_channel] <= 0 && r.low >= -limit && r.high <= limit &&
         still >= -limit && still <= limit;
}

const char *mn_dsp_refuses_depthwise(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  const mn_window *w = &op->window;
  bool turned = graph->tensors[op->output].shape.dim[2] == 1 && w->kernel_h > w->kernel_w;
  bool dilated = turned ? w->dilation_h > 1 : w->dilation_w > 1 && w->kernel_w > 1;
  if (dilated) return "dilated along a line";
  return all_channels(graph, op, is_bounded) ? NULL : "sums above 2^30 or a left shift";
}

/* Pairs of taps along a line, line after line of the window. */
static void pack_any(int32_t *to, const source *s, int32_t o) {
  bool turned = mn_depthwise_conv_2d_is_turned(s->p) != 0;
  int32_t along = turned ? s->p->kernel_h : s->p->kernel_w, lines = s->taps / along;
  for (int32_t i = 0; i < lines; i++)
    for (int32_t j = 0; j < along; j += 2) {
      int32_t bottom = turned ? weight_at(s, j, i, o) : weight_at(s, i, j, o), top = 0;
      if (j + 1 < along) top = turned ? weight_at(s, j + 1, i, o) : weight_at(s, i, j + 1, o);
      *to++ = halves(bottom, top);
    }
}

mn_status mn_dsp_walk_depthwise(mn_kernel_arguments *arguments, mn_arena *arena,
                                const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(arguments, arena, graph, op, error));
  source s = source_of(arguments);
  bool turned = mn_depthwise_conv_2d_is_turned(s.p) != 0, known = s.weights != NULL;
  int32_t along = turned ? s.p->kernel_h : s.p->kernel_w;
  int32_t words = s.taps / along * ((along + 1) / 2);
  size_t outputs = (size_t)s.p->output_c, weight_count = outputs * (size_t)words;
  int32_t *weights = mn_arena_array(arena, weight_count, sizeof *weights);
  int32_t *bias = mn_arena_array(arena, outputs, sizeof *bias);
  int32_t *multiplier = mn_arena_array(arena, outputs, sizeof *multiplier);
  int8_t *shift = mn_arena_array(arena, outputs, sizeof *shift);
  if (weights == NULL || bias == NULL || multiplier == NULL || shift == NULL)
    return mn_walk_no_memory(error, op);
  for (int32_t o = 0; o < s.p->output_c && known; o++) {
    mn_requantization r;
    pack_any(weights + o * words, &s, o);
    bias[o] = (int32_t)bound_sum(&r, &s, o);
    multiplier[o] = s.multiplier[o * s.p->per_channel];
    shift[o] = (int8_t)-s.shift[o * s.p->per_channel];
  }
  mn_constant *c = arguments->constant;
  c[0] = constant_of("weights", MN_DTYPE_INT32, weights, weight_count * sizeof *weights, known);
  c[0].weights = true;
  c[1] = constant_of("bias", MN_DTYPE_INT32, bias, outputs * sizeof *bias, known);
  c[2] = constant_of("multiplier", MN_DTYPE_INT32, multiplier, outputs * sizeof *bias, known);
  c[3] = constant_of("shift", MN_DTYPE_INT8, shift, outputs, known);
  arguments->constants = 4;
  arguments->scratch_bytes = turned ? mn_planes_turned_bytes(s.p, s.p->output_h, 1)
                                    : mn_planes_bytes(s.p, 1, MN_PLANES_SCRATCH);
  return MN_OK;
}

/* ---- Where the output may lie over the input ---------------------------------------------------*/
static const char *not_same(const mn_graph *graph, const mn_op *op) {
  const mn_shape *x = &graph->tensors[op->input[0]].shape, *y = &graph->tensors[op->output].shape;
  const mn_window *w = &op->window;
  if (w->stride_h != 1 || w->stride_w != 1) return "the stride is not 1";
  for (int32_t axis = 1; axis < 4; axis++)
    if (x->dim[axis] != y->dim[axis]) return "input and output have different sizes";
  return NULL;
}

const char *mn_dsp_refuses_depthwise_3x3_same(const mn_graph *graph, const mn_op *op) {
  const char *reason = not_same(graph, op);
  return reason != NULL ? reason : mn_dsp_refuses_depthwise_3x3(graph, op);
}

const char *mn_dsp_refuses_depthwise_same(const mn_graph *graph, const mn_op *op) {
  const char *reason = not_same(graph, op);
  return reason != NULL ? reason : mn_dsp_refuses_depthwise(graph, op);
}
