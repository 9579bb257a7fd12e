/* main.c - scores recordings on an emulated core: clips.raw holds, for every recording, one int32
 * state (-1: the nearest) and the int16 samples of one input for every window. Prints a line a window.
 * Built with the files of a compiled model called "pump"; SCORE_AFTER_RUN: the score needs the network.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include "io.h"
#include "semihost.h"

static uint8_t arena[PUMP_ARENA_BYTES] __attribute__((aligned(16)));
static int16_t frame[64 * CHANNELS];

int main(void);

/* Samples of one window in pieces; 1: the input is complete. */
static int feed_window(int file) {
  int complete = 0;
  for (int left = LENGTH; left > 0;) {
    int part = left < 64 ? left : 64, bytes = part * CHANNELS * 2;
    if (mn_semihost_read(file, frame, (size_t)bytes) != bytes) return -1;
    complete += pump_feed(arena, frame, (size_t)part);
    left -= part;
  }
  return complete;
}

int main(void) {
  int file = mn_semihost_open("clips.raw");
  int32_t state;
  if (file < 0) return 2;
  while (mn_semihost_read(file, &state, sizeof state) == (int)sizeof state) {
    pump_init(arena);
    if (feed_window(file) != 1) return 3;
    if (SCORE_AFTER_RUN) pump_run(arena);
    mn_line_number("score", pump_score(arena, state, 0));
    mn_line_end();
  }
  mn_semihost_close(file);
  return 0;
}
