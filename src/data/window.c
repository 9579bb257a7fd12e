/* window.c - several inputs from one recording, one stride apart, as a stream would give them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "data/dataset.h"

static int32_t samples_of(const mn_frontend *frontend, int64_t us) {
  return (int32_t)(frontend->rate_hz * us / 1000000);
}

mn_window_size mn_window_size_of(const mn_frontend *frontend) {
  mn_frontend shaped = *frontend;
  mn_frontend_shape(&shaped);
  int32_t step = samples_of(frontend, frontend->step_us);
  int32_t samples = samples_of(frontend, frontend->length_us);
  if (frontend->frames > 0)
    samples = samples_of(frontend, frontend->window_us) + (frontend->frames - 1) * step;
  return (mn_window_size){.rate_hz = frontend->rate_hz,
                          .channels = shaped.channels,
                          .samples = samples,
                          .stride = step * (frontend->every > 0 ? frontend->every : 1)};
}

int32_t mn_window_count(const mn_window_size *size, double seconds) {
  /* a sample that rounding takes away must not cost a window */
  int64_t samples = (int64_t)floor(seconds * size->rate_hz + 0.5);
  if (samples <= size->samples) return 1;
  return (int32_t)(1 + (samples - size->samples) / size->stride);
}

static void centre(int16_t *pcm, int32_t count, const mn_window_size *size) {
  size_t channels = (size_t)size->channels, before = (size_t)(size->samples - count) / 2;
  size_t behind = (size_t)(size->samples - count) - before;
  memmove(pcm + before * channels, pcm, sizeof *pcm * (size_t)count * channels);
  memset(pcm, 0, sizeof *pcm * before * channels);
  memset(pcm + (before + (size_t)count) * channels, 0, sizeof *pcm * behind * channels);
}

static mn_status read_window(int16_t *pcm, const mn_recording *recording,
                             const mn_window_size *size, int32_t index, mn_error *error) {
  int32_t count = 0;
  double start = (double)index * size->stride / size->rate_hz;
  MN_TRY(mn_recording_decode(pcm, &count, size->samples, recording, size->rate_hz, start, error));
  centre(pcm, count, size);
  return MN_OK;
}

/* Of an item of text, read by whoever asks first: windows of one item are many, and items many. */
static mn_status parsed_samples(const mn_csv **samples, const mn_dataset *dataset, int32_t member,
                                const mn_recording *recording, mn_error *error) {
  mn_csv *made = NULL, *there = NULL;
  if (dataset->parsed == NULL) return MN_OK;
  there = atomic_load(&dataset->parsed[member]);
  if (there == NULL) {
    MN_TRY(mn_recording_parse(&made, recording, error));
    if (atomic_compare_exchange_strong(&dataset->parsed[member], &there, made))
      there = made;
    else
      mn_recording_forget(made); /* another thread was faster */
  }
  *samples = there;
  return MN_OK;
}

mn_status mn_dataset_window(const mn_dataset *dataset, int16_t *pcm, int32_t item,
                            const mn_window_size *size, int32_t index, mn_error *error) {
  const mn_entry *entry = &dataset->entries[item];
  char path[4096];
  if (entry->origin != MN_ORIGIN_FILE || (size->channels == 1 && dataset->task != MN_TASK_AD))
    return mn_dataset_clip(dataset, pcm, item, size->rate_hz, size->samples, error);
  mn_recording recording = mn_source_recording(&dataset->source, entry->index, path, sizeof path);
  recording.channels = size->channels;
  MN_TRY(parsed_samples(&recording.samples, dataset, entry->index, &recording, error));
  return read_window(pcm, &recording, size, index, error);
}

/* ---- Any file ----------------------------------------------------------------------------------*/
struct mn_listening {
  mn_recording recording;
  mn_csv *samples; /* NULL: no text */
  mn_window_size size;
  int32_t windows;
};

static mn_status begin(mn_listening *l, mn_error *error) {
  mn_audio_info info;
  MN_TRY(mn_recording_parse(&l->samples, &l->recording, error));
  l->recording.samples = l->samples;
  MN_TRY(mn_recording_measure(&info, &l->recording, error));
  l->recording.channels = l->size.channels;
  l->windows = mn_window_count(&l->size, (double)info.frames / info.rate_hz);
  return MN_OK;
}

mn_status mn_listening_open(mn_listening **listening, const char *path, const mn_window_size *size,
                            mn_error *error) {
  mn_listening *made = mn_malloc(sizeof *made);
  if (made == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  *made = (mn_listening){.recording = {.name = path, .path = path}, .size = *size};
  mn_status status = begin(made, error);
  if (status == MN_OK)
    *listening = made;
  else
    mn_listening_close(made);
  return status;
}

int32_t mn_listening_windows(const mn_listening *listening) {
  return listening->windows;
}

mn_status mn_listening_window(const mn_listening *listening, int16_t *pcm, int32_t index,
                              mn_error *error) {
  return read_window(pcm, &listening->recording, &listening->size, index, error);
}

void mn_listening_close(mn_listening *listening) {
  if (listening == NULL) return;
  mn_recording_forget(listening->samples);
  mn_free(listening);
}
