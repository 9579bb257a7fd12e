/* gather_halves.c - see gather_window.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gather_window.h"

typedef int16_t unit;
enum { COLUMNS = 4 };

/* Column `to` of a block is filled with -x. An odd column is the upper halves of words whose lower halves
 * are there: what those take from it, being negative, it is given back. */
static int16_t *gather(int16_t *to, const int8_t *x, int32_t step, int32_t count) {
  int16_t *end = to + COLUMNS * count;
  if ((uintptr_t)to % sizeof(int32_t) == 0)
    for (; to != end; to += COLUMNS, x += step) *to = (int16_t) - *x;
  else
    for (; to != end; to += COLUMNS, x += step) *to = (int16_t)((to[-1] >> 15) - *x);
  return end;
}

static int16_t *gather_run(int16_t *to, const int8_t *x, int32_t count) {
  return gather(to, x, 1, count);
}

static int16_t *gather_outside(int16_t *to, int32_t zero_point, int32_t count) {
  int8_t x = (int8_t)zero_point;
  return gather(to, &x, 0, count);
}

#include "kernels/gather_window_body.h"

void mn_gather_halves(const mn_conv_2d *p, const mn_kernel_io *io, int16_t *to, int32_t h,
                      int32_t w) {
  gather_window(p, io, to, h, w);
}
