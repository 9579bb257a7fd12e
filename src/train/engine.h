/* engine.h - what the files of the trainer share: values, units, parameters, ranges.
 *
 * A value is one activation tensor of the batch. Only z, the raw output of its unit, is stored; its
 * readers see it through `view`. Backward, a reader leaves dL/dy in g; the last one to arrive turns it
 * into dL/du (mn_finish). A unit is one op: forward writes z of its output, backward reads g of its
 * output and adds to g of its inputs. Work is cut into MN_SHARDS fixed shards of items, each with sums
 * and weight gradients of its own, added in fixed order: threads do not change a bit.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_ENGINE_H
#define MN_TRAIN_ENGINE_H

#include "micronets/train.h"
#include "train/lanes.h"

enum { MN_SHARDS = 8 };

/* ---- Parameters ---------------------------------------------------------------------------*/
typedef enum mn_parameter_kind {
  MN_PARAMETER_WEIGHTS,
  MN_PARAMETER_BIAS, /* or beta, behind batch norm */
  MN_PARAMETER_GAMMA,
  MN_PARAMETER_MEAN, /* running statistics: saved and inherited, not optimized */
  MN_PARAMETER_VARIANCE,
  MN_PARAMETER_RANGE, /* low, high */
  MN_PARAMETER_KINDS
} mn_parameter_kind;

/* Canonical form [outer][taps][inner] (conv OHWI, fully connected O x pixels x C; depthwise is
 * [taps][outer]); stored padded as [tap * inner_stride + inner][outer_stride]. */
typedef struct mn_parameter {
  const char *op; /* op name: identity */
  mn_parameter_kind kind;
  int32_t outer, taps, inner, outer_stride, inner_stride;
  bool taps_first; /* canonical order of depthwise weights */
  int64_t count;   /* padded floats */
  float *value, *first, *second;
  float *gradient; /* [shards][count]; NULL: not optimized */
  int32_t shards;
  bool decays;
} mn_parameter;
int64_t mn_parameter_size(const mn_parameter *p); /* canonical floats */
int64_t mn_parameter_canonical(const mn_parameter *p, int32_t outer, int32_t tap, int32_t inner);
float *mn_parameter_part(const mn_parameter *p,
                         int32_t part); /* 0 value, 1 and 2 moments, or NULL */
int64_t mn_parameter_padded(const mn_parameter *p, int32_t outer, int32_t tap, int32_t inner);
void mn_parameter_get(const mn_parameter *p, float *canonical, const float *padded);
void mn_parameter_set(const mn_parameter *p, float *padded, const float *canonical);

/* ---- Ranges -------------------------------------------------------------------------------*/
/* Learned [low, high] of one or several tied tensors; the grid in use derives from it. */
typedef struct mn_learned_range {
  mn_parameter *parameter;
  bool from_zero; /* behind relu: low stays 0 */
  float fixed[2]; /* of the input, where the caller knows it: neither learned nor inherited */
  bool is_fixed;
  bool observed; /* of the scores: follows what is seen, see quantize.c */
  mn_dtype dtype;
  const struct mn_value *maker; /* its tensor is where calibration looks */
  float scale, low, high;       /* grid in use */
  int32_t zero_point;
} mn_learned_range;

/* ---- Values -------------------------------------------------------------------------------*/
enum { MN_SUM, MN_DOT, MN_OPEN, MN_ERROR, MN_ABOVE, MN_BELOW, MN_SUM_KINDS };

typedef struct mn_value {
  int32_t tensor, op;                      /* op that made it; -1: graph input */
  int32_t height, width, channels, stride; /* stride: channels padded; graph input: not padded */
  int64_t pixels;
  bool input;
  struct mn_unit *maker; /* not NULL: z and g are not stored, see expand_grad.c */
  void *z, *g;
  bool compacts, compact; /* z and g may be so (lanes.h); are so in this pass */
  mn_view view;
  /* What the view is made of. */
  mn_activation activation;
  mn_parameter *gamma, *bias, *mean, *variance; /* NULL where absent */
  mn_learned_range *range;
  mn_learned_range *grid; /* range, or that of the tensor whose values are only moved here */
  bool masked;
  float *mask; /* [stride] */
  float *open; /* [stride]: how open each channel is, see gates.c */
  double *open_gradient;
  float *scale, *shift, *low, *high, *raw_scale, *raw_shift, *raw_low, *raw_high;
  float *batch_mean, *inverse_deviation, *on_g, *on_z, *constant;
  double *sums; /* [MN_SHARDS][MN_SUM_KINDS][stride] */
  int32_t readers, visits;
} mn_value;

