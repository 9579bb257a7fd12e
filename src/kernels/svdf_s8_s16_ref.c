/* svdf_s8_s16_ref.c - the definition of SVDF int8 with int16 memories.
 * SPDX-License-Identifier: Apache-2.0 */
#define STATE_TYPE int16_t
#define STATE_MIN INT16_MIN
#define STATE_MAX INT16_MAX
#include "kernels/svdf_body.h"

void mn_svdf_s8_s16_ref(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
