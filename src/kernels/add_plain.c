/* add_plain.c - ADD int8 for cores without vector units. See add_scaled.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

static inline int32_t multiply_high(int32_t x, int32_t multiplier) {
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 30)) >> 31);
}

#include "kernels/add_scaled.h"

void mn_add_s8_plain(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
