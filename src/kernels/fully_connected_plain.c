/* fully_connected_plain.c - FULLY_CONNECTED int8 for cores without vector units. See
 * fully_connected_block.h. SPDX-License-Identifier: Apache-2.0 */
#define write_outputs mn_outputs_write_plain
#include "kernels/fully_connected_block.h"

void mn_fully_connected_s8_plain(const void *params, const mn_kernel_io *io) {
  run(params, io);
}
