/* silence.c - class `silence`: pieces of background noise of any loudness, a ninth of the other
 * items in each split. The first 80 % of every recording belong to train, the next 10 % to val, the
 * last to test, so that no split hears another's noise. SPDX-License-Identifier: Apache-2.0 */
#include "data/layout.h"

#include <math.h>
#include <string.h>

#define SHORTEST_SHARE_S 1.5 /* a recording too short to be divided serves all splits */

void mn_noise_range(double *start_s, double *length_s, double seconds, mn_split split) {
  static const double first[MN_SPLIT_COUNT] = {0.0, 0.8, 0.9},
                      share[MN_SPLIT_COUNT] = {0.8, 0.1, 0.1};
  bool divided = seconds * 0.1 >= SHORTEST_SHARE_S;
  *start_s = divided ? first[split] * seconds : 0.0;
  *length_s = divided ? share[split] * seconds : seconds;
}

/* Background recordings that can be read, with their lengths. */
static mn_status check_noises(mn_dataset *dataset) {
  int32_t kept = 0;
  dataset->noise_seconds =
      mn_arena_array(dataset->arena, (size_t)dataset->noise_count + 1, sizeof(double));
  if (dataset->noise_seconds == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < dataset->noise_count; i++) {
    char path[4096];
    mn_audio_info info;
    mn_error trouble = {{0}};
    mn_recording recording =
        mn_source_recording(&dataset->source, dataset->noises[i], path, sizeof path);
    mn_status status = mn_recording_measure(&info, &recording, &trouble);
    if (status == MN_ERR_MEMORY) return status;
    if (status == MN_OK) {
      dataset->noise_seconds[kept] = (double)info.frames / info.rate_hz;
      dataset->noises[kept++] = dataset->noises[i];
    } else {
      MN_TRY(mn_problem_add(dataset, recording.name, "unreadable", "%s; left out", trouble.text));
    }
  }
  dataset->noise_count = kept;
  return MN_OK;
}

static mn_status add_items(mn_dataset *dataset, mn_error *error) {
  int32_t others[MN_SPLIT_COUNT] = {0}, there[MN_SPLIT_COUNT] = {0}, made[MN_SPLIT_COUNT],
          total = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    if (dataset->items[i].label == dataset->silence)
      there[dataset->items[i].split]++;
    else
      others[dataset->items[i].split]++;
  }
  for (int32_t s = 0; s < MN_SPLIT_COUNT; s++) {
    made[s] = (others[s] + 4) / 9 - there[s];
    if (made[s] < 0) made[s] = 0;
    total += made[s];
  }
  MN_TRY(mn_layout_grow(dataset, dataset->count + total, error));
  for (int32_t s = 0; s < MN_SPLIT_COUNT; s++) {
    for (int32_t i = 0; i < made[s]; i++) {
      const char *name =
          mn_arena_text(dataset->arena, "silence:%s:%d", mn_split_text((mn_split)s), i);
      if (name == NULL) return MN_ERR_MEMORY;
      dataset->items[dataset->count] =
          (mn_item){.file = name, .label = dataset->silence, .split = (mn_split)s, .seconds = 1.0};
      dataset->entries[dataset->count++] =
          (mn_entry){.origin = MN_ORIGIN_SILENCE, .index = i, .class_text = MN_SILENCE};
    }
  }
  return MN_OK;
}

mn_status mn_silence_add(mn_dataset *dataset, mn_error *error) {
  mn_status status = check_noises(dataset);
  if (status == MN_OK && dataset->silence >= 0 && dataset->noise_count > 0)
    status = add_items(dataset, error);
  return status == MN_ERR_MEMORY
             ? mn_error_set(error, status, "%s: out of memory", dataset->config.path)
             : status;
}

mn_status mn_silence_clip(const mn_dataset *dataset, int16_t *pcm, int32_t item, int32_t rate_hz,
                          int32_t samples, mn_error *error) {
  const mn_item *made = &dataset->items[item];
  mn_rng rng =
      mn_rng_stream(dataset->config.seed, mn_hash64(0, made->file, strlen(made->file)), 0x51);
  uint32_t which = mn_rng_below(&rng, (uint32_t)dataset->noise_count);
  char path[4096];
  mn_recording recording =
      mn_source_recording(&dataset->source, dataset->noises[which], path, sizeof path);
  double start, length, wanted = (double)samples / rate_hz;
  mn_noise_range(&start, &length, dataset->noise_seconds[which], made->split);
  if (length > wanted) start += mn_rng_uniform(&rng) * (length - wanted);
  double loudness = mn_rng_uniform(&rng);
  int32_t count = 0;
  MN_TRY(mn_recording_decode(pcm, &count, samples, &recording, rate_hz, start, error));
  for (int32_t i = 0; i < count; i++) pcm[i] = (int16_t)lrint(pcm[i] * loudness);
  memset(pcm + count, 0, sizeof *pcm * (size_t)(samples - count));
  return MN_OK;
}
