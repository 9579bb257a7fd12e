/* taps.h - sums of a depthwise convolution along one output row, from the padded rows of one channel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_TAPS_H
#define MN_KERNELS_TAPS_H

#include <stdint.h>

/* sum[n] = sum over i, j < 3 of k[i][j] * x[i * width + n * stride + j], n < count. A function of its
 * own, so that all registers are its. */
void mn_taps_3x3(int32_t *sum, const uint8_t *x, int32_t width, int32_t count, int32_t stride,
                 const int8_t *k);

/* Any window: taps of one kernel row lie `dilation` apart, kernel rows `row` apart, outputs
 * `stride` apart. */
typedef struct mn_taps {
  int32_t kernel_h, kernel_w, row, dilation, stride;
} mn_taps;
void mn_taps_any(const mn_taps *t, int32_t *sum, const uint8_t *x, int32_t count, const int8_t *k);

#endif
