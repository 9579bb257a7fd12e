/* outputs.h - the last step of the block kernels: sums become int8 outputs. One function per way to
 * multiply: _plain with a 64-bit product, _m0 from 16-bit parts. Both equal requantize.h for every shift
 * and multipliers in [0, 2^31), for sums with the bias that are below 2^30 (_plain) or 2^29 (_m0) in size.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_OUTPUTS_H
#define MN_KERNELS_OUTPUTS_H

#include <stdint.h>

typedef struct mn_outputs {
  const int32_t *bias, *multiplier; /* [O]; multiplier and shift [1] where per_channel is 0 */
  const int8_t *shift;
  int32_t per_channel;
  int32_t start; /* joins every sum, as the bias does */
  int32_t zero_point, min, max;
  int32_t step;     /* of y from one position to the next */
  int32_t sum_step; /* of the sums from one channel to the next */
} mn_outputs;

/* y[n * step + c] of `count` positions n and channels c in [first, first + channels), from
 * sum[(c - first) * sum_step + n]. */
typedef void mn_outputs_write(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
                              int32_t channels, int32_t count);
mn_outputs_write mn_outputs_write_plain, mn_outputs_write_m0;

/* What both leave to requantize.h: y[n * step] of one channel where the shift is not to the right, or by so
 * much that the zero point would leave 32 bits. */
enum { MN_OUTPUTS_MOST_SHIFT = 22 };
void mn_outputs_write_any(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t bias,
                          int32_t multiplier, int32_t shift, int32_t count);

/* From the parameters of a kernel, and its constants. */
#define MN_OUTPUTS(p, io, y_step, sums)               \
  ((mn_outputs){.bias = (io)->constant[1],            \
                .multiplier = (io)->constant[2],      \
                .shift = (io)->constant[3],           \
                .per_channel = (p)->per_channel,      \
                .zero_point = (p)->output_zero_point, \
                .min = (p)->output_min,               \
                .max = (p)->output_max,               \
                .step = (y_step),                     \
                .sum_step = (sums)})

#endif
