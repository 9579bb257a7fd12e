/* quantize.c - fake quantization for training: weights per channel, activations and input with learned
 * ranges.
 *
 * Weights are rounded before batch norm is folded in. Their scale is the channel's largest magnitude
 * over 127, and folding multiplies a whole channel by one factor: the folded weights have the same
 * integers, so training needs no folding and batch statistics stay exact. Ranges: straight-through
 * rounding, gradients for both bounds (value.c; Esser et al. 2020, Jain et al. 2020), started where
 * clipping plus rounding costs least on one batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "graph/quantization.h"
#include "train/half.h"
#include "train/integer.h"

/* ---- Ranges ---------------------------------------------------------------------------------*/
void mn_range_settle(mn_learned_range *range) {
  const float *bound = range->is_fixed ? range->fixed : range->parameter->value;
  const mn_range grid = mn_range_of(bound[0], bound[1], range->dtype);
  const mn_limits limits = mn_dtype_limits(range->dtype);
  range->scale = grid.scale;
  range->zero_point = grid.zero_point;
  range->low = grid.scale * (float)(limits.min - grid.zero_point);
  range->high = grid.scale * (float)(limits.max - grid.zero_point);
}

/* Adam on the bounds in units of the width: a step means the same for every tensor. */
void mn_range_optimize(mn_trainer *t, mn_learned_range *range, double rate) {
  mn_parameter *p = range->parameter;
  const double beta1 = 0.9, beta2 = 0.999, unit = (double)p->value[1] - (double)p->value[0];
  const double count = (double)(t->step - t->quantized_since + 1);
  for (int32_t i = range->from_zero ? 1 : 0; i < 2; i++) {
    const double g = (double)p->gradient[i] * unit;
    const double m = beta1 * (double)p->first[i] + (1 - beta1) * g;
    const double v = beta2 * (double)p->second[i] + (1 - beta2) * g * g;
    p->first[i] = (float)m;
    p->second[i] = (float)v;
    const double step = m / (1 - pow(beta1, count)) / (sqrt(v / (1 - pow(beta2, count))) + 1e-8);
    p->value[i] -= (float)(rate * unit * step);
  }
  p->value[0] = fminf(p->value[0], 0.0f);
  p->value[1] = fmaxf(p->value[1], p->value[0] + 1e-6f);
}

/* Nothing follows the scores but the loss, and clipping them would only blind it: in training they
 * are not rounded, and their range takes in every new extreme and shrinks slowly. */
void mn_range_observe(mn_trainer *t, mn_learned_range *range) {
  float *bound = range->parameter->value, low = 0, high = 0;
  for (int32_t i = 0; i < t->batch->items; i++) {
    low = fminf(low, t->item_low[i]);
    high = fmaxf(high, t->item_high[i]);
  }
  if (mn_engine_shared(t)) {
    double ends[2] = {-(double)low, (double)high};
    mn_ranks_greatest(ends, 2);
    low = -(float)ends[0], high = (float)ends[1];
  }
  bound[0] = low < bound[0] ? low : bound[0] + 0.01f * (low - bound[0]);
  bound[1] = high > bound[1] ? high : bound[1] + 0.01f * (high - bound[1]);
}

/* ---- Weights --------------------------------------------------------------------------------*/
static void steps_find(mn_unit *u) {
  const mn_parameter *w = u->weights;
  const int32_t n = w->outer_stride;
  memset(u->weight_step, 0, (size_t)n * sizeof *u->weight_step);
  for (int64_t i = 0; i < w->count; i += n)
    for (int32_t o = 0; o < n; o++)
      u->weight_step[o] = fmaxf(u->weight_step[o], fabsf(w->value[i + o]));
  float largest = 0;
  for (int32_t o = 0; o < n; o++) largest = fmaxf(largest, u->weight_step[o]);
  for (int32_t o = 0; u->one_scale && o < n; o++) u->weight_step[o] = largest;
  for (int32_t o = 0; o < n; o++)
    u->weight_step[o] = mn_weight_scale(u->weight_step[o], u->weight_type);
}

const float *mn_unit_round_weights(mn_unit *u) {
  const mn_parameter *w = u->weights;
  const float magic = 12582912.0f; /* 1.5 * 2^23: leaves no bits for a fraction */
  const int32_t n = w->outer_stride;
  steps_find(u);
  for (int64_t i = 0; i < w->count; i += n)
    for (int32_t o = 0; o < n; o++) {
      const float q = (w->value[i + o] / u->weight_step[o] + magic) - magic;
      u->quantized[i + o] = q * u->weight_step[o];
    }
  return u->quantized;
}

static void turn_taps(mn_unit *u, const float *from) {
  const mn_parameter *w = u->weights;
  for (int32_t i = 0; i < w->taps; i++)
    memcpy(u->turned + (ptrdiff_t)i * w->outer_stride,
           from + (ptrdiff_t)(w->taps - 1 - i) * w->outer_stride,
           (size_t)w->outer_stride * sizeof *from);
}

