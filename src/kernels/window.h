/* window.h - which columns of a window lie inside the input.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_WINDOW_H
#define MN_KERNELS_WINDOW_H

#include <stdint.h>

/* Of the columns j of a kernel, those with 0 <= from + j * dilation < size are [first, end). */
static inline int32_t mn_window_first(int32_t from, int32_t dilation) {
  return from >= 0 ? 0 : (dilation - 1 - from) / dilation;
}

static inline int32_t mn_window_end(int32_t from, int32_t dilation, int32_t size, int32_t count) {
  int32_t end = from < size ? (size - 1 - from) / dilation + 1 : 0;
  return end < count ? end : count;
}

#endif