/* ---- Units --------------------------------------------------------------------------------*/
struct mn_unit;
typedef void mn_unit_work(mn_trainer *t, struct mn_unit *u, int32_t shard, int32_t thread);
typedef struct mn_unit_family {
  const char *name;
  mn_unit_work *forward, *backward;
} mn_unit_family;
extern const mn_unit_family mn_conv_family, mn_depthwise_family, mn_average_family, mn_max_family,
    mn_add_family, mn_mix_family, mn_copy_family, mn_dropout_family;

typedef struct mn_unit {
  const mn_unit_family *family;
  int32_t op;
  mn_value *input[2], *output;
  bool accumulate[2], finish[2]; /* gradient of input: add to what is there; last to arrive */
  mn_window window;
  int32_t pad_top, pad_left; /* also PAD's offsets */
  int32_t plane_h, plane_w;  /* padded input plane of windowed units */
  mn_parameter *weights;
  bool direct;                       /* conv: rows of the input are rows of the matrix */
  int32_t depth, depth_padded;       /* conv: floats of one matrix row */
  int32_t depth_used;                /* of them, without the padding at the end */
  int32_t rows_per_item, input_rows; /* conv, direct: of output per item; of input per output row */
  int32_t block;                     /* rows treated at once */
  mn_dtype weight_type;
  bool one_scale; /* fully connected: one scale for all channels, as every runtime reads */
  float *quantized, *weight_step;   /* fake-quantized copy; per channel */
  float *packed, *turned;           /* forward and input-gradient form of the weights */
  float packed_scale, turned_scale; /* of 16-bit integers */
  float *scaled; /* of an expansion whose output is not stored: p times the weights */
  struct mn_integer_unit *integer; /* integer.h; NULL: the forward pass is always in float */
  double mix_gradient[MN_SHARDS][2];
  float mix[2];
} mn_unit;

/* What mn_fit tells of an epoch; part of the state, so that a resumed run tells the same. */
typedef struct mn_tally {
  double loss; /* sum over steps */
  int64_t steps, right, counted;
} mn_tally;

/* A block of the caller's memory that travels with checkpoints. */
typedef struct mn_attachment {
  const char *name;
  void *data;
  size_t bytes;
} mn_attachment;
enum { MN_ATTACHMENTS = 8 };

/* ---- The trainer --------------------------------------------------------------------------*/
struct mn_trainer {
  const mn_graph *graph;
  mn_train_config config;
  const mn_lanes *lanes;
  const struct mn_integer *integer; /* integer.h; NULL: this processor has none */
  const struct mn_half *half;       /* half.h; NULL: all products are of floats */
  mn_arena *arena;
  mn_value *values;
  mn_unit *units;
  mn_parameter *parameters;
  mn_learned_range *ranges;
  mn_value **of_tensor; /* [tensor_count]: value that holds it; NULL constants */
  int32_t value_count, unit_count, parameter_count, range_count;
  mn_value *scores;     /* what the loss reads */
  int32_t last_weights; /* op index of the last layer with weights; -1 none */
  bool softmax;         /* the graph ends in SOFTMAX: part of the loss */
  void **blocks;        /* large memory, released at the end */
  int32_t block_count, block_capacity;
  float *scratch; /* [threads][scratch_floats] */
  int64_t scratch_floats;
  double *item_loss;           /* [batch] */
  float *item_low, *item_high; /* [batch]: extremes of the scores */
  int32_t *item_right;         /* [batch]: 1 where the label scored highest; -1 without label */
  mn_tally tally;              /* of the epoch under way */
  mn_attachment attachments[MN_ATTACHMENTS];
  int32_t attachment_count;
  int64_t step;
  bool quantized;          /* ranges are set and in force ... */
  int64_t quantized_since; /* ... from this step on */
  /* Of the pass under way. Where ranks share a batch, `batch` is this rank's share of it. */
  const mn_batch *batch;
  int32_t all_items; /* of the whole batch */
  const mn_gates *gates;
  const float *teacher; /* scores for the batch; NULL: none */
  bool training, updates;
  bool turned;    /* order of the next unit's shards */
  int32_t broken; /* value with a non-finite sum; -1 */
};

