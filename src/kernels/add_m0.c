/* add_m0.c - ADD int8 for the Cortex-M0 and M0+. See add_scaled.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/multiply_m0.h"

#define multiply_high(x, m) mn_multiply_high_m0(x, (m) >> 16, (m)&0xffff)
#include "kernels/add_scaled.h"

void mn_add_s8_m0(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
