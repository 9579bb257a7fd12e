/* clips.c - samples of one item, wherever it comes from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <soxr.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "data/dataset.h"

/* Spoken clips are kept at one rate. */
static mn_status spoken_natural(int16_t *pcm, int32_t *count, int32_t limit, const mn_spoken *clip,
                                int32_t rate_hz, mn_error *error) {
  if (rate_hz == MN_SPEECH_RATE_HZ) {
    *count = clip->samples < limit ? clip->samples : limit;
    memcpy(pcm, clip->pcm + (clip->samples - *count) / 2, sizeof *pcm * (size_t)*count);
    return MN_OK;
  }
  soxr_io_spec_t s16 = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  s16.flags = SOXR_NO_DITHER;
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  size_t made = 0;
  soxr_error_t trouble =
      soxr_oneshot(MN_SPEECH_RATE_HZ, rate_hz, 1, clip->pcm, (size_t)clip->samples, NULL, pcm,
                   (size_t)limit, &made, &s16, &quality, &one_thread);
  if (trouble != NULL)
    return mn_error_set(error, MN_ERR_FAILED, "%s: resampling failed: %s", clip->name,
                        soxr_strerror(trouble));
  *count = (int32_t)made;
  return MN_OK;
}

mn_status mn_dataset_natural(const mn_dataset *dataset, int16_t *pcm, int32_t *count, int32_t limit,
                             int32_t item, int32_t rate_hz, mn_error *error) {
  const mn_entry *entry = &dataset->entries[item];
  assert(entry->origin != MN_ORIGIN_SILENCE);
  if (entry->origin == MN_ORIGIN_SPOKEN)
    return spoken_natural(pcm, count, limit, &dataset->speech->clip[entry->index], rate_hz, error);
  char path[4096];
  mn_recording recording = mn_source_recording(&dataset->source, entry->index, path, sizeof path);
  return mn_recording_decode(pcm, count, limit, &recording, rate_hz, -1, error);
}

/* `natural` has room for `samples`; it is centred in place. */
static void centre(int16_t *pcm, int32_t count, int32_t samples) {
  int32_t before = (samples - count) / 2;
  memmove(pcm + before, pcm, sizeof *pcm * (size_t)count);
  memset(pcm, 0, sizeof *pcm * (size_t)before);
  memset(pcm + before + count, 0, sizeof *pcm * (size_t)(samples - before - count));
}

mn_status mn_dataset_clip(const mn_dataset *dataset, int16_t *pcm, int32_t item, int32_t rate_hz,
                          int32_t samples, mn_error *error) {
  assert(item >= 0 && item < dataset->count && samples > 0);
  if (dataset->entries[item].origin == MN_ORIGIN_SILENCE)
    return mn_silence_clip(dataset, pcm, item, rate_hz, samples, error);
  int32_t count = 0;
  MN_TRY(mn_dataset_natural(dataset, pcm, &count, samples, item, rate_hz, error));
  centre(pcm, count, samples);
  return MN_OK;
}

mn_status mn_audio_read(int16_t *pcm, const char *path, int32_t rate_hz, int32_t samples,
                        mn_error *error) {
  mn_recording recording = {.name = path, .path = path};
  int32_t count = 0;
  MN_TRY(mn_recording_whole(&recording, error));
  MN_TRY(mn_recording_decode(pcm, &count, samples, &recording, rate_hz, -1, error));
  centre(pcm, count, samples);
  return MN_OK;
}

static int by_length(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

double mn_dataset_spoken_seconds(const mn_dataset *dataset, double share) {
  const mn_speech *speech = dataset->speech;
  if (speech == NULL) return 0;
  const int32_t words = speech->classes - (dataset->config.only_words ? 0 : 2);
  int32_t *samples = mn_malloc(sizeof *samples * (size_t)speech->clips);
  int32_t count = 0;
  for (int32_t i = 0; samples != NULL && i < speech->clips; i++)
    if (speech->clip[i].label < words) samples[count++] = speech->clip[i].samples;
  double seconds = 0;
  if (count > 0) {
    qsort(samples, (size_t)count, sizeof *samples, by_length);
    const int32_t at = (int32_t)(share * count);
    seconds = (double)samples[at < count ? at : count - 1] / MN_SPEECH_RATE_HZ;
  }
  mn_free(samples);
  return seconds;
}

/* A synthesiser's clips as items: made once, kept in the arena. */
mn_status mn_dataset_open_words(mn_dataset *dataset, mn_error *error) {
  MN_TRY(mn_speech_make(&dataset->speech, dataset->arena, &dataset->config, error));
  const mn_speech *speech = dataset->speech;
  size_t clips = (size_t)speech->clips;
  dataset->class_names = mn_arena_copy(dataset->arena, speech->class_name,
                                       sizeof *dataset->class_names * (size_t)speech->classes);
  dataset->items = mn_arena_array(dataset->arena, clips, sizeof *dataset->items);
  dataset->entries = mn_arena_array(dataset->arena, clips, sizeof *dataset->entries);
  if (dataset->class_names == NULL || dataset->items == NULL || dataset->entries == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "--words: out of memory");
  for (int32_t i = 0; i < speech->clips; i++) {
    const mn_spoken *clip = &speech->clip[i];
    dataset->items[i] = (mn_item){.file = clip->name,
                                  .speaker = clip->voice,
                                  .label = clip->label,
                                  .split = clip->split,
                                  .seconds = (double)clip->samples / MN_SPEECH_RATE_HZ};
    dataset->entries[i] =
        (mn_entry){.origin = MN_ORIGIN_SPOKEN,
                   .index = i,
                   .hash = mn_hash64(0, clip->pcm, sizeof *clip->pcm * (size_t)clip->samples),
                   .class_text = speech->class_name[clip->label]};
  }
  dataset->classes = speech->classes;
  dataset->count = speech->clips;
  if (!dataset->config.only_words &&
      strcmp(speech->class_name[speech->classes - 1], MN_SPEECH_SILENCE) == 0)
    dataset->silence = speech->classes - 1;
  dataset->rate_hz = MN_SPEECH_RATE_HZ;
  dataset->engines = speech->engines;
  dataset->trained_on = speech->trained_on;
  return MN_OK;
}
