/* rescale_any_ref.c - the definition of QUANTIZE between any two integer types: plain loops.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"
#include "kernels/rescale.h"

static int32_t load(const void *x, int32_t type, int32_t i) {
  switch (type) {
    case MN_RESCALE_S8: return ((const int8_t *)x)[i];
    case MN_RESCALE_U8: return ((const uint8_t *)x)[i];
    case MN_RESCALE_S16: return ((const int16_t *)x)[i];
    default: return ((const int32_t *)x)[i];
  }
}

static void store(void *y, int32_t type, int32_t i, int32_t value) {
  switch (type) {
    case MN_RESCALE_S8: ((int8_t *)y)[i] = (int8_t)mn_clamp(value, INT8_MIN, INT8_MAX); break;
    case MN_RESCALE_U8: ((uint8_t *)y)[i] = (uint8_t)mn_clamp(value, 0, UINT8_MAX); break;
    case MN_RESCALE_S16: ((int16_t *)y)[i] = (int16_t)mn_clamp(value, INT16_MIN, INT16_MAX); break;
    default: ((int32_t *)y)[i] = value; break;
  }
}

void mn_rescale_any_ref(const void *params, const mn_kernel_io *io) {
  const mn_rescale_any *p = params;
  int32_t from = (io->first_row - io->x_row[0]) * p->row_elements;
  int32_t to = (io->first_row - io->y_row) * p->row_elements;
  for (int32_t i = 0; i < io->rows * p->row_elements; i++) {
    uint32_t x = (uint32_t)load(io->x[0], p->input_type, from + i) - (uint32_t)p->input_zero_point;
    int32_t q = mn_requantize((int32_t)x, p->multiplier, p->shift);
    store(io->y, p->output_type, to + i, (int32_t)((uint32_t)q + (uint32_t)p->output_zero_point));
  }
}
