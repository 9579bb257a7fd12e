/* clips_raw.c - one second of every recording named, or made-up sound where none is named, as raw
 * int16 samples at 16 kHz on standard output.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "micronets/data.h"

enum { RATE = 16000, MADE_UP = 4 };

/* Noise with a swelling tone: loud, quiet, with silence, and clipped. */
static void make_up(int16_t *pcm, int which) {
  static const double loudness[MADE_UP] = {9000, 12, 3000, 60000};
  mn_rng rng = mn_rng_seed((uint64_t)which);
  for (int i = 0; i < RATE; i++) {
    double value = loudness[which] * (0.3 * mn_rng_normal(&rng) + sin(i * 0.01 * (1 + i * 1e-4)));
    if (which == 2 && i < RATE / 2) value = 0;
    pcm[i] = (int16_t)fmax(-32768, fmin(32767, value));
  }
}

int main(int count, char **files) {
  int16_t pcm[RATE];
  mn_error error = {{0}};
  for (int i = 1; i < count; i++) {
    if (mn_audio_read(pcm, files[i], RATE, RATE, &error) != MN_OK) {
      fprintf(stderr, "%s\n", error.text);
      return 3;
    }
    fwrite(pcm, sizeof *pcm, RATE, stdout);
  }
  for (int i = 0; count < 2 && i < MADE_UP; i++) {
    make_up(pcm, i);
    fwrite(pcm, sizeof *pcm, RATE, stdout);
  }
  return 0;
}