#define MN_BN_EPSILON 1e-5f
#define MN_BN_MOMENTUM 0.1f

/* build.c */
mn_status mn_engine_build(mn_trainer *t, mn_error *error) MN_MUST_CHECK;
/* memory.c: zeroed, padded behind the end, on huge pages where large. NULL when out of memory. */
float *mn_engine_floats(mn_trainer *t, int64_t count);
mn_status mn_engine_place(mn_trainer *t) MN_MUST_CHECK;
void mn_engine_release(mn_trainer *t);
/* ranks.c: nothing happens where the trainer is alone */
bool mn_engine_shared(const mn_trainer *t);
/* Shard sums of the first `kinds` kinds -> sums of all ranks, in shard 0. */
void mn_ranks_sum_value(mn_trainer *t, mn_value *v, int32_t kinds);
void mn_ranks_sum_mix(const mn_trainer *t, mn_unit *u);
void mn_ranks_sum_weights(mn_trainer *t, const mn_unit *u); /* begins; ends in the optimizer */
/* Work space of a thread: [scratch_floats], as much as any unit asked for. */
static inline float *mn_scratch_of(const mn_trainer *t, int32_t thread) {
  return t->scratch + thread * t->scratch_floats;
}
enum { MN_SUM_BLOCK = 64 }; /* rows of an addition that are worked on at a time (add_grad.c) */
/* value.c */
int32_t mn_shard_first(const mn_trainer *t, int32_t shard);
double *mn_value_sums(const mn_value *v, int32_t shard, int32_t kind);
/* Sums [stride] and squares [stride] of a block, gathered in single precision, leave in double. */
void mn_value_flush(mn_value *v, int32_t shard, float *sum);
/* z and g of a row, and their forms, which take the same bytes. */
static inline mn_form mn_value_form(const mn_value *v) {
  return mn_form_of_z(v->compact);
}
static inline mn_form mn_gradient_form(const mn_value *v) {
  return mn_form_of_g(v->compact);
}
static inline ptrdiff_t mn_value_offset(const mn_value *v, int64_t row) {
  return (ptrdiff_t)row * v->stride * mn_form_bytes(mn_value_form(v));
}
static inline void *mn_value_row(const mn_value *v, int64_t row) {
  return (char *)v->z + mn_value_offset(v, row);
}
static inline void *mn_gradient_row(const mn_value *v, int64_t row) {
  return (char *)v->g + mn_value_offset(v, row);
}
/* Gradients of rows [first, first + rows): themselves, or widened to `to`. */
const float *mn_gradient_read(const mn_trainer *t, const mn_value *v, float *to, int64_t first,
                              int64_t rows);
/* Whether readers see it rounded to its range in this pass. */
bool mn_value_rounds(const mn_trainer *t, const mn_value *v);
void mn_value_settle(mn_trainer *t, mn_value *v); /* after its unit ran: statistics -> view */
void mn_value_gather(mn_trainer *t,
                     mn_value *v); /* before its unit's backward: sums -> gradients */
/* The graph input has one view for all channels, and its rows are not padded: plain C. */
static inline float mn_input_read(const mn_view *view, float x) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: leaves no bits for a fraction */
  const float above = x > view->low[0] ? x : view->low[0];
  const float w = above < view->high[0] ? above : view->high[0];
  return ((w * view->inverse + magic) - magic) * view->step;
}
/* Rows [first, first + rows) as readers see them: z itself where the view is plain, else `to`. */
const float *mn_value_read(const mn_trainer *t, const mn_value *v, float *to, int64_t first,
                           int64_t rows);
/* How so many lines of v, one behind the other, are read to pixels to_row and lines to_line apart. */
mn_walk mn_value_walk(const mn_value *v, int32_t lines, ptrdiff_t to_row, ptrdiff_t to_line);
/* Lines [first, first + lines) of one item as readers see them; pixels to_row and lines to_line apart. */
void mn_value_lines(const mn_trainer *t, const mn_value *v, float *to, ptrdiff_t to_row,
                    ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines);
