/* value.c - how stored outputs are read, and how gradients are gathered: batch norm, activation, mask
 * and fake quantization between the units.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "train/engine.h"

/* The first to break is the one to name. */
static void check_finite(mn_trainer *t, const mn_value *v, double a, double b) {
  if (t->broken < 0 && !(isfinite(a) && isfinite(b))) t->broken = (int32_t)(v - t->values);
}

int32_t mn_shard_first(const mn_trainer *t, int32_t shard) {
  return (int32_t)((int64_t)t->batch->items * shard / MN_SHARDS);
}

double *mn_value_sums(const mn_value *v, int32_t shard, int32_t kind) {
  return v->sums + ((ptrdiff_t)shard * MN_SUM_KINDS + kind) * v->stride;
}

void mn_value_flush(mn_value *v, int32_t shard, float *sum) {
  double *to = mn_value_sums(v, shard, MN_SUM), *dot = mn_value_sums(v, shard, MN_DOT);
  const float *square = sum + v->stride;
  for (int32_t c = 0; c < v->stride; c++) {
    to[c] += (double)sum[c];
    dot[c] += (double)square[c];
  }
  memset(sum, 0, 2 * (size_t)v->stride * sizeof *sum);
}

bool mn_value_wants_gradient(const mn_trainer *t, const mn_value *v) {
  const bool learns = v->range != NULL && !v->range->is_fixed; /* its own range */
  return !v->input || (learns && t->quantized && t->updates);
}

/* Sum of all shards for one channel; leaves zeros behind. */
static double take(mn_value *v, int32_t kind, int32_t channel) {
  double total = 0;
  for (int32_t s = 0; s < MN_SHARDS; s++) {
    double *p = mn_value_sums(v, s, kind) + channel;
    total += *p;
    *p = 0;
  }
  return total;
}

/* ---- Forward: statistics into a view ---------------------------------------------------------*/
static double rows_of(const mn_trainer *t, const mn_value *v) {
  return (double)v->pixels * t->all_items;
}

static void running_update(mn_value *v, int32_t c, double mean, double variance, double rows) {
  const double unbiased = rows > 1 ? variance * rows / (rows - 1) : variance;
  const double k = (double)MN_BN_MOMENTUM;
  v->mean->value[c] = (float)((1 - k) * (double)v->mean->value[c] + k * mean);
  v->variance->value[c] = (float)((1 - k) * (double)v->variance->value[c] + k * unbiased);
}

static void normalize(mn_trainer *t, mn_value *v) {
  const double rows = rows_of(t, v);
  for (int32_t c = 0; c < v->channels; c++) {
    double mean = (double)v->mean->value[c], variance = (double)v->variance->value[c];
    if (t->training) {
      mean = take(v, MN_SUM, c) / rows;
      variance = fmax(take(v, MN_DOT, c) / rows - mean * mean, 0);
      check_finite(t, v, mean, variance);
      if (t->updates) running_update(v, c, mean, variance, rows);
    }
    const double inverse = 1 / sqrt(variance + (double)MN_BN_EPSILON);
    const double scale = (double)v->gamma->value[c] * inverse;
    v->batch_mean[c] = (float)mean;
    v->inverse_deviation[c] = (float)inverse;
    v->raw_scale[c] = (float)scale;
    v->raw_shift[c] = (float)((double)v->bias->value[c] - mean * scale);
  }
}

static void add_bias(mn_value *v) {
  for (int32_t c = 0; c < v->channels; c++) {
    v->raw_scale[c] = 1.0f;
    v->raw_shift[c] = v->bias != NULL ? v->bias->value[c] : 0.0f;
  }
}

static void bounds(mn_value *v) {
  const bool relu = v->activation != MN_ACTIVATION_NONE;
  for (int32_t c = 0; c < v->channels; c++) {
    v->raw_low[c] = relu ? 0.0f : -INFINITY;
    v->raw_high[c] = v->activation == MN_ACTIVATION_RELU6 ? 6.0f : INFINITY;
  }
}

