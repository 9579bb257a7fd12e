/* pad_ref.c - the definition of PAD int8: plain loops, never optimised.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pad.h"

/* y [OW, OC] of one output row; x [W, C] the input row, NULL above and below. */
static void row(const mn_pad *p, int8_t *y, const int8_t *x) {
  for (int32_t ow = 0; ow < p->output_w; ow++)
    for (int32_t oc = 0; oc < p->output_c; oc++) {
      int32_t w = ow - p->before_w, c = oc - p->before_c;
      int outside = x == NULL || w < 0 || w >= p->input_w || c < 0 || c >= p->input_c;
      *y++ = outside ? (int8_t)p->value : x[w * p->input_c + c];
    }
}

void mn_pad_s8_ref(const void *params, const mn_kernel_io *io) {
  const mn_pad *p = params;
  for (int32_t on = 0; on < p->output_n; on++) {
    int32_t n = on - p->before_n;
    for (int32_t oh = io->first_row; oh < io->first_row + io->rows; oh++) {
      int32_t h = oh - p->before_h;
      int outside = n < 0 || n >= p->input_n || h < 0 || h >= p->input_h;
      int32_t from = n * p->input_h + h - io->x_row[0], to = on * p->output_h + oh - io->y_row;
      row(p, (int8_t *)io->y + to * p->output_w * p->output_c,
          outside ? NULL : (const int8_t *)io->x[0] + from * p->input_w * p->input_c);
    }
  }
}
