/* fit.h - least squares with coefficients that are 0 or more.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_FIT_H
#define MN_BENCH_FIT_H

#include "micronets/base.h"

enum { MN_FIT_MOST_TERMS = 16 };

/* Chooses c >= 0 that makes the sum over rows of ((terms . c - value) / value)^2 least: terms
 * [rows][term_count], value > 0. Deterministic. */
void mn_fit_nonnegative(double *c, const double *terms, const double *value, int32_t rows,
                        int32_t term_count);

#endif
