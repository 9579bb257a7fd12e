/* main.c - every clip of the file clips.raw through every front end, in hops of different lengths;
 * one line with checksums each. Built for emulated cores, and for the host with host.c instead of
 * the semihosting calls: the lines must be the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "io.h"
#include "semihost.h"
#include "tables.h"

static int32_t state[STATE / 4 + 1], scratch[SCRATCH / 4 + 1];
static int16_t pcm[LENGTH], feature[INPUT];
static int8_t input[INPUT];

int main(void);

/* Fowler, Noll and Vo's hash, 32 bits. */
static uint32_t checksum(const void *data, size_t size) {
  const uint8_t *bytes = data;
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

static void run(int setting, int clip) {
  static const int32_t hops[SETTINGS] = {320, 1000, 7, 16000, 640};
  const mn_audio *audio = audios[setting];
  size_t values = (size_t)(audio->frames * (audio->keep > 0 ? audio->keep : audio->mels));
  mn_feature_scale scale = mn_audio_scale(audio, 0.2010950f, -5);
  mn_audio_clip(audio, feature, state, scratch, pcm);
  mn_audio_reset(audio, state);
  int complete = 0;
  for (int32_t done = 0; done < audio->length;) {
    int32_t part = audio->length - done < hops[setting] ? audio->length - done : hops[setting];
    complete += mn_audio_feed(audio, state, scratch, input, &scale, pcm + done, (size_t)part);
    done += part;
  }
  mn_line_number("clip", clip);
  mn_line_number("setting", setting);
  mn_line_number("complete", complete);
  mn_line_hex("feature", checksum(feature, 2 * values));
  mn_line_hex("input", checksum(input, values));
  mn_line_end();
}

int main(void) {
  int file = mn_semihost_open("clips.raw");
  if (file < 0) return 2;
  for (int clip = 0; mn_semihost_read(file, pcm, sizeof pcm) == sizeof pcm; clip++) {
    for (int setting = 0; setting < SETTINGS; setting++) run(setting, clip);
  }
  mn_semihost_close(file);
  return 0;
}
