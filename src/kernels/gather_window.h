/* gather_window.h - the input values under one window of a convolution, as one column of a block.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_GATHER_WINDOW_H
#define MN_KERNELS_GATHER_WINDOW_H

#include "kernels/conv_2d.h"

/* Writes to[4 * k], k over [KH, KW, C], for output position (h, w): values moved up by 128, so that they
 * are bytes without sign; the zero point outside the input. */
void mn_gather_window(const mn_conv_2d *p, const mn_kernel_io *io, uint8_t *to, int32_t h,
                      int32_t w);

/* The same for blocks whose units are the halves of words, low half first: with x[k][c] the values of
 * column c, word [k][0] is -(x[k][0] + 2^16 x[k][1]) and word [k][1] the same of columns 2 and 3. Column 0
 * is written before column 1, 2 before 3. */
void mn_gather_halves(const mn_conv_2d *p, const mn_kernel_io *io, int16_t *to, int32_t h,
                      int32_t w);

#endif
