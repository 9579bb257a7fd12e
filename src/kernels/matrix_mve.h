/* matrix_mve.h - the core of the Helium convolutions (Cortex-M55, M85): three rows of inputs times all rows
 * of weights, to int8 outputs.
 *
 * Weights   int8 [O rounded up to 4][terms], of every four channels 0, 2, 1, 3, then 16 bytes that are read
 *           and do not count
 * Rules     int32 [O / 4 rounded up][9]: bias [4], multiplier [4], shift int8 [4]
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_MATRIX_MVE_H
#define MN_KERNELS_MATRIX_MVE_H

#include <stdint.h>

/* How sums become outputs: MN_MATRIX_MVE_RELU where shifts are to the right, all int8 are used, and the
 * least one is the zero point; _RIGHT where only the last is not so; else _ANY. */
enum { MN_MATRIX_MVE_RELU, MN_MATRIX_MVE_RIGHT, MN_MATRIX_MVE_ANY };

/* The assembly knows the offsets of these. */
typedef struct mn_matrix_mve {
  const int8_t *x[3]; /* [terms rounded up to 16] each, zero behind the last term */
  int32_t blocks;     /* of 16 terms, without the first */
  int32_t over;       /* terms rounded up less terms */
  int32_t terms;
  int32_t second,
      third; /* outputs of x[1] behind those of x[0], of x[2] behind those of x[1], bytes */
  int32_t zero_point, how;
  const int32_t *rules;
  int32_t outputs;
  int32_t min[4], max[4];
  int8_t *y; /* the next outputs of x[0] */
} mn_matrix_mve;

/* Fills min, max, how; zero_point is there. */
void mn_matrix_mve_rule(mn_matrix_mve *m, const int32_t *rules, int32_t outputs, int32_t min,
                        int32_t max);

/* From y on, which x[0] has; rules and outputs are used up. */
void mn_matrix_mve_multiply(mn_matrix_mve *m, int8_t *y, const int8_t *weights);

#endif
