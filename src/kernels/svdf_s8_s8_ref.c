/* svdf_s8_s8_ref.c - the definition of SVDF int8 with int8 memories.
 * SPDX-License-Identifier: Apache-2.0 */
#define STATE_TYPE int8_t
#define STATE_MIN INT8_MIN
#define STATE_MAX INT8_MAX
#include "kernels/svdf_body.h"

void mn_svdf_s8_s8_ref(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