/* mask * clamp(u, low, high) = clamp(mask * u, low, mask * high) for masks >= 0 and low 0 or -inf. */
static void fold_mask(mn_value *v) {
  for (int32_t c = 0; c < v->channels; c++) {
    const float mask = v->masked ? v->mask[c] : 1.0f;
    v->scale[c] = mask * v->raw_scale[c];
    v->shift[c] = mask * v->raw_shift[c];
    v->low[c] = v->raw_low[c];
    v->high[c] = isinf(v->raw_high[c]) ? v->raw_high[c] : mask * v->raw_high[c];
  }
}

static void fold_range(mn_value *v) {
  for (int32_t c = 0; c < v->channels; c++) {
    v->low[c] = fmaxf(v->low[c], v->range->low);
    v->high[c] = fminf(v->high[c], v->range->high);
  }
}

bool mn_value_rounds(const mn_trainer *t, const mn_value *v) {
  return t->quantized && v->range != NULL && !(t->training && v->range->observed);
}

void mn_value_settle(mn_trainer *t, mn_value *v) {
  const bool rounds = mn_value_rounds(t, v);
  v->view = (mn_view){.compact = v->compact};
  if (v->gamma == NULL && v->bias == NULL && v->activation == MN_ACTIVATION_NONE && !v->masked &&
      !rounds)
    return;
  if (v->gamma != NULL) {
    mn_ranks_sum_value(t, v, MN_DOT + 1);
    normalize(t, v);
  } else {
    add_bias(v);
  }
  bounds(v);
  fold_mask(v);
  if (rounds) fold_range(v);
  v->view = (mn_view){v->scale, v->shift, v->low, v->high, 0, 0, v->compact};
  if (rounds) v->view.step = v->range->scale, v->view.inverse = 1.0f / v->range->scale;
}

/* ---- Backward: sums into gradients ------------------------------------------------------------*/
static void gather_channel(mn_trainer *t, mn_value *v, int32_t c, double rows) {
  const double sum = take(v, MN_SUM, c), dot = take(v, MN_DOT, c);
  check_finite(t, v, sum, dot);
  if (v->bias != NULL) v->bias->gradient[c] = (float)sum;
  v->on_g[c] = 1.0f;
  if (v->gamma == NULL) return;
  const double inverse = (double)v->inverse_deviation[c], mean = (double)v->batch_mean[c];
  const double dgamma = inverse * (dot - mean * sum), scale = (double)v->gamma->value[c] * inverse;
  v->gamma->gradient[c] = (float)dgamma;
  v->on_g[c] = (float)scale;
  v->on_z[c] = (float)(-scale * inverse * dgamma / rows);
  v->constant[c] = (float)(scale * (inverse * mean * dgamma - sum) / rows);
}

/* dL/dlow and dL/dhigh: rounding error stretches with the width; clamped items move with the bound,
 * where the bound is the range's and not the activation's. */
static void gather_range(mn_value *v) {
  double error = 0, above = 0, below = 0;
  for (int32_t c = 0; c < v->channels; c++) {
    const double a = take(v, MN_ABOVE, c), b = take(v, MN_BELOW, c);
    error += take(v, MN_ERROR, c);
    if (v->high[c] == v->range->high) above += a;
    if (v->low[c] == v->range->low) below += b;
  }
  const double width = (double)v->range->high - (double)v->range->low;
  v->range->parameter->gradient[0] += (float)(below - error / width);
  v->range->parameter->gradient[1] += (float)(above + error / width);
}

void mn_value_gather(mn_trainer *t, mn_value *v) {
  const double rows = rows_of(t, v);
  mn_ranks_sum_value(t, v,
                     v->view.step > 0.0f ? MN_SUM_KINDS
                     : v->masked         ? MN_OPEN + 1
                                         : MN_DOT + 1);
  for (int32_t c = 0; c < v->channels; c++) {
    gather_channel(t, v, c, rows);
    if (v->masked) v->open_gradient[c] += take(v, MN_OPEN, c);
  }
  if (v->view.step > 0.0f) gather_range(v);
}

/* ---- Rows --------------------------------------------------------------------------------------*/
/* A stretch of the network's input. */
static void input_read(const mn_view *view, float *y, const float *z, int64_t count) {
  if (view->scale == NULL)
    memcpy(y, z, (size_t)count * sizeof *y);
  else
    for (int64_t i = 0; i < count; i++) y[i] = mn_input_read(view, z[i]);
}

