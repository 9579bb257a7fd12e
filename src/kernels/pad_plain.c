/* pad_plain.c - PAD by whole stretches of bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pad.h"

static int8_t *fill(int8_t *to, int32_t count, int32_t value) {
  for (; count > 0; count--) *to++ = (int8_t)value;
  return to;
}

/* y [OW, OC] of one output row; x [W, C] the input row. */
static void row(const mn_pad *p, int8_t *y, const int8_t *x) {
  int32_t behind = p->output_c - p->before_c - p->input_c;
  y = fill(y, p->before_w * p->output_c, p->value);
  for (int32_t w = 0; w < p->input_w; w++) {
    y = fill(y, p->before_c, p->value);
    for (int32_t c = p->input_c; c > 0; c--) *y++ = *x++;
    y = fill(y, behind, p->value);
  }
  fill(y, (p->output_w - p->before_w - p->input_w) * p->output_c, p->value);
}

void mn_pad_s8_plain(const void *params, const mn_kernel_io *io) {
  const mn_pad *p = params;
  int32_t bytes = p->output_w * p->output_c;
  for (int32_t on = 0; on < p->output_n; on++)
    for (int32_t oh = io->first_row; oh < io->first_row + io->rows; oh++) {
      int32_t n = on - p->before_n, h = oh - p->before_h;
      int8_t *y = (int8_t *)io->y + (on * p->output_h + oh - io->y_row) * bytes;
      if (n < 0 || n >= p->input_n || h < 0 || h >= p->input_h)
        fill(y, bytes, p->value);
      else
        row(p, y,
            (const int8_t *)io->x[0] +
                (n * p->input_h + h - io->x_row[0]) * p->input_w * p->input_c);
    }
}
