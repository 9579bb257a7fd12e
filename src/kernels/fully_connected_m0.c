/* fully_connected_m0.c - FULLY_CONNECTED int8 for the Cortex-M0 and M0+. See
 * fully_connected_block.h. SPDX-License-Identifier: Apache-2.0 */
#define write_outputs mn_outputs_write_m0
#include "kernels/fully_connected_block.h"

void mn_fully_connected_s8_m0(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
