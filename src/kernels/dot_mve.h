/* dot_mve.h - the cores of the Helium kernels (Cortex-M55, M85): products of int8 rows, 16 terms at a time,
 * with weights as the file has them, [outputs][terms]. bias [outputs + 3].
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_DOT_MVE_H
#define MN_KERNELS_DOT_MVE_H

#include <stdint.h>

/* sum[o] = bias[o] + x . k[o]; sum [outputs rounded up to 4]. Four rows of weights at a time. */
void mn_dot_mve_1x4(int32_t *sum, const int8_t *x, const int8_t *k, const int32_t *bias,
                    int32_t terms, int32_t outputs);

/* The same of three x, which lie one behind the other; their sums are `step` apart, step >= outputs + 3.
 * Two rows of weights at a time. */
void mn_dot_mve_3x2(int32_t *sum, int32_t step, const int8_t *x, const int8_t *k,
                    const int32_t *bias, int32_t terms, int32_t outputs);

#endif