void mn_value_finish(mn_trainer *t, mn_value *v, int32_t shard, int64_t first, int64_t rows);
void mn_value_finish_rows(mn_trainer *t, mn_value *v, int32_t shard, void *g, const void *z,
                          int64_t rows);
/* The graph input stores no gradient: rows of dL/dx go straight to the sums of its range. */
void mn_input_finish(mn_trainer *t, mn_value *v, int32_t shard, const float *dx, ptrdiff_t dx_row,
                     int64_t first, int64_t rows);
bool mn_value_wants_gradient(const mn_trainer *t, const mn_value *v);
/* depthwise_grad.c: floats of scratch that the unit needs */
int64_t mn_depthwise_scratch(const mn_unit *u);
/* expand_grad.c. What the depthwise unit behind the expansion calls: lines of its input as mn_value_lines
 * gives them, and their z; and rows of that input's gradient, which are used up, with their z where it is at
 * hand. `spare`: rows * (both strides). */
bool mn_expand_fits(const mn_trainer *t, const mn_unit *maker, const mn_unit *reader);
void mn_expand_lines(mn_trainer *t, const mn_value *v, float *to, ptrdiff_t to_row,
                     ptrdiff_t to_line, float *z, int32_t item, int32_t first, int32_t lines,
                     float *spare);
void mn_expand_prepare(mn_trainer *t,
                       mn_unit *maker); /* before the depthwise unit's backward pass */
void mn_expand_begin(mn_unit *maker, int32_t shard);
void mn_expand_give(mn_trainer *t, mn_value *v, int32_t shard, float *g, const float *z,
                    int64_t first, int64_t rows, float *spare);
void mn_expand_forward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch);
void mn_expand_backward(mn_trainer *t, mn_unit *u, int32_t shard, float *scratch);
int64_t mn_expand_scratch(const mn_unit *u);
/* gates.c: around settling and gathering of the unit's output */
void mn_gates_input(mn_trainer *t, mn_value *x);
void mn_gates_forward(mn_trainer *t, const mn_unit *u);
void mn_gates_backward(mn_trainer *t, mn_unit *u);
/* quantize.c */
void mn_range_settle(mn_learned_range *range);
void mn_range_observe(mn_trainer *t, mn_learned_range *range);
void mn_range_optimize(mn_trainer *t, mn_learned_range *range, double rate);
/* Fake-quantized copy of the weights and their steps, in u->quantized and u->weight_step. */
const float *mn_unit_round_weights(mn_unit *u);
void mn_unit_prepare_weights(mn_trainer *t, mn_unit *u);
mn_status mn_engine_calibrate(mn_trainer *t) MN_MUST_CHECK;
/* snapshot.c: all parameters in canonical order, which is the same on every instruction set. */
int64_t mn_snapshot_floats(const mn_trainer *t);
void mn_snapshot_take(const mn_trainer *t, float *to);
void mn_snapshot_give(mn_trainer *t, const float *from);
/* average = decay * average + (1 - decay) * parameters; `spare` as large. Ranges count from the step at
 * which they began. */
void mn_snapshot_blend(const mn_trainer *t, float *average, float *spare, double decay);
/* loss.c */
double mn_loss_run(mn_trainer *t);
void mn_loss_scores(mn_trainer *t, float *scores);
/* optimizer.c */
double mn_rate_at(const mn_train_config *config, int64_t step);
void mn_optimizer_run(mn_trainer *t);
/* trainer.c: forward and backward without the optimizer; for tests, calibration and bench/train. A
 * forward pass prepares, then runs unit after unit; a backward pass runs them in reverse. */
void mn_engine_begin(mn_trainer *t, const mn_batch *batch, const mn_gates *gates, bool training,
                     bool updates);
void mn_engine_prepare(mn_trainer *t);
void mn_engine_unit_forward(mn_trainer *t, mn_unit *u);
void mn_engine_unit_backward(mn_trainer *t, mn_unit *u);
void mn_engine_forward(mn_trainer *t);
void mn_engine_backward(mn_trainer *t);
mn_parameter *mn_trainer_parameter(const mn_trainer *t, const char *op, mn_parameter_kind kind);
void mn_parameter_gradient(const mn_trainer *t, const mn_parameter *p, float *canonical,
                           float *padded);

#endif
