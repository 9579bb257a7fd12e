/* gather_window.c - see gather_window.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gather_window.h"

typedef uint8_t unit;
enum { COLUMNS = 4 };

/* Column `to` of a block is filled from x, values moved up by 128 so that they are bytes without sign. */
static uint8_t *gather_run(uint8_t *to, const int8_t *x, int32_t count) {
  for (; count >= 4; count -= 4, x += 4, to += 4 * COLUMNS) {
    to[0] = (uint8_t)(x[0] ^ 0x80);
    to[COLUMNS] = (uint8_t)(x[1] ^ 0x80);
    to[2 * COLUMNS] = (uint8_t)(x[2] ^ 0x80);
    to[3 * COLUMNS] = (uint8_t)(x[3] ^ 0x80);
  }
  for (const int8_t *end = x + count; x != end; to += COLUMNS) *to = (uint8_t)(*x++ ^ 0x80);
  return to;
}

static uint8_t *gather_outside(uint8_t *to, int32_t zero_point, int32_t count) {
  for (uint8_t *end = to + COLUMNS * count; to != end; to += COLUMNS)
    *to = (uint8_t)(zero_point ^ 0x80);
  return to;
}

#include "kernels/gather_window_body.h"

void mn_gather_window(const mn_conv_2d *p, const mn_kernel_io *io, uint8_t *to, int32_t h,
                      int32_t w) {
  gather_window(p, io, to, h, w);
}
