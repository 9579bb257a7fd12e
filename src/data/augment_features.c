/* augment_features.c - augmentation of features: masks over time and frequency (SpecAugment, Park et
 * al. 2019), another rhythm, and mixup (Zhang et al. 2018).
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "data/augment.h"

static void mask(float *x, int32_t columns, int32_t row, int32_t height, int32_t column,
                 int32_t width, float fill) {
  for (int32_t r = row; r < row + height; r++) {
    for (int32_t c = column; c < column + width; c++) x[r * columns + c] = fill;
  }
}

/* Length 0 .. longest, then a place for it: each mask may also be none. */
static int32_t draw(int32_t *length, int32_t longest, int32_t whole, mn_rng *rng) {
  if (longest > whole) longest = whole;
  *length = (int32_t)mn_rng_below(rng, (uint32_t)(longest + 1));
  return (int32_t)mn_rng_below(rng, (uint32_t)(whole - *length + 1));
}

void mn_augment_mask(float *x, int32_t frames, int32_t bands, const mn_feed_config *config,
                     float fill, mn_rng *rng) {
  for (int32_t i = 0; i < config->time_masks; i++) {
    int32_t length = 0;
    const int32_t at = draw(&length, config->time_mask_frames, frames, rng);
    mask(x, bands, at, length, 0, bands, fill);
  }
  for (int32_t i = 0; i < config->mel_masks; i++) {
    int32_t length = 0;
    const int32_t at = draw(&length, config->mel_mask_bands, bands, rng);
    mask(x, bands, 0, frames, at, length, fill);
  }
}

/* Rows of the source that row t of the result is worth: straight lines between knots. */
static double pace_at(const double *knot, int32_t knots, int32_t t, int32_t frames) {
  const double at = (double)t * (knots - 1) / frames;
  const int32_t left = (int32_t)at;
  return exp(knot[left] + (knot[left + 1] - knot[left]) * (at - left));
}

/* Row `at` of x, between two rows where it falls between; the first and the last outside. */
static void take_row(float *y, const float *x, int32_t frames, int32_t bands, double at) {
  const double row = fmin(fmax(at, 0), frames - 1);
  const int32_t above = (int32_t)row, below = above + 1 < frames ? above + 1 : above;
  const float share = (float)(row - above);
  for (int32_t b = 0; b < bands; b++)
    y[b] = (1 - share) * x[above * bands + b] + share * x[below * bands + b];
}

void mn_augment_warp(float *y, const float *x, int32_t frames, int32_t bands,
                     const mn_feed_config *config, mn_rng *rng) {
  enum { KNOTS = 6 };
  double knot[KNOTS];
  const double all = mn_rng_range(rng, -1, 1) * log1p(config->pace);
  for (int32_t i = 0; i < KNOTS; i++)
    knot[i] = all + mn_rng_range(rng, -1, 1) * log1p(config->rhythm);
  const int32_t middle = frames / 2;
  double row = middle;
  for (int32_t t = middle; t < frames; t++) {
    take_row(y + t * bands, x, frames, bands, row);
    row += pace_at(knot, KNOTS, t, frames);
  }
  row = middle;
  for (int32_t t = middle - 1; t >= 0; t--) {
    row -= pace_at(knot, KNOTS, t, frames);
    take_row(y + t * bands, x, frames, bands, row);
  }
}

/* Marsaglia and Tsang 2000; for shapes below 1 a draw of shape + 1 is scaled by u^(1/shape). */
static double gamma_draw(mn_rng *rng, double shape) {
  double boost = 1;
  if (shape < 1) {
    boost = pow(1 - mn_rng_uniform(rng), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = mn_rng_normal(rng), t = 1 + c * x, v = t * t * t;
    if (v > 0 && log(1 - mn_rng_uniform(rng)) < 0.5 * x * x + d - d * v + d * log(v)) {
      return boost * d * v;
    }
  }
}

double mn_augment_beta(mn_rng *rng, double coefficient) {
  assert(coefficient > 0);
  const double a = gamma_draw(rng, coefficient), b = gamma_draw(rng, coefficient);
  return a + b > 0 ? a / (a + b) : 0.5;
}

void mn_augment_mix(float *y, const float *x, float share, int32_t count) {
  for (int32_t i = 0; i < count; i++) y[i] = share * y[i] + (1 - share) * x[i];
}
