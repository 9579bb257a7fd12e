/* outputs_any.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/requantize.h"

void mn_outputs_write_any(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t bias,
                          int32_t multiplier, int32_t shift, int32_t count) {
  for (const int32_t *end = sum + count; sum != end; y += q->step) {
    int32_t value = mn_requantize((int32_t)((uint32_t)*sum++ + (uint32_t)bias), multiplier, shift);
    *y = (int8_t)mn_clamp(value + q->zero_point, q->min, q->max);
  }
}
