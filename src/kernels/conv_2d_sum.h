/* conv_2d_sum.h - the sum of CONV_2D over one window, for one set of types. The file that includes it
 * says X_TYPE (activations), SUM_TYPE and WEIGHT(k, index), where k is constant[0], [O, KH, KW, C].
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv_2d.h"

static SUM_TYPE window_sum(const mn_conv_2d *p, const mn_kernel_io *io, int32_t o, int32_t h,
                           int32_t w) {
  const X_TYPE *x = io->x[0];
  SUM_TYPE acc = 0;
  for (int32_t i = 0; i < p->kernel_h; i++) {
    int32_t in_h = h * p->stride_h - p->pad_top + i * p->dilation_h;
    if (in_h < 0 || in_h >= p->input_h) continue;
    for (int32_t j = 0; j < p->kernel_w; j++) {
      int32_t in_w = w * p->stride_w - p->pad_left + j * p->dilation_w;
      if (in_w < 0 || in_w >= p->input_w) continue;
      const X_TYPE *at = x + ((in_h - io->x_row[0]) * p->input_w + in_w) * p->input_c;
      int32_t first = ((o * p->kernel_h + i) * p->kernel_w + j) * p->input_c;
      for (int32_t c = 0; c < p->input_c; c++)
        acc += (at[c] - p->input_zero_point) * WEIGHT(io->constant[0], first + c);
    }
  }
  return acc;
}
