/* fft.c - integer transform: decimation in time, two radix-2 stages in one pass, every pass divided
 * by its size so that nothing can overflow; products are summed in 64 bits and rounded once a pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "features/parts.h"

typedef struct complex_s64 {
  int64_t re, im;
} complex_s64;

int32_t mn_cosine(const int32_t *quarter, int32_t circle, int32_t angle) {
  int32_t q = circle / 4;
  if (angle <= q) return quarter[angle];
  if (angle <= 2 * q) return -quarter[2 * q - angle];
  if (angle <= 3 * q) return -quarter[angle - 2 * q];
  return quarter[circle - angle];
}

/* The pass of size 2: no multiplications. */
static void pass_2(int32_t *z, int32_t points) {
  for (int32_t i = 0; i < 2 * points; i += 4) {
    int64_t re = z[i], im = z[i + 1], other_re = z[i + 2], other_im = z[i + 3];
    z[i] = (int32_t)mn_round_shift(re + other_re, 1);
    z[i + 1] = (int32_t)mn_round_shift(im + other_im, 1);
    z[i + 2] = (int32_t)mn_round_shift(re - other_re, 1);
    z[i + 3] = (int32_t)mn_round_shift(im - other_im, 1);
  }
}

static complex_s64 turn(const int32_t *z, int32_t cosine, int32_t sine) {
  complex_s64 y = {(int64_t)z[0] * cosine + (int64_t)z[1] * sine,
                   (int64_t)z[1] * cosine - (int64_t)z[0] * sine};
  return y;
}

/* Four points `span` apart, each turned by its multiple of the angle: w = {cos, sin} x 1, 2, 3. */
static void butterfly(int32_t *z, int32_t span, const int32_t *w) {
  int32_t *z1 = z + 2 * span, *z2 = z + 4 * span, *z3 = z + 6 * span;
  complex_s64 a = {(int64_t)z[0] * INT32_MAX, (int64_t)z[1] * INT32_MAX};
  complex_s64 b = turn(z1, w[2], w[3]), c = turn(z2, w[0], w[1]), d = turn(z3, w[4], w[5]);
  complex_s64 s0 = {a.re + b.re, a.im + b.im}, s1 = {a.re - b.re, a.im - b.im};
  complex_s64 s2 = {c.re + d.re, c.im + d.im}, s3 = {c.re - d.re, c.im - d.im};
  z[0] = (int32_t)mn_round_shift(s0.re + s2.re, 33);
  z[1] = (int32_t)mn_round_shift(s0.im + s2.im, 33);
  z1[0] = (int32_t)mn_round_shift(s1.re + s3.im, 33);
  z1[1] = (int32_t)mn_round_shift(s1.im - s3.re, 33);
  z2[0] = (int32_t)mn_round_shift(s0.re - s2.re, 33);
  z2[1] = (int32_t)mn_round_shift(s0.im - s2.im, 33);
  z3[0] = (int32_t)mn_round_shift(s1.re - s3.im, 33);
  z3[1] = (int32_t)mn_round_shift(s1.im + s3.re, 33);
}

static void pass_4(int32_t *z, const int32_t *quarter, int32_t points, int32_t span) {
  int32_t circle = 2 * points, unit = circle / (4 * span);
  for (int32_t j = 0; j < span; j++) {
    int32_t w[6];
    for (int32_t m = 1; m <= 3; m++) {
      int32_t angle = m * j * unit;
      w[2 * m - 2] = mn_cosine(quarter, circle, angle);
      w[2 * m - 1] = mn_cosine(quarter, circle, (angle + 3 * circle / 4) & (circle - 1));
    }
    for (int32_t block = j; block < points; block += 4 * span) butterfly(z + 2 * block, span, w);
  }
}

void mn_fft(int32_t *z, const int32_t *quarter, int32_t log2) {
  int32_t points = 1 << log2, span = 1;
  if (log2 & 1) {
    pass_2(z, points);
    span = 2;
  }
  for (; span < points; span *= 4) pass_4(z, quarter, points, span);
}

uint64_t mn_fft_power(const int32_t *z, const int32_t *quarter, int32_t points, int32_t k) {
  const int32_t *a = z + 2 * (k & (points - 1)), *b = z + 2 * ((points - k) & (points - 1));
  int32_t circle = 2 * points;
  int64_t cosine = mn_cosine(quarter, circle, k);
  int64_t sine = mn_cosine(quarter, circle, (k + 3 * circle / 4) & (circle - 1));
  /* Even samples: (a + conj b) / 2; odd ones: (a - conj b) / 2i, turned by k. */
  int64_t odd_re = (int64_t)a[1] + b[1], odd_im = (int64_t)b[0] - a[0];
  int64_t re = (((int64_t)a[0] + b[0]) * INT32_MAX) + odd_re * cosine + odd_im * sine;
  int64_t im = (((int64_t)a[1] - b[1]) * INT32_MAX) + odd_im * cosine - odd_re * sine;
  re = mn_round_shift(re, 32);
  im = mn_round_shift(im, 32);
  return (uint64_t)(re * re + im * im);
}

uint32_t mn_fft_magnitude(const int32_t *z, const int32_t *quarter, int32_t points, int32_t k) {
  return mn_sqrt(mn_fft_power(z, quarter, points, k));
}
