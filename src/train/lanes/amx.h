/* amx.h - tiles of AMX: eight registers of 16 rows by 64 bytes (Intel SDM, volume 1, "Programming with Intel
 * AMX"). A tile of A times a tile of B: rows of A hold 16 groups of 4 bytes along the depth, rows of B the groups
 * of 16 columns at one place of the depth, which is how weights are packed everywhere else.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_LANES_AMX_H
#define MN_TRAIN_LANES_AMX_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { AMX_ROWS = 16, AMX_DEPTH = 16, AMX_BYTES = 64 };

typedef struct amx_shape {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} amx_shape;

/* All tiles at full size. Palette 1 is the one there is; CPUID leaf 0x1D, which some virtual machines hide, is not
 * asked. */
static inline void amx_begin(void) {
  static const amx_shape full = {.palette = 1,
                                 .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                 .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
  _tile_loadconfig(&full);
}
/* Leaves nothing that a change of threads would have to save. */
static inline void amx_end(void) {
  _tile_release();
}
/* Before tiles are loaded from what was just stored: GCC's loads do not say that they read memory. */
static inline void amx_stored(void) {
  __asm__ volatile("" ::: "memory");
}

#endif
