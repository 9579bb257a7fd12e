/* move_ref.c - moves bytes towards lower addresses, four at a time where everything is aligned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/move.h"

/* Four bytes of whatever type: one load and one store. */
typedef struct word {
  _Alignas(4) uint8_t byte[4];
} word;

void mn_move_ref(const void *params, const mn_kernel_io *io) {
  const mn_move *p = params;
  const uint8_t *x = io->x[0];
  uint8_t *y = io->y;
  int32_t words = (((uintptr_t)x | (uintptr_t)y) & 3) == 0 ? p->bytes / 4 : 0;
  for (int32_t i = 0; i < words; i++) ((word *)(void *)y)[i] = ((const word *)(const void *)x)[i];
  for (int32_t i = words * 4; i < p->bytes; i++) y[i] = x[i];
}
