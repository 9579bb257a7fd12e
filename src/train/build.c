/* build.c - a bare graph becomes values, units, parameters and ranges.
 *
 * Flattening keeps the padded layout: a value stays [pixels][channels] and fully connected weights
 * follow it. A depthwise layer with one input channel is a convolution.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "graph/quantization.h"
#include "train/build.h"
#include "train/integer.h"

/* ---- Values ---------------------------------------------------------------------------------*/
static int32_t padded(const mn_trainer *t, int32_t channels) {
  const int32_t lanes = t->lanes->lanes;
  return (channels + lanes - 1) / lanes * lanes;
}

static void value_shape(mn_value *v, const mn_shape *shape) {
  const int32_t rank = shape->rank;
  v->channels = rank > 0 ? shape->dim[rank - 1] : 1;
  v->width = rank > 2 ? shape->dim[rank - 2] : 1;
  v->height = rank > 3 ? shape->dim[rank - 3] : 1;
  v->pixels = (int64_t)v->height * v->width;
}

static mn_value *value_new(builder *b, int32_t tensor, int32_t op) {
  const mn_shape *shape = &b->t->graph->tensors[tensor].shape;
  mn_value *v = &b->t->values[b->t->value_count++];
  v->tensor = tensor, v->op = op;
  value_shape(v, shape);
  v->stride = padded(b->t, v->channels);
  v->activation = op >= 0 ? b->t->graph->ops[op].activation : MN_ACTIVATION_NONE;
  b->t->of_tensor[tensor] = v;
  return v;
}

static mn_learned_range *range_new(builder *b, mn_value *v) {
  const mn_tensor *tensor = &b->t->graph->tensors[v->tensor];
  if (tensor->dtype == MN_DTYPE_FLOAT32 || tensor->dtype == MN_DTYPE_INT64) return NULL;
  mn_learned_range *range = &b->t->ranges[b->t->range_count++];
  range->dtype = tensor->dtype;
  range->maker = v;
  range->from_zero = v->activation != MN_ACTIVATION_NONE;
  return range;
}

/* ---- Parameters -------------------------------------------------------------------------------*/
static mn_status parameter_new(builder *b, mn_parameter **made, mn_parameter p) {
  mn_trainer *t = b->t;
  p.count = (int64_t)p.taps * p.inner_stride * p.outer_stride;
  const bool optimized = p.kind != MN_PARAMETER_MEAN && p.kind != MN_PARAMETER_VARIANCE;
  p.shards = p.kind == MN_PARAMETER_WEIGHTS ? MN_SHARDS : 1;
  p.decays = p.kind == MN_PARAMETER_WEIGHTS;
  if ((p.value = mn_engine_floats(t, p.count)) == NULL) return MN_ERR_MEMORY;
  if (optimized && ((p.first = mn_engine_floats(t, p.count)) == NULL ||
                    (p.second = mn_engine_floats(t, p.count)) == NULL ||
                    (p.gradient = mn_engine_floats(t, p.shards * p.count)) == NULL))
    return MN_ERR_MEMORY;
  *made = &t->parameters[t->parameter_count++];
  **made = p;
  return MN_OK;
}

static mn_status vector_new(builder *b, mn_parameter **made, const mn_value *v,
                            mn_parameter_kind kind, float fill) {
  MN_TRY(parameter_new(b, made,
                       (mn_parameter){.op = b->t->graph->ops[v->op].name,
                                      .kind = kind,
                                      .outer = v->channels,
                                      .taps = 1,
                                      .inner = 1,
                                      .outer_stride = v->stride,
                                      .inner_stride = 1}));
  for (int32_t c = 0; c < v->channels; c++) (*made)->value[c] = fill;
  return MN_OK;
}

/* Deviation sqrt(1 / (3 inputs)): behind batch norm the size of weights only sets how fast a step of
 * given length turns them, and short trainings want them small. */
