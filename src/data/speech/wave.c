/* wave.c - a synthesiser's WAV in memory to 16 kHz, and silence off both ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <soxr.h>
#include <stdio.h>
#include <string.h>

#include "data/sound_memory.h"
#include "data/speech/parts.h"

enum {
  FRAME = MN_SPEECH_RATE_HZ / 100, /* loudness is judged over 10 ms */
  MARGIN = MN_SPEECH_RATE_HZ / 50, /* kept beside the sound: soft consonants */
  SHORTEST = MN_SPEECH_RATE_HZ / 10,
  PAUSE_FRAMES = 15, /* longer ones stand between words, not inside a consonant */
  LONGEST_S = 20
};

/* One thread, no dither: the same bytes every time. */
mn_status mn_wave_to_rate(int16_t **pcm, int32_t *samples, const float *x, size_t count,
                          double rate, mn_error *error) {
  const size_t room = (size_t)ceil((double)count * MN_SPEECH_RATE_HZ / rate) + 16;
  float *y = mn_malloc(room * sizeof *y);
  int16_t *out = mn_malloc(room * sizeof *out);
  mn_status status = y == NULL || out == NULL ? MN_ERR_MEMORY : MN_OK;
  size_t made = 0;
  if (status == MN_OK) {
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    const char *trouble = soxr_oneshot(rate, MN_SPEECH_RATE_HZ, 1, x, count, NULL, y, room, &made,
                                       &io, &quality, &runtime);
    if (trouble != NULL) status = mn_error_set(error, MN_ERR_FAILED, "resampling: %s", trouble);
  }
  for (size_t i = 0; status == MN_OK && i < made; i++) {
    const float v = y[i] * 32768.0f;
    out[i] = (int16_t)lrintf(v < -32768.0f ? -32768.0f : v > 32767.0f ? 32767.0f : v);
  }
  mn_free(y);
  if (status != MN_OK) {
    mn_free(out);
    return status;
  }
  *pcm = out;
  *samples = (int32_t)made;
  return MN_OK;
}

mn_status mn_wave_decode(int16_t **pcm, int32_t *samples, mn_bytes wave, double faster,
                         mn_error *error) {
  mn_sound_memory memory = {.bytes = wave};
  SF_INFO info = {0};
  SNDFILE *sound = mn_sound_open(&memory, &info);
  if (sound == NULL) {
    return mn_error_set(error, MN_ERR_FORMAT, "%zu bytes that are no WAV (%s)", wave.size,
                        sf_strerror(NULL));
  }
  mn_status status = MN_OK;
  float *x = NULL;
  if (info.channels != 1 || info.samplerate < 8000 || info.samplerate > 192000) {
    status = mn_error_set(error, MN_ERR_FORMAT, "%d channels at %d Hz; expected one channel",
                          info.channels, info.samplerate);
    goto done;
  }
  /* A pipe's header does not know the length: what was read counts. */
  const size_t most = wave.size / 2 + 1, limit = (size_t)info.samplerate * LONGEST_S;
  x = mn_malloc((most < limit ? most : limit) * sizeof *x);
  if (x == NULL) {
    status = mn_error_set(error, MN_ERR_MEMORY, "out of memory");
    goto done;
  }
  const sf_count_t count = sf_read_float(sound, x, (sf_count_t)(most < limit ? most : limit));
  status = mn_wave_to_rate(pcm, samples, x, count > 0 ? (size_t)count : 0, info.samplerate * faster,
                           error);
done:
  mn_free(x);
  (void)sf_close(sound);
  return status;
}

static double frame_power(const int16_t *pcm, int32_t count) {
  double sum = 0;
  for (int32_t i = 0; i < count; i++) sum += (double)pcm[i] * pcm[i];
  return sum / count;
}

/* Frames [count] softer than `floor` in a row are dropped from the PAUSE_FRAMES-th on. */
static int32_t shorten_pauses(int16_t *pcm, int32_t count, double floor) {
  int32_t kept = 0, quiet = 0;
  for (int32_t f = 0; f < count; f++) {
    quiet = frame_power(pcm + f * FRAME, FRAME) < floor ? quiet + 1 : 0;
    if (quiet > PAUSE_FRAMES) continue;
    if (kept != f) memmove(pcm + kept * FRAME, pcm + f * FRAME, FRAME * sizeof *pcm);
    kept++;
  }
  return kept;
}

int32_t mn_speech_trim(int16_t *pcm, int32_t samples) {
  const int32_t frames = samples / FRAME;
  double loudest = 0;
  for (int32_t f = 0; f < frames; f++) loudest = fmax(loudest, frame_power(pcm + f * FRAME, FRAME));
  const double floor = fmax(loudest * 1e-4, 1); /* 40 dB below the loudest 10 ms */
  int32_t first = 0, last = frames;
  while (first < frames && frame_power(pcm + first * FRAME, FRAME) < floor) first++;
  while (last > first && frame_power(pcm + (last - 1) * FRAME, FRAME) < floor) last--;
  if ((last - first) * FRAME < SHORTEST) return 0;
  const int32_t begin = first * FRAME > MARGIN ? first * FRAME - MARGIN : 0;
  const int32_t end = last * FRAME + MARGIN < samples ? last * FRAME + MARGIN : samples;
  memmove(pcm, pcm + begin, (size_t)(end - begin) * sizeof *pcm);
  const int32_t whole = (end - begin) / FRAME, rest = (end - begin) % FRAME;
  const int32_t kept = shorten_pauses(pcm, whole, floor);
  memmove(pcm + kept * FRAME, pcm + whole * FRAME, (size_t)rest * sizeof *pcm);
  return kept * FRAME + rest;
}

void mn_take_finish(mn_take *take) {
  take->samples = mn_speech_trim(take->pcm, take->samples);
  if (take->samples > 0) return;
  mn_free(take->pcm);
  take->pcm = NULL;
}