void mn_unit_prepare_weights(mn_trainer *t, mn_unit *u) {
  if (u->weights == NULL) return;
  const float *from = t->quantized ? mn_unit_round_weights(u) : u->weights->value;
  const int32_t n = u->weights->outer_stride;
  const bool integer = mn_unit_is_integer(t, u);
  if (integer) mn_integer_pack(t, u);
  if (u->family == &mn_depthwise_family) {
    if (!integer) memcpy(u->packed, from, (size_t)u->weights->count * sizeof *from);
    if (t->training) turn_taps(u, from);
    return;
  }
  if (!integer)
    u->packed_scale =
        mn_weights_pack(t, u, mn_half_forward(t, u), u->packed, from, u->depth_used, n, n, n, 1);
  if (t->training && mn_value_wants_gradient(t, u->input[0]))
    u->turned_scale = mn_weights_pack(t, u, mn_half_backward(t, u), u->turned, from,
                                      u->output->channels, u->depth_padded, u->depth, 1, n);
}

/* ---- Calibration ------------------------------------------------------------------------------*/
enum { BINS = 2048 };

typedef struct histogram {
  double low, high;
  double count[BINS]; /* whole numbers */
} histogram;

typedef void value_visitor(histogram *h, const float *row, int32_t channels);

static void visit_extremes(histogram *h, const float *row, int32_t channels) {
  for (int32_t c = 0; c < channels; c++) {
    h->low = fmin(h->low, (double)row[c]);
    h->high = fmax(h->high, (double)row[c]);
  }
}

static void visit_bins(histogram *h, const float *row, int32_t channels) {
  const double scale = BINS / (h->high - h->low);
  for (int32_t c = 0; c < channels; c++) {
    const int32_t bin = (int32_t)(((double)row[c] - h->low) * scale);
    h->count[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
  }
}

static void range_walk(const mn_trainer *t, const mn_learned_range *range, histogram *h,
                       int32_t thread, value_visitor *visit) {
  const mn_value *v = range->maker;
  float *spare = mn_scratch_of(t, thread);
  if (range->is_fixed) return;
  for (int32_t item = 0; item < t->batch->items; item++) {
    const float *x = mn_value_read(t, v, spare, item * v->pixels, v->pixels);
    for (int64_t p = 0; p < v->pixels; p++) visit(h, x + p * v->stride, v->channels);
  }
}

/* Squared error of clipping to `keep` of the extremes and rounding inside. */
static double clip_cost(const histogram *h, double keep, int32_t levels) {
  const double low = h->low * keep, high = h->high * keep, step = (high - low) / levels;
  double cost = 0;
  for (int32_t i = 0; i < BINS; i++) {
    const double x = h->low + (h->high - h->low) * (i + 0.5) / BINS;
    const double out = x < low ? low - x : x > high ? x - high : 0;
    cost += h->count[i] * (out > 0 ? out * out : step * step / 12);
  }
  return cost;
}

static void range_choose(mn_learned_range *range, const histogram *h) {
  const mn_limits limits = mn_dtype_limits(range->dtype);
  double best = 1, cost = clip_cost(h, 1, limits.max - limits.min);
  for (double keep = 0.98; keep > 0.1; keep -= 0.02) {
    const double c = clip_cost(h, keep, limits.max - limits.min);
    if (c < cost) best = keep, cost = c;
  }
  range->parameter->value[0] = range->from_zero ? 0.0f : (float)(h->low * best);
  range->parameter->value[1] = (float)(h->high * best);
}

typedef struct calibration {
  mn_trainer *t;
  histogram *histograms; /* [range_count] */
} calibration;

static void extremes_find(void *context, int32_t item, int32_t thread) {
  const calibration *c = context;
  range_walk(c->t, &c->t->ranges[item], &c->histograms[item], thread, visit_extremes);
}

static void bins_fill(void *context, int32_t item, int32_t thread) {
  const calibration *c = context;
  histogram *h = &c->histograms[item];
  if (h->high - h->low < 1e-6) h->high = h->low + 1e-6;
  range_walk(c->t, &c->t->ranges[item], h, thread, visit_bins);
}

static void range_start(void *context, int32_t item, int32_t thread) {
  (void)thread;
  const calibration *c = context;
  mn_learned_range *range = &c->t->ranges[item];
  if (range->is_fixed) return;
  range_choose(range, &c->histograms[item]);
  memset(range->parameter->first, 0, 2 * sizeof(float));
  memset(range->parameter->second, 0, 2 * sizeof(float));
}

static void extremes_share(histogram *h) {
  double ends[2] = {-h->low, h->high};
  mn_ranks_greatest(ends, 2);
  h->low = -ends[0], h->high = ends[1];
}

/* The forward pass of the current batch, which ranks share, has just run without quantization. */
mn_status mn_engine_calibrate(mn_trainer *t) {
  const int32_t ranges = t->range_count;
  calibration c = {t, mn_calloc((size_t)ranges + 1, sizeof(histogram))};
  if (c.histograms == NULL) return MN_ERR_MEMORY;
  const bool shared = mn_engine_shared(t);
  mn_pool_run(t->config.pool, extremes_find, &c, ranges);
  for (int32_t i = 0; i < ranges && shared; i++) extremes_share(&c.histograms[i]);
  mn_pool_run(t->config.pool, bins_fill, &c, ranges);
  for (int32_t i = 0; i < ranges && shared; i++) mn_ranks_sum(c.histograms[i].count, BINS);
  mn_pool_run(t->config.pool, range_start, &c, ranges);
  mn_free(c.histograms);
  t->quantized = true;
  t->quantized_since = t->step;
  return MN_OK;
}
