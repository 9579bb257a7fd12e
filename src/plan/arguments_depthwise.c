/* arguments_depthwise.c - what kernels/depthwise_3x3.h needs: weights in pairs, requantization folded.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/arguments_depthwise.h"

#include "graph/quantization.h"
#include "kernels/depthwise_3x3.h"
#include "plan/fold_requantize.h"

#define TAPS 9

/* One op as the reference walker gave it: weights [3, 3, C], the rest per channel or once. */
typedef struct source {
  const mn_depthwise_conv_2d *p;
  const int8_t *weights, *shift; /* NULL on a bare graph */
  const int32_t *bias, *multiplier;
} source;

static source source_of(const mn_kernel_arguments *a) {
  return (source){.p = a->params,
                  .weights = a->constant[0].data,
                  .bias = a->constant[1].data,
                  .multiplier = a->constant[2].data,
                  .shift = a->constant[3].data};
}

/* How far all weights of a channel can be shifted within an int16. */
static int32_t room_above(const source *s, int32_t c) {
  int32_t most = 16;
  for (int32_t t = 0; t < TAPS; t++) {
    int32_t w = s->weights[t * s->p->output_c + c];
    while (most > 0 && (w * (1 << most) > INT16_MAX || w * (1 << most) < INT16_MIN)) most--;
  }
  return most;
}

/* The sum of one channel without its input, and the range that any int8 input leaves to it. */
static void bound_sum(mn_requantization *r, int64_t *still, const source *s, int32_t c) {
  *still = s->bias != NULL ? s->bias[c] : 0;
  int64_t most = 0, least = 0;
  for (int32_t t = 0; t < TAPS; t++) {
    int32_t w = s->weights[t * s->p->output_c + c];
    *still -= (int64_t)w * s->p->input_zero_point;
    most += w * (w > 0 ? INT8_MAX : INT8_MIN);
    least += w * (w > 0 ? INT8_MIN : INT8_MAX);
  }
  r->low = *still + least;
  r->high = *still + most;
}

static int32_t halves(int32_t bottom, int32_t top) {
  return (int32_t)(((uint32_t)bottom & 0xffffu) | (uint32_t)top << 16);
}

/* Weights and folded constants of one channel, as the kernel's header lays them out. */
static bool pack_channel(int32_t *weights, int32_t *folded, const source *s, int32_t c) {
  int32_t q = c * s->p->per_channel;
  mn_requantization r = {.multiplier = s->multiplier[q],
                         .shift = s->shift[q],
                         .zero_point = s->p->output_zero_point,
                         .min = s->p->output_min,
                         .max = s->p->output_max};
  int64_t still;
  mn_folded f;
  bound_sum(&r, &still, s, c);
  if (!mn_requantize_fold(&f, &r, room_above(s, c))) return false;
  for (int32_t t = 0; t < MN_DEPTHWISE_3X3_WEIGHTS; t++) {
    const int8_t *w = s->weights + (t / 2 * 3 + t % 2) * s->p->output_c + c;
    weights[t] = halves(w[0] * (1 << f.up), w[s->p->output_c] * (1 << f.up));
  }
  folded[0] = (int32_t)((uint64_t)still << f.up) + f.nudge;
  folded[1] = f.multiplier;
  folded[2] = f.offset;
  return true;
}

static bool folds(const mn_graph *graph, const mn_op *op) {
  int32_t weights[MN_DEPTHWISE_3X3_WEIGHTS];
  int32_t folded[MN_DEPTHWISE_3X3_FOLDED];
  mn_kernel_arguments arguments;
  mn_error error;
  mn_arena *arena = NULL;
  bool all = false;
  if (mn_arena_create(&arena) != MN_OK) return false;
  if (mn_walk_depthwise_conv_2d(&arguments, arena, graph, op, &error) == MN_OK) {
    source s = source_of(&arguments);
    all = true;
    for (int32_t c = 0; c < s.p->output_c && all && s.weights != NULL && s.multiplier != NULL; c++)
      all = pack_channel(weights, folded, &s, c);
  }
  mn_arena_destroy(arena);
  return all;
}

const char *mn_dsp_refuses_depthwise_3x3(const mn_graph *graph, const mn_op *op) {
  const char *reason = mn_refuses_depthwise_conv_2d(graph, op);
  if (reason != NULL) return reason;
  const mn_window *w = &op->window;
  if (w->kernel_h != 3 || w->kernel_w != 3) return "the window is not 3x3";
  if (w->stride_h != w->stride_w || w->stride_h > 2) return "the stride is neither 1 nor 2";
  if (w->dilation_h > 1 || w->dilation_w > 1) return "dilated";
  if (w->multiplier > 1) return "more than one output per channel";
  return folds(graph, op) ? NULL : "requantization does not fold";
}

/* As above, where the output may lie over the input. */
const char *mn_dsp_refuses_depthwise_3x3_same(const mn_graph *graph, const mn_op *op) {
  const mn_shape *x = &graph->tensors[op->input[0]].shape, *y = &graph->tensors[op->output].shape;
  bool same = op->window.stride_h == 1 && x->dim[1] == y->dim[1] && x->dim[2] == y->dim[2];
  return same ? mn_dsp_refuses_depthwise_3x3(graph, op) : "input and output have different sizes";
}

mn_status mn_dsp_walk_depthwise_3x3(mn_kernel_arguments *arguments, mn_arena *arena,
                                    const mn_graph *graph, const mn_op *op, mn_error *error) {
  MN_TRY(mn_walk_depthwise_conv_2d(arguments, arena, graph, op, error));
  source s = source_of(arguments);
  size_t channels = (size_t)s.p->output_c;
  int32_t *weights = mn_arena_array(arena, channels * MN_DEPTHWISE_3X3_WEIGHTS, sizeof *weights);
  int32_t *folded = mn_arena_array(arena, channels * MN_DEPTHWISE_3X3_FOLDED, sizeof *folded);
  if (weights == NULL || folded == NULL) return mn_walk_no_memory(error, op);
  bool known = s.weights != NULL && s.multiplier != NULL;
  for (int32_t c = 0; c < s.p->output_c && known; c++)
    if (!pack_channel(weights + c * MN_DEPTHWISE_3X3_WEIGHTS, folded + c * MN_DEPTHWISE_3X3_FOLDED,
                      &s, c))
      return mn_error_set(error, MN_ERR_FAILED, "op %s: channel %d does not fold", op->name, c);
  arguments->constants = 2;
  arguments->constant[0] =
      (mn_constant){.name = "weights",
                    .dtype = MN_DTYPE_INT32,
                    .data = known ? weights : NULL,
                    .bytes = channels * MN_DEPTHWISE_3X3_WEIGHTS * sizeof *weights,
                    .weights = true};
  arguments->constant[1] =
      (mn_constant){.name = "folded",
                    .dtype = MN_DTYPE_INT32,
                    .data = known ? folded : NULL,
                    .bytes = channels * MN_DEPTHWISE_3X3_FOLDED * sizeof *folded};
  arguments->constant[2] = arguments->constant[3] = (mn_constant){0};
  arguments->scratch_bytes = mn_depthwise_3x3_scratch_bytes(s.p);
  return MN_OK;
}
