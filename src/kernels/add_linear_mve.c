/* add_linear_mve.c - see add_linear.h: four elements at a time in a tail-predicated loop, which gcc 12 does
 * not make.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add_linear.h"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>

void mn_add_linear_s8_mve(const void *params, const mn_kernel_io *io) {
  const mn_add_linear *p = params;
  const int8_t *a = (const int8_t *)io->x[0] + (io->first_row - io->x_row[0]) * p->row_elements;
  const int8_t *b = (const int8_t *)io->x[1] + (io->first_row - io->x_row[1]) * p->row_elements;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->row_elements;
  int32x4_t by_a = vdupq_n_s32(p->a_multiplier);
  int32x4_t min = vdupq_n_s32(p->output_min), max = vdupq_n_s32(p->output_max);
  __asm__ volatile(
      "wlstp.32 lr, %[count], 2f\n"
      "1:\n"
      "vldrb.s32 q0, [%[a]], #4\n"
      "vmlas.s32 q0, %q[by_a], %[offset]\n"
      "vldrb.s32 q1, [%[b]], #4\n"
      "vmla.s32 q0, q1, %[by_b]\n"
      "vshl.s32 q0, %[shift]\n"
      "vmax.s32 q0, q0, %q[min]\n"
      "vmin.s32 q0, q0, %q[max]\n"
      "vstrb.32 q0, [%[y]], #4\n"
      "letp lr, 1b\n"
      "2:\n"
      : [a] "+l"(a), [b] "+l"(b), [y] "+l"(y)
      : [count] "r"(io->rows * p->row_elements), [by_a] "w"(by_a), [by_b] "r"(p->b_multiplier),
        [offset] "r"(p->offset), [shift] "r"(-p->shift), [min] "w"(min), [max] "w"(max)
      : "lr", "q0", "q1", "memory");
}

#endif
