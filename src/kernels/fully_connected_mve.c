/* fully_connected_mve.c - FULLY_CONNECTED int8 for Helium. Constants as dot_mve.h and outputs_mve.h say,
 * the input's zero point folded into the bias.
 *
 * Scratch   int32 sum [outputs rounded up to 4]
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/dot_mve.h"
#include "kernels/fully_connected.h"
#include "kernels/outputs_mve.h"

#if defined(__ARM_FEATURE_MVE)

void mn_fully_connected_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_fully_connected *p = params;
  const mn_outputs_mve q = MN_OUTPUTS_MVE(p, io, p->outputs, 0);
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t n = 0; n < p->batch; n++, x += p->inputs, y += p->outputs) {
    mn_dot_mve_1x4(io->scratch, x, io->constant[0], io->constant[1], p->inputs, p->outputs);
    mn_outputs_write_one(&q, y, io->scratch, p->outputs);
  }
}

#endif
