/* weight_s4.h - 4-bit weights as the file packs them: two to a byte, the low half first, no padding
 * between rows; two's complement. Source: TFLite's INT4 tensors.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_WEIGHT_S4_H
#define MN_KERNELS_WEIGHT_S4_H

#include <stdint.h>

static inline int32_t mn_weight_s4(const void *k, int32_t index) {
  int32_t byte = ((const uint8_t *)k)[index >> 1];
  int32_t nibble = (byte >> (index & 1) * 4) & 15;
  return (nibble ^ 8) - 8;
}

#endif
