/* frame_image.c - see frame.h. Noise: no instruction depends on what is seen but those of a division
 * without hardware. SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"
#include "mark.h"
#include "model.h"

static uint8_t frame[2 * MN_FRAME_WIDTH * MN_FRAME_HEIGHT];

void mn_frame_count(void *arena) {
  uint32_t noise = 1;
  for (uint32_t i = 0; i < sizeof frame; i++) {
    noise = noise * 1664525u + 1013904223u;
    frame[i] = (uint8_t)(noise >> 24);
  }
  mn_bench_mark(MN_REGION_FEED);
  model_image(arena, frame, MN_FRAME_WIDTH, MN_FRAME_HEIGHT, MODEL_RGB565);
  mn_bench_mark(MN_REGION_OUTSIDE);
}
