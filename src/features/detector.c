/* detector.c - how far a vector lies from what is normal: Mahalanobis distance in integers.
 *
 * The inverse of the covariance is kept as a triangle W with |W (x - mean)|^2 = distance, rows of 16
 * bits with a shift of their own; the vector is a tensor of int8 values, or the mean of its rows.
 * docs/anomaly.md has the arithmetic. SPDX-License-Identifier: Apache-2.0 */
#include "features/parts.h"

enum { SITE_STATE, SITE_COUNT, SITE_SUM }; /* words of the memory of a site */

#define Z_LIMIT (1 << 23)

int32_t mn_detector_site_words(const mn_detector *d) {
  return SITE_SUM + d->dims;
}

void mn_detector_site_clear(const mn_detector *d, int32_t *site, int32_t state) {
  for (int32_t i = 0; i < SITE_SUM + d->dims; i++) site[i] = 0;
  site[SITE_STATE] = state;
}

void mn_detector_take(const mn_detector *d, int16_t *x, const int8_t *tensor) {
  for (int32_t j = 0; j < d->dims; j++) {
    int32_t sum = 0;
    for (int32_t row = 0; row < d->rows; row++) sum += tensor[row * d->dims + j];
    int32_t twice = 2 * (sum * 256);
    x[j] = (int16_t)((twice < 0 ? twice - d->rows : twice + d->rows) / (2 * d->rows));
  }
}

void mn_detector_site_add(const mn_detector *d, int32_t *site, const int16_t *x) {
  if (site[SITE_COUNT] >= 65536) return; /* the sums stay within 32 bits */
  site[SITE_COUNT]++;
  for (int32_t j = 0; j < d->dims; j++) site[SITE_SUM + j] += x[j];
}

/* What is normal for value j of a state: as trained, or as heard on site. */
static int32_t mean_of(const mn_detector *d, const int32_t *site, int32_t state, int32_t j) {
  if (site != 0 && site[SITE_STATE] == state && site[SITE_COUNT] > 0)
    return site[SITE_SUM + j] / site[SITE_COUNT];
  return d->mean[state * d->dims + j];
}

static int64_t square_of(int64_t acc, int32_t shift) {
  int64_t z = shift > 0 ? mn_round_shift(acc, shift) : acc;
  if (z > Z_LIMIT) z = Z_LIMIT;
  if (z < -Z_LIMIT) z = -Z_LIMIT;
  return z * z;
}

static int32_t distance(const mn_detector *d, int16_t *difference, const int16_t *x, int32_t state,
                        const int32_t *site) {
  int32_t triangle = d->dims * (d->dims + 1) / 2, which = d->factors > 1 ? state : 0;
  const int16_t *w = d->factor + which * triangle;
  const uint8_t *shift = d->shift + which * d->dims;
  int64_t sum = 0;
  for (int32_t j = 0; j < d->dims; j++) {
    int32_t value = x[j] - mean_of(d, site, state, j);
    difference[j] = mn_clamp_s16(value);
  }
  for (int32_t i = 0; i < d->dims; i++) {
    int64_t acc = 0;
    for (int32_t j = 0; j <= i; j++) acc += (int32_t)w[j] * difference[j];
    sum += square_of(acc, shift[i]);
    w += i + 1;
  }
  int64_t score = sum / d->dims >> 8; /* squares of Q8 */
  return score > INT32_MAX ? INT32_MAX : (int32_t)score;
}

int32_t mn_detector_score(const mn_detector *d, int16_t *scratch, const int16_t *x, int32_t state,
                          const int32_t *site) {
  if (state >= 0) return distance(d, scratch, x, state, site);
  int32_t best = INT32_MAX;
  for (int32_t k = 0; k < d->states; k++) {
    int32_t score = distance(d, scratch, x, k, site);
    if (score < best) best = score;
  }
  return best;
}