static void weights_draw(builder *b, mn_parameter *p) {
  const double deviation = sqrt(1.0 / (3.0 * (double)p->taps * (double)p->inner));
  mn_rng rng = mn_rng_stream(b->t->config.seed, mn_hash64(0, p->op, strlen(p->op)), 0);
  for (int32_t o = 0; o < p->outer; o++)
    for (int32_t k = 0; k < p->taps; k++)
      for (int32_t c = 0; c < p->inner; c++)
        p->value[((int64_t)k * p->inner_stride + c) * p->outer_stride + o] =
            (float)(deviation * mn_rng_normal(&rng));
}

static mn_status affine_new(builder *b, mn_value *v) {
  const mn_op *op = &b->t->graph->ops[v->op];
  if (op->batch_norm) {
    MN_TRY(vector_new(b, &v->gamma, v, MN_PARAMETER_GAMMA, 1.0f));
    MN_TRY(vector_new(b, &v->mean, v, MN_PARAMETER_MEAN, 0.0f));
    MN_TRY(vector_new(b, &v->variance, v, MN_PARAMETER_VARIANCE, 1.0f));
  }
  if (op->batch_norm || (op->inputs > 2 && op->input[2] >= 0))
    MN_TRY(vector_new(b, &v->bias, v, MN_PARAMETER_BIAS, 0.0f));
  return MN_OK;
}

static mn_status range_parameter(builder *b, mn_learned_range *range) {
  const mn_value *v = range->maker;
  const char *name = v->op >= 0 ? b->t->graph->ops[v->op].name : "input";
  return parameter_new(b, &range->parameter,
                       (mn_parameter){.op = name,
                                      .kind = MN_PARAMETER_RANGE,
                                      .outer = 2,
                                      .taps = 1,
                                      .inner = 1,
                                      .outer_stride = 2,
                                      .inner_stride = 1});
}

/* ---- Units ------------------------------------------------------------------------------------*/
static void scratch_need(builder *b, int64_t floats) {
  if (b->t->scratch_floats < floats) b->t->scratch_floats = floats;
}

static mn_unit *unit_new(builder *b, const mn_unit_family *family, int32_t op, mn_value *x0,
                         mn_value *x1) {
  mn_unit *u = &b->t->units[b->t->unit_count++];
  u->family = family, u->op = op;
  u->input[0] = x0, u->input[1] = x1;
  for (int32_t k = 0; k < 2; k++) {
    if (u->input[k] == NULL) continue;
    u->input[k]->readers++;
    scratch_need(b, 2 * u->input[k]->pixels * u->input[k]->stride);
  }
  return u;
}