static void input_walk(const mn_value *v, float *to, const float *z, const mn_walk *w) {
  const bool whole = w->to_row == v->stride; /* a line is one stretch of memory */
  const int64_t pieces = whole ? 1 : w->rows, count = whole ? w->rows * v->stride : v->stride;
  for (int32_t line = 0; line < w->lines; line++)
    for (int64_t r = 0; r < pieces; r++)
      input_read(&v->view, to + line * w->to_line + r * w->to_row,
                 z + line * w->from_line + r * w->from_row, count);
}

const float *mn_value_read(const mn_trainer *t, const mn_value *v, float *to, int64_t first,
                           int64_t rows) {
  const void *z = mn_value_row(v, first);
  if (v->view.scale == NULL && !v->compact) return z;
  const mn_walk walk = {
      .rows = rows, .lines = 1, .channels = v->stride, .from_row = v->stride, .to_row = v->stride};
  if (v->input)
    input_walk(v, to, z, &walk);
  else
    t->lanes->read(to, z, &v->view, &walk);
  return to;
}

mn_walk mn_value_walk(const mn_value *v, int32_t lines, ptrdiff_t to_row, ptrdiff_t to_line) {
  return (mn_walk){.rows = v->width,
                   .lines = lines,
                   .channels = v->stride,
                   .from_row = v->stride,
                   .from_line = (ptrdiff_t)v->width * v->stride,
                   .to_row = to_row,
                   .to_line = to_line};
}

void mn_value_lines(const mn_trainer *t, const mn_value *v, float *to, ptrdiff_t to_row,
                    ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines) {
  const void *z = mn_value_row(v, ((int64_t)item * v->height + first) * v->width);
  const mn_walk w = mn_value_walk(v, lines, to_row, to_line);
  if (v->input)
    input_walk(v, to, z, &w);
  else
    t->lanes->read(to, z, &v->view, &w);
}

void mn_value_finish_rows(mn_trainer *t, mn_value *v, int32_t shard, void *g, const void *z,
                          int64_t rows) {
  const mn_finish f = {
      .view = v->view,
      .mask = v->masked ? v->mask : NULL,
      .raw_scale = v->raw_scale,
      .raw_shift = v->raw_shift,
      .raw_low = v->raw_low,
      .raw_high = v->raw_high,
      .sum = mn_value_sums(v, shard, MN_SUM),
      .dot = mn_value_sums(v, shard, MN_DOT),
      .open = mn_value_sums(v, shard, MN_OPEN),
      .error = mn_value_sums(v, shard, MN_ERROR),
      .above = mn_value_sums(v, shard, MN_ABOVE),
      .below = mn_value_sums(v, shard, MN_BELOW),
  };
  t->lanes->finish(g, z, &f, rows, v->stride);
}

void mn_value_finish(mn_trainer *t, mn_value *v, int32_t shard, int64_t first, int64_t rows) {
  mn_value_finish_rows(t, v, shard, mn_gradient_row(v, first), mn_value_row(v, first), rows);
}

const float *mn_gradient_read(const mn_trainer *t, const mn_value *v, float *to, int64_t first,
                              int64_t rows) {
  const void *g = mn_gradient_row(v, first);
  if (!v->compact) return g;
  t->lanes->widen(to, g, mn_gradient_form(v), rows * v->stride);
  return to;
}

void mn_input_finish(mn_trainer *t, mn_value *v, int32_t shard, const float *dx, ptrdiff_t dx_row,
                     int64_t first, int64_t rows) {
  (void)t;
  double error = 0, above = 0, below = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int32_t c = 0; c < v->channels; c++) {
      const double d = (double)dx[r * dx_row + c];
      const float x = ((const float *)v->z)[(first + r) * v->stride + c];
      const float w = fminf(fmaxf(x, v->low[0]), v->high[0]);
      error += d * (double)(rintf(w * v->view.inverse) * v->view.step - w);
      if (x > v->high[0]) above += d;
      if (x < v->low[0]) below += d;
    }
  mn_value_sums(v, shard, MN_ERROR)[0] += error;
  mn_value_sums(v, shard, MN_ABOVE)[0] += above;
  mn_value_sums(v, shard, MN_BELOW)[0] += below;
}
