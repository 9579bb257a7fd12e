/* copy_ref.c - the definition of a plain copy.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/copy.h"

void mn_copy_ref(const void *params, const mn_kernel_io *io) {
  const mn_copy *p = params;
  const int8_t *x = io->x[0];
  int8_t *y = io->y;
  for (int32_t i = 0; i < p->bytes; i++) y[i] = x[i];
}
