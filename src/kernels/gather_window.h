/* gather_window.h - the input values under one window of a convolution, as one column of a block.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_GATHER_WINDOW_H
#define MN_KERNELS_GATHER_WINDOW_H

#include "kernels/conv_2d.h"

/* Writes to[4 * k], k over [KH, KW, C], for output position (h, w): values moved up by 128, so that they
 * are bytes without sign; the zero point outside the input. */
void mn_gather_window(const mn_conv_2d *p, const mn_kernel_io *io, uint8_t *to, int32_t h,
                      int32_t w);

#endif
