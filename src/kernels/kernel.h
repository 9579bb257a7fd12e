/* kernel.h - the one shape of every inference kernel, so that the host's executor and compiled C call
 * it alike: a body gets its parameters (a plain struct of int32_t) and one mn_kernel_io.
 *
 * Kernels run on the MCU: no heap, no libm, no globals, no recursion, nothing of ours outside this
 * folder. Whatever can be checked was checked when the plan was made; bodies trust their arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_KERNEL_H
#define MN_KERNELS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define MN_KERNEL_INPUTS 3
#define MN_KERNEL_CONSTANTS 4

/* A row is everything of one index of the height axis of a [1, H, W, C] tensor; tensors of another
 * rank are one row. A body computes output rows [first_row, first_row + rows) and may read any input
 * row those need. x[i] points at row x_row[i] of its tensor and y at row y_row of the output: 0 where
 * the whole tensor is there, more where a fused schedule holds only a slab of it. */
typedef struct mn_kernel_io {
  const void *x[MN_KERNEL_INPUTS];
  void *y;
  const void *constant[MN_KERNEL_CONSTANTS]; /* packed as the kernel's header says; NULL absent */
  void *scratch; /* 16-byte aligned; contents undefined before and after */
  int32_t x_row[MN_KERNEL_INPUTS], y_row;
  int32_t first_row, rows;
} mn_kernel_io;

typedef void mn_kernel_body(const void *params, const mn_kernel_io *io);

/* Parameter structs are declared from a field list, one X(name) per int32_t, so that one table can
 * print any of them as a C initialiser. */
#define MN_KERNEL_FIELD(name) int32_t name;

/* What conv, depthwise and pools share: a window sliding over [H, W]. */
#define MN_KERNEL_WINDOW_FIELDS(X) \
  X(input_h)                       \
  X(input_w)                       \
  X(input_c)                       \
  X(output_h)                      \
  X(output_w)                      \
  X(output_c)                      \
  X(kernel_h)                      \
  X(kernel_w)                      \
  X(stride_h)                      \
  X(stride_w)                      \
  X(dilation_h)                    \
  X(dilation_w)                    \
  X(pad_top)                       \
  X(pad_left)

/* What conv, depthwise and fully connected share: int8 in, int32 sum, int8 out. multiplier and shift
 * are arrays of one entry (per_channel 0) or of one per output channel (per_channel 1). */
#define MN_KERNEL_QUANTIZED_FIELDS(X) \
  X(input_zero_point)                 \
  X(output_zero_point)                \
  X(output_min)                       \
  X(output_max)                       \
  X(per_channel)

#endif