static void window_take(mn_unit *u, const mn_op *op) {
  const mn_value *x = u->input[0];
  mn_window *w = &u->window;
  *w = op->window;
  u->pad_top = mn_window_pad_before(x->height, w->kernel_h, w->stride_h, w->dilation_h, w->padding);
  u->pad_left = mn_window_pad_before(x->width, w->kernel_w, w->stride_w, w->dilation_w, w->padding);
  /* The plane ends where the last window or the map ends. */
  const int32_t last_h =
      (u->output->height - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1;
  const int32_t last_w =
      (u->output->width - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
  u->plane_h = last_h > x->height + u->pad_top ? last_h : x->height + u->pad_top;
  u->plane_w = last_w > x->width + u->pad_left ? last_w : x->width + u->pad_left;
}

/* Rows treated at once: matrix and gradient rows and weights within the second-level cache; a multiple of
 * the tile heights 6 and 8. */
static int32_t block_of(const mn_unit *u) {
  const int32_t floats = u->depth + u->output->stride;
  const int32_t rows = 98304 / floats / 24 * 24;
  return rows < 24 ? 24 : rows > 192 ? 192 : rows;
}

static mn_status conv_buffers(builder *b, mn_unit *u) {
  const int32_t n = u->output->stride;
  u->depth_padded = padded(b->t, u->depth);
  u->depth_used = u->depth - (u->input[0]->stride - u->input[0]->channels);
  u->block = block_of(u);
  u->packed = mn_engine_floats(b->t, (int64_t)u->depth * n);
  u->turned = mn_engine_floats(b->t, (int64_t)u->depth_padded * n);
  const int64_t plane = u->direct ? 0 : (int64_t)u->plane_h * u->plane_w * u->input[0]->stride;
  scratch_need(b, 2 * n + 2 * plane + (int64_t)u->block * (n + 2 * u->depth_padded));
  return u->packed == NULL || u->turned == NULL ? MN_ERR_MEMORY : MN_OK;
}

static mn_status weights_new(builder *b, mn_unit *u, mn_parameter form) {
  const mn_op *op = &b->t->graph->ops[u->op];
  form.op = op->name;
  form.kind = MN_PARAMETER_WEIGHTS;
  form.outer = u->output->channels, form.outer_stride = u->output->stride;
  MN_TRY(parameter_new(b, &u->weights, form));
  weights_draw(b, u->weights);
  u->weight_type = b->t->graph->tensors[op->input[1]].dtype;
  u->quantized = mn_engine_floats(b->t, u->weights->count);
  u->weight_step = mn_engine_floats(b->t, u->weights->outer_stride);
  return u->quantized == NULL || u->weight_step == NULL ? MN_ERR_MEMORY : MN_OK;
}

static mn_status add_conv(builder *b, int32_t index, bool taps_first) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  mn_unit *u = unit_new(b, &mn_conv_family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  window_take(u, op);
  const mn_window *w = &u->window;
  const int32_t taps = w->kernel_h * w->kernel_w;
  u->direct = taps == 1 && w->stride_h == 1 && w->stride_w == 1;
  u->depth = taps * x->stride;
  u->input_rows = 1;
  u->rows_per_item = (int32_t)u->output->pixels;
  MN_TRY(weights_new(b, u,
                     (mn_parameter){.taps = taps,
                                    .inner = x->channels,
                                    .inner_stride = x->stride,
                                    .taps_first = taps_first}));
  MN_TRY(affine_new(b, u->output));
  return conv_buffers(b, u);
}

static mn_status add_depthwise(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  if (x->channels == 1) return add_conv(b, index, true);
  mn_unit *u = unit_new(b, &mn_depthwise_family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  window_take(u, op);
  const mn_window *w = &u->window;
  MN_TRY(weights_new(
      b, u,
      (mn_parameter){
          .taps = w->kernel_h * w->kernel_w, .inner = 1, .inner_stride = 1, .taps_first = true}));
  MN_TRY(affine_new(b, u->output));
  u->packed = mn_engine_floats(b->t, u->weights->count);
  u->turned = mn_engine_floats(b->t, u->weights->count);
  scratch_need(b, mn_depthwise_scratch(u));
  return u->packed == NULL || u->turned == NULL ? MN_ERR_MEMORY : MN_OK;
}

static mn_status add_fully_connected(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  const int32_t inputs = b->t->graph->tensors[op->input[1]].shape.dim[1];
  const bool whole = inputs == x->pixels * x->channels;
  if (!whole && inputs != x->channels)
    return refuse(b, index, "takes several pixels at a time, but not all of them");
  mn_unit *u = unit_new(b, &mn_conv_family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  u->direct = true;
  u->input_rows = whole ? (int32_t)x->pixels : 1;
  u->depth = u->input_rows * x->stride;
  u->rows_per_item = whole ? 1 : (int32_t)x->pixels;
  if (u->output->pixels != u->rows_per_item)
    return refuse(b, index, "has an output of unusual shape");
  u->one_scale = !op->batch_norm;
  MN_TRY(weights_new(
      b, u,
      (mn_parameter){.taps = u->input_rows, .inner = x->channels, .inner_stride = x->stride}));
  MN_TRY(affine_new(b, u->output));
  return conv_buffers(b, u);
}

static mn_status add_pool(builder *b, int32_t index, const mn_unit_family *family) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  mn_unit *u = unit_new(b, family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  if (op->kind != MN_OP_MEAN) {
    window_take(u, op);
    return MN_OK;
  }
  if (u->output->pixels != 1 || u->output->channels != x->channels)
    return refuse(b, index, "is not a mean over the whole map");
  u->window =
      (mn_window){.kernel_h = x->height, .kernel_w = x->width, .stride_h = 1, .stride_w = 1};
  return MN_OK;
}

static mn_status add_sum(builder *b, int32_t index, const mn_unit_family *family) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x0 = b->t->of_tensor[op->input[0]], *x1 = b->t->of_tensor[op->input[1]];
  if (x0->pixels != x1->pixels || x0->input || x1->input)
    return refuse(b, index, "joins tensors of different layout or the network's input");
  mn_unit *u = unit_new(b, family, index, x0, x1);
  u->output = value_new(b, op->output, index);
  scratch_need(b, 4 * (int64_t)MN_SUM_BLOCK * u->output->stride);
  return MN_OK;
}

static mn_status add_pad(builder *b, int32_t index) {
  const mn_graph *graph = b->t->graph;
  const mn_op *op = &graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  const mn_tensor *paddings = &graph->tensors[op->input[1]];
  const int32_t rank = graph->tensors[op->input[0]].shape.rank;
  int32_t before[2 * MN_MAX_RANK] = {0};
  memcpy(before, paddings->data, 2 * (size_t)rank * sizeof *before);
  if (rank != 4 || before[0] != 0 || before[1] != 0 || before[6] != 0)
    return refuse(b, index, "pads in front of the channels, or the batch");
  mn_unit *u = unit_new(b, &mn_copy_family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  u->pad_top = before[2], u->pad_left = before[4];
  return MN_OK;
}

/* A reshape that only drops axes is another name of the same value; the network's input is not padded
 * and takes any shape. */
static mn_status add_reshape(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  const mn_shape *shape = &b->t->graph->tensors[op->output].shape;
  const int32_t rank = shape->rank;
  const bool same = shape->dim[rank - 1] == x->channels &&
                    (rank < 4 || (shape->dim[1] == x->height && shape->dim[2] == x->width));
  const bool flat = rank <= 2 && shape->dim[rank - 1] == x->pixels * x->channels;
  if (x->input && x->readers == 0) {
    value_shape(x, shape);
    x->stride = x->channels;
    b->t->of_tensor[op->output] = x;
    return MN_OK;
  }
  if (!x->input && (same || flat)) {
    b->t->of_tensor[op->output] = x;
    return MN_OK;
  }
  mn_unit *u = unit_new(b, &mn_copy_family, index, x, NULL);
  u->output = value_new(b, op->output, index);
  return MN_OK;
}

static mn_status add_softmax(builder *b, int32_t index) {
  const mn_graph *graph = b->t->graph;
  const mn_op *op = &graph->ops[index];
  if (index != graph->op_count - 1 || graph->outputs[0] != op->output)
    return refuse(b, index, "can be trained only as the last layer");
  b->t->softmax = true;
  b->t->of_tensor[op->output] = b->t->of_tensor[op->input[0]];
  return MN_OK;
}

static mn_status add_copy(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_unit *u = unit_new(b, &mn_copy_family, index, b->t->of_tensor[op->input[0]], NULL);
  u->output = value_new(b, op->output, index);
  return MN_OK;
}

static bool has_weights(mn_op_kind kind) {
  return kind == MN_OP_CONV_2D || kind == MN_OP_DEPTHWISE_CONV_2D || kind == MN_OP_FULLY_CONNECTED;
}

/* In front of the last layer with weights: its input becomes a dropped-out copy. */
static void add_dropout(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *x = b->t->of_tensor[op->input[0]];
  if (b->t->config.dropout <= 0 || index != b->t->last_weights || x->input) return;
  mn_unit *u = unit_new(b, &mn_dropout_family, index, x, NULL);
  mn_value *v = &b->t->values[b->t->value_count++];
  *v = (mn_value){.tensor = x->tensor,
                  .op = -1,
                  .height = x->height,
                  .width = x->width,
                  .channels = x->channels,
                  .stride = x->stride,
                  .pixels = x->pixels};
  u->output = v;
  b->t->of_tensor[op->input[0]] = v;
}

static mn_status add_op(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  if (has_weights(op->kind)) add_dropout(b, index);
  switch (op->kind) {
    case MN_OP_CONV_2D: return add_conv(b, index, false);
    case MN_OP_DEPTHWISE_CONV_2D: return add_depthwise(b, index);
    case MN_OP_FULLY_CONNECTED: return add_fully_connected(b, index);
    case MN_OP_AVERAGE_POOL_2D:
    case MN_OP_MEAN: return add_pool(b, index, &mn_average_family);
    case MN_OP_MAX_POOL_2D: return add_pool(b, index, &mn_max_family);
    case MN_OP_ADD: return add_sum(b, index, &mn_add_family);
    case MN_OP_MIX: return add_sum(b, index, &mn_mix_family);
    case MN_OP_PAD: return add_pad(b, index);
    case MN_OP_RESHAPE: return add_reshape(b, index);
    case MN_OP_SOFTMAX: return add_softmax(b, index);
    case MN_OP_QUANTIZE: return add_copy(b, index);
    default: return refuse(b, index, "cannot be trained");
  }
}

/* FREE: a range of its own. SAME: that of the input; where items are only moved, rounding again
 * would change nothing but the gradient at the bounds, so the view stays plain. */
static void range_attach(builder *b, int32_t index) {
  const mn_op *op = &b->t->graph->ops[index];
  mn_value *y = b->t->of_tensor[op->output], *x = b->t->of_tensor[op->input[0]];
  const mn_scale_rule rule = mn_op_info_get(op->kind)->scale_rule;
  if (rule == MN_SCALE_FREE) y->range = range_new(b, y);
  if (rule == MN_SCALE_SAME && op->kind == MN_OP_AVERAGE_POOL_2D) y->range = x->range;
  y->grid = y->range != NULL || rule != MN_SCALE_SAME ? y->range : x->grid;
}

/* In backward order: who adds, who finishes. */
static void readers_order(mn_trainer *t) {
  int32_t left = 0;
  for (int32_t i = 0; i < t->value_count; i++) t->values[i].visits = 0;
  for (int32_t i = t->unit_count - 1; i >= 0; i--)
    for (int32_t k = 1; k >= 0; k--) {
      mn_unit *u = &t->units[i];
      if (u->input[k] == NULL) continue;
      left = u->input[k]->readers - ++u->input[k]->visits;
      u->accumulate[k] = u->input[k]->visits > 1;
      u->finish[k] = left == 0;
    }
}

static mn_status check_uses(builder *b) {
  for (int32_t i = 0; i < b->t->unit_count; i++) {
    const mn_value *y = b->t->units[i].output;
    if (y->readers == 0) return refuse(b, b->t->units[i].op, "makes a tensor that nobody reads");
    if (y == b->t->scores && y->readers != 1)
      return refuse(b, b->t->units[i].op, "makes the scores, which another layer reads too");
  }
  return MN_OK;
}

/* Wide maps between an expansion and a depthwise layer are not stored. */
static mn_status expansions_find(builder *b) {
  for (int32_t i = 0; i + 1 < b->t->unit_count; i++) {
    mn_unit *u = &b->t->units[i];
    if (!mn_expand_fits(b->t, u, u + 1)) continue;
    u->output->maker = u;
    if ((u->scaled = mn_engine_floats(b->t, u->weights->count)) == NULL) return MN_ERR_MEMORY;
    scratch_need(b, mn_expand_scratch(u));
    scratch_need(b, mn_depthwise_scratch(u + 1));
  }
  return MN_OK;
}

/* Who writes z or g and writes floats only: max pools, copies, the loss and the passes of expansions. */
static bool writes_compact(const mn_unit *u) {
  const bool narrows = u->family == &mn_depthwise_family && u->window.multiplier != 1;
  return u->family != &mn_max_family && u->family != &mn_copy_family &&
         u->family != &mn_dropout_family && u->output->maker == NULL && !narrows;
}

static void compacts_find(mn_trainer *t) {
  for (int32_t i = 0; i < t->unit_count; i++)
    t->units[i].output->compacts = t->units[i].output != t->scores && writes_compact(&t->units[i]);
  for (int32_t i = 0; i < t->unit_count; i++)
    for (int32_t k = 0; k < 2; k++)
      if (t->units[i].input[k] != NULL && !writes_compact(&t->units[i]))
        t->units[i].input[k]->compacts = false;
}

static mn_status tables_new(mn_trainer *t) {
  const size_t ops = (size_t)t->graph->op_count, most = 2 * ops + 2;
  t->values = mn_arena_array(t->arena, most, sizeof *t->values);
  t->units = mn_arena_array(t->arena, most, sizeof *t->units);
  t->parameters = mn_arena_array(t->arena, 6 * ops + 2, sizeof *t->parameters);
  t->ranges = mn_arena_array(t->arena, ops + 1, sizeof *t->ranges);
  t->of_tensor = mn_arena_array(t->arena, (size_t)t->graph->tensor_count, sizeof(mn_value *));
  return t->values == NULL || t->units == NULL || t->parameters == NULL || t->ranges == NULL ||
                 t->of_tensor == NULL
             ? MN_ERR_MEMORY
             : MN_OK;
}

static mn_status add_input(builder *b) {
  const mn_graph *graph = b->t->graph;
  if (graph->input_count != 1 || graph->output_count != 1)
    return mn_error_set(b->error, MN_ERR_UNSUPPORTED,
                        "the network has %d inputs and %d outputs; one of each can be trained",
                        graph->input_count, graph->output_count);
  mn_value *x = value_new(b, graph->inputs[0], -1);
  x->input = true;
  x->stride = x->channels;
  x->grid = x->range = range_new(b, x);
  const mn_train_config *config = &b->t->config;
  if (x->range != NULL && config->input_low < config->input_high) {
    x->range->is_fixed = true;
    x->range->fixed[0] = (float)config->input_low;
    x->range->fixed[1] = (float)config->input_high;
  }
  return MN_OK;
}

mn_status mn_engine_build(mn_trainer *t, mn_error *error) {
  builder b = {.t = t, .error = error};
  MN_TRY(tables_new(t));
  for (int32_t i = 0; i < t->graph->op_count; i++)
    if (has_weights(t->graph->ops[i].kind)) t->last_weights = i;
  MN_TRY(add_input(&b));
  for (int32_t i = 0; i < t->graph->op_count; i++) {
    MN_TRY(add_op(&b, i));
    range_attach(&b, i);
  }
  for (int32_t i = 0; i < t->range_count; i++) MN_TRY(range_parameter(&b, &t->ranges[i]));
  t->scores = t->of_tensor[t->graph->outputs[0]];
  t->scores->readers++;
  if (t->scores->range != NULL && t->scores->range->maker == t->scores)
    t->scores->range->observed = true;
  t->scores->visits = 0;
  scratch_need(
      &b, 2 * t->scores->pixels * t->scores->stride + 8 * t->scores->pixels * t->scores->channels);
  MN_TRY(check_uses(&b));
  readers_order(t);
  MN_TRY(expansions_find(&b));
  compacts_find(t);
  for (int32_t i = 0; i < t->unit_count; i++) {
    MN_TRY(mn_integer_place(t, &t->units[i]));
    scratch_need(&b, mn_integer_scratch(t, &t->units[i]));
  }
  return MN_OK;
}
