/* detector_fit.c - a detector from normal vectors: mean and covariance of every state, shrunk as Ledoit
 * and Wolf (2004) derive it, its inverse as a triangle of 16-bit rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/detector_fit.h"

#include <math.h>
#include <string.h>

/* What rounding to int8 adds to the variance of a value; also keeps dead values from dividing by 0. */
#define ROUNDING_VARIANCE (1.0 / 12)
enum { FEWEST = 8 };

typedef struct fitting {
  const mn_vectors *v;
  double *mean;       /* [states][dims] */
  double *covariance; /* [dims][dims] */
  double *triangle;   /* [dims][dims] lower: Cholesky, then its inverse */
} fitting;

static const int16_t *vector_at(const mn_vectors *v, int32_t i) {
  return v->x + (size_t)i * (size_t)v->dims;
}

static int32_t count_of(const mn_vectors *v, int32_t state) {
  int32_t count = 0;
  for (int32_t i = 0; i < v->count; i++) count += v->state[i] == state;
  return count;
}

static void fit_means(fitting *f) {
  const mn_vectors *v = f->v;
  for (int32_t k = 0; k < v->states; k++) {
    double *mean = f->mean + (ptrdiff_t)k * v->dims;
    int32_t count = count_of(v, k);
    for (int32_t i = 0; i < v->count; i++)
      for (int32_t j = 0; v->state[i] == k && j < v->dims; j++)
        mean[j] += vector_at(v, i)[j] / 256.0 / count;
  }
}

/* Sum of (x - mean)(x - mean)' of one state's vectors, or of all about their own means (state -1);
 * returns the sum of squared lengths of (x - mean)(x - mean)'. */
static double scatter(fitting *f, int32_t state, int32_t *count) {
  const mn_vectors *v = f->v;
  int32_t dims = v->dims;
  double fourth = 0, *row = f->triangle; /* free until the inverse is made */
  *count = 0;
  memset(f->covariance, 0, sizeof(double) * (size_t)(dims * dims));
  for (int32_t i = 0; i < v->count; i++) {
    if (v->state[i] < 0 || (state >= 0 && v->state[i] != state)) continue;
    double length = 0;
    for (int32_t j = 0; j < dims; j++) {
      row[j] = vector_at(v, i)[j] / 256.0 - f->mean[v->state[i] * dims + j];
      length += row[j] * row[j];
    }
    fourth += length * length;
    for (int32_t j = 0; j < dims; j++)
      for (int32_t k = 0; k <= j; k++) f->covariance[j * dims + k] += row[j] * row[k];
    ++*count;
  }
  return fourth;
}

/* The covariance becomes (1 - share) S + share mean(variance) I. */
static void shrink(fitting *f, double fourth, int32_t count) {
  int32_t dims = f->v->dims;
  double *s = f->covariance, trace = 0, norm = 0;
  for (int32_t j = 0; j < dims; j++) {
    for (int32_t k = 0; k <= j; k++) {
      double value = s[j * dims + k] /= count;
      norm += (j == k ? 1 : 2) * value * value;
    }
    trace += s[j * dims + j];
  }
  double level = trace / dims, spread = norm - dims * level * level;
  double error = (fourth / count - norm) / count;
  double share = spread > 0 ? fmin(1, fmax(0, error) / spread) : 1;
  for (int32_t j = 0; j < dims; j++)
    for (int32_t k = 0; k <= j; k++)
      s[j * dims + k] =
          (1 - share) * s[j * dims + k] + (j == k ? share * level + ROUNDING_VARIANCE / 16 : 0);
}

/* Lower Cholesky factor in place of the triangle, then its inverse. The matrix is positive. */
static void invert(fitting *f) {
  int32_t dims = f->v->dims;
  double *l = f->covariance, *w = f->triangle;
  for (int32_t j = 0; j < dims; j++) {
    for (int32_t k = 0; k <= j; k++) {
      double sum = l[j * dims + k];
      for (int32_t m = 0; m < k; m++) sum -= l[j * dims + m] * l[k * dims + m];
      l[j * dims + k] = j == k ? sqrt(fmax(sum, 1e-9)) : sum / l[k * dims + k];
    }
  }
  memset(w, 0, sizeof(double) * (size_t)(dims * dims));
  for (int32_t k = 0; k < dims; k++) {
    w[k * dims + k] = 1 / l[k * dims + k];
    for (int32_t j = k + 1; j < dims; j++) {
      double sum = 0;
      for (int32_t m = k; m < j; m++) sum += l[j * dims + m] * w[m * dims + k];
      w[j * dims + k] = -sum / l[j * dims + j];
    }
  }
}

/* Rows of 15 bits and a sign: (row >> shift) is the real one. */
static void store(int16_t *factor, uint8_t *shift, const fitting *f) {
  int32_t dims = f->v->dims;
  for (int32_t i = 0; i < dims; i++) {
    const double *row = f->triangle + (ptrdiff_t)i * dims;
    double largest = 0;
    for (int32_t j = 0; j <= i; j++) largest = fmax(largest, fabs(row[j]));
    int32_t bits = 0;
    while (bits < 40 && largest * 2 <= 32767) largest *= 2, bits++;
    shift[i] = (uint8_t)bits;
    for (int32_t j = 0; j <= i; j++)
      *factor++ = (int16_t)lrint(fmin(32767, fmax(-32767, ldexp(row[j], bits))));
  }
}

static void fit_factor(fitting *f, int16_t *factor, uint8_t *shift, int32_t state) {
  int32_t count = 0;
  double fourth = scatter(f, state, &count);
  if (count < FEWEST) fourth = scatter(f, -1, &count);
  shrink(f, fourth, count);
  invert(f);
  store(factor, shift, f);
}

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
}

mn_status mn_detector_fit(mn_detector *detector, mn_arena *arena, const mn_vectors *v, int32_t rows,
                          mn_error *error) {
  size_t dims = (size_t)v->dims, states = (size_t)v->states, triangle = dims * (dims + 1) / 2;
  mn_detector made = mn_detector_of(v->states, v->dims, rows);
  int16_t *mean = mn_arena_array(arena, states * dims, sizeof *mean);
  int16_t *factor = mn_arena_array(arena, (size_t)made.factors * triangle, sizeof *factor);
  uint8_t *shift = mn_arena_array(arena, (size_t)made.factors * dims, sizeof *shift);
  fitting f = {.v = v,
               .mean = mn_arena_array(arena, states * dims, sizeof(double)),
               .covariance = mn_arena_array(arena, dims * dims, sizeof(double)),
               .triangle = mn_arena_array(arena, dims * dims, sizeof(double))};
  if (mean == NULL || factor == NULL || shift == NULL || f.mean == NULL || f.covariance == NULL ||
      f.triangle == NULL)
    return out_of_memory(error);
  for (int32_t k = 0; k < v->states; k++)
    if (count_of(v, k) == 0)
      return mn_error_set(error, MN_ERR_FORMAT, "detector: state %d has no normal recording",
                          (int)k);
  fit_means(&f);
  for (size_t i = 0; i < states * dims; i++) mean[i] = (int16_t)lrint(f.mean[i] * 256);
  for (int32_t k = 0; k < made.factors; k++)
    fit_factor(&f, factor + (size_t)k * triangle, shift + (size_t)k * dims,
               made.factors > 1 ? k : -1);
  made.mean = mean;
  made.factor = factor;
  made.shift = shift;
  *detector = made;
  return MN_OK;
}
