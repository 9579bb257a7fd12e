/* fit.c - see fit.h: coordinate descent on the normal equations. Each coefficient in turn goes to
 * where it is best while the others stand, at least 0; the problem is convex, so this ends at the
 * least. SPDX-License-Identifier: Apache-2.0 */
#include "bench/fit.h"

#include <assert.h>
#include <math.h>

enum { SWEEPS = 200000 };

typedef struct normal {
  double product[MN_FIT_MOST_TERMS][MN_FIT_MOST_TERMS], right[MN_FIT_MOST_TERMS];
  double size[MN_FIT_MOST_TERMS]; /* of each column, which is scaled to 1 */
  int32_t count;
} normal;

/* A term relative to the value it explains. */
static double share(const double *terms, const double *value, int32_t row, int32_t term,
                    int32_t count) {
  return terms[row * count + term] / value[row];
}

static void set_sizes(normal *n, const double *terms, const double *value, int32_t rows) {
  for (int32_t i = 0; i < n->count; i++) {
    double sum = 0;
    for (int32_t r = 0; r < rows; r++) {
      double at = share(terms, value, r, i, n->count);
      sum += at * at;
    }
    n->size[i] = sqrt(sum);
  }
}

static void set_products(normal *n, const double *terms, const double *value, int32_t rows) {
  for (int32_t i = 0; i < n->count; i++)
    for (int32_t r = 0; r < rows && n->size[i] > 0; r++) {
      double at = share(terms, value, r, i, n->count) / n->size[i];
      n->right[i] += at;
      for (int32_t k = 0; k < n->count; k++)
        if (n->size[k] > 0)
          n->product[i][k] += at * share(terms, value, r, k, n->count) / n->size[k];
    }
}

/* One pass over the coefficients; how far the largest step went. */
static double sweep(double *c, const normal *n) {
  double largest = 0;
  for (int32_t i = 0; i < n->count; i++) {
    if (n->size[i] <= 0) continue;
    double slope = n->right[i];
    for (int32_t k = 0; k < n->count; k++) slope -= n->product[i][k] * c[k];
    double to = fmax(0, c[i] + slope / n->product[i][i]);
    largest = fmax(largest, fabs(to - c[i]));
    c[i] = to;
  }
  return largest;
}

void mn_fit_nonnegative(double *c, const double *terms, const double *value, int32_t rows,
                        int32_t term_count) {
  normal n = {.count = term_count};
  assert(term_count <= MN_FIT_MOST_TERMS);
  set_sizes(&n, terms, value, rows);
  set_products(&n, terms, value, rows);
  for (int32_t i = 0; i < term_count; i++) c[i] = 0;
  for (int32_t s = 0; s < SWEEPS && sweep(c, &n) > 1e-9; s++) {
  }
  for (int32_t i = 0; i < term_count; i++) c[i] = n.size[i] > 0 ? c[i] / n.size[i] : 0;
}
