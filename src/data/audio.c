/* audio.c - see audio.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/audio.h"

#include <math.h>
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/sound_memory.h"

enum { CHUNK_FRAMES = 4096, MOST_CHANNELS = 64, MEASURED_SECONDS = 60 };

typedef struct decoder {
  SNDFILE *file;
  SF_INFO info;
  mn_sound_memory memory;
  int32_t channels; /* handed out: 1 or those of the file */
  mn_csv *parsed;   /* for this decoding alone; NULL: no text, or read before */
} decoder;

static void close_decoder(decoder *d) {
  sf_close(d->file);
  mn_recording_forget(d->parsed);
}

mn_status mn_recording_parse(mn_csv **samples, const mn_recording *recording, mn_error *error) {
  mn_arena *arena = NULL;
  mn_bytes text = recording->bytes;
  *samples = NULL;
  if (!mn_is_csv(recording->path)) return MN_OK;
  mn_csv *made = mn_malloc(sizeof *made);
  if (made == NULL || mn_arena_create(&arena) != MN_OK) {
    mn_free(made);
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", recording->name);
  }
  mn_status status = MN_OK;
  if (text.data == NULL) status = mn_file_read(&text, arena, recording->path, 0, error);
  if (status == MN_OK) status = mn_csv_read(made, text, recording->name, error);
  mn_arena_destroy(arena);
  if (status == MN_OK)
    *samples = made;
  else
    mn_free(made);
  return status;
}

void mn_recording_forget(mn_csv *samples) {
  if (samples == NULL) return;
  mn_free(samples->pcm);
  mn_free(samples);
}

/* Samples in memory, which the library reads as it reads all others. */
static void take_samples(decoder *d, const mn_csv *csv) {
  size_t values = (size_t)csv->frames * (size_t)csv->channels;
  d->info = (SF_INFO){.samplerate = csv->rate_hz,
                      .channels = csv->channels,
                      .format = SF_FORMAT_RAW | SF_FORMAT_PCM_16 | SF_ENDIAN_CPU};
  d->memory.bytes = (mn_bytes){(const uint8_t *)csv->pcm, values * sizeof *csv->pcm};
}

/* ---- A WAV file that was cut off: the library takes what is there ---------------------------------*/
enum { HEAD_BYTES = 4096 };

/* Bytes that the data chunk says it has and the file lacks. A size of 0 or of 2 GiB and more is that of a
 * recording that was streamed and means nothing. */
static int64_t lacking(const uint8_t *head, size_t size, int64_t file_size) {
  if (size < 12 || memcmp(head, "RIFF", 4) != 0) return 0;
  for (size_t at = 12; at + 8 <= size;) {
    uint32_t bytes = mn_load_u32(head + at + 4);
    if (memcmp(head + at, "data", 4) != 0) {
      at += 8 + (size_t)bytes + bytes % 2;
      continue;
    }
    int64_t rest = file_size - (int64_t)at - 8;
    return bytes < 1u << 31 && bytes > rest ? bytes - rest : 0;
  }
  return 0;
}

static int64_t lacking_of(const mn_recording *recording) {
  uint8_t head[HEAD_BYTES];
  const mn_bytes bytes = recording->bytes;
  if (bytes.data != NULL)
    return lacking(bytes.data, bytes.size < HEAD_BYTES ? bytes.size : HEAD_BYTES,
                   (int64_t)bytes.size);
  FILE *file = fopen(recording->path, "rb");
  if (file == NULL) return 0;
  size_t size = fread(head, 1, sizeof head, file);
  int64_t file_size = fseeko(file, 0, SEEK_END) == 0 ? (int64_t)ftello(file) : INT64_MAX;
  (void)fclose(file);
  return lacking(head, size, file_size);
}

mn_status mn_recording_whole(const mn_recording *recording, mn_error *error) {
  const int64_t lacks = mn_is_csv(recording->path) ? 0 : lacking_of(recording);
  if (lacks == 0) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: is cut off, %lld bytes of sound are missing",
                      recording->name, (long long)lacks);
}

static mn_status open_decoder(decoder *d, const mn_recording *recording, mn_error *error) {
  *d = (decoder){.memory = {.bytes = recording->bytes},
                 .channels = recording->channels > 1 ? recording->channels : 1};
  if (recording->samples == NULL) MN_TRY(mn_recording_parse(&d->parsed, recording, error));
  const mn_csv *samples = recording->samples != NULL ? recording->samples : d->parsed;
  if (samples != NULL) take_samples(d, samples);
  d->file = d->memory.bytes.data != NULL ? mn_sound_open(&d->memory, &d->info)
                                         : sf_open(recording->path, SFM_READ, &d->info);
  if (d->file == NULL) {
    mn_recording_forget(d->parsed);
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: %s", recording->name,
                        sf_strerror(NULL));
  }
  const char *trouble = NULL;
  if (d->info.frames <= 0) trouble = "holds no samples";
  if (d->info.channels < 1 || d->info.channels > MOST_CHANNELS) trouble = "has too many channels";
  if (d->info.samplerate < 10 || d->info.samplerate > 768000)
    trouble = "has no usable sample rate; expected 10 Hz to 768 kHz";
  mn_status status = MN_OK;
  if (trouble != NULL)
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: %s", recording->name, trouble);
  else if (d->channels > 1 && d->channels != d->info.channels)
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: found %d channels; the front end expects %d",
                          recording->name, d->info.channels, d->channels);
  if (status != MN_OK) close_decoder(d);
  return status;
}

/* One frame of the file as it is handed out. */
static void take_frame(const decoder *d, float *out, const float *frame) {
  const int channels = d->info.channels;
  if (d->channels > 1) {
    memcpy(out, frame, sizeof *out * (size_t)channels);
    return;
  }
  float sum = 0;
  for (int c = 0; c < channels; c++) sum += frame[c];
  *out = sum / (float)channels;
}

/* Up to `count` frames; fewer at the end or where the stream is damaged. */
static sf_count_t read_frames(decoder *d, float *out, sf_count_t count) {
  float frames[CHUNK_FRAMES];
  sf_count_t done = 0;
  while (done < count) {
    sf_count_t want = CHUNK_FRAMES / d->info.channels;
    if (want > count - done) want = count - done;
    sf_count_t got = sf_readf_float(d->file, frames, want);
    for (sf_count_t i = 0; i < got; i++)
      take_frame(d, out + (done + i) * d->channels, frames + i * d->info.channels);
    if (got <= 0) break;
    done += got;
  }
  return done;
}

static int16_t to_s16(float value) {
  if (!(value > -1.0f)) return INT16_MIN; /* not a number is as loud as it gets, too */
  return value >= 32767.0f / 32768.0f ? INT16_MAX : (int16_t)lrintf(value * 32768.0f);
}

mn_recording mn_source_recording(const mn_source *source, int32_t member, char *path, size_t size) {
  const mn_member *m = &source->members[member];
  snprintf(path, size, "%s/%s", source->root, m->path);
  return (mn_recording){.name = m->path, .path = path, .bytes = {m->data, (size_t)m->size}};
}

mn_status mn_recording_measure(mn_audio_info *info, const mn_recording *recording,
                               mn_error *error) {
  decoder d;
  MN_TRY(mn_recording_whole(recording, error));
  MN_TRY(open_decoder(&d, recording, error));
  mn_audio_info result = {
      .frames = d.info.frames, .rate_hz = d.info.samplerate, .channels = d.info.channels};
  sf_count_t most = (sf_count_t)MEASURED_SECONDS * d.info.samplerate, rest = most;
  if (d.info.frames > most) sf_seek(d.file, (d.info.frames - most) / 2, SEEK_SET);
  float mono[CHUNK_FRAMES];
  while (rest > 0) {
    sf_count_t got = read_frames(&d, mono, rest < CHUNK_FRAMES ? rest : CHUNK_FRAMES);
    for (sf_count_t i = 0; i < got; i++) {
      int32_t magnitude = abs(to_s16(mono[i]));
      if (magnitude > result.peak) result.peak = magnitude;
      if (magnitude >= INT16_MAX) result.at_full_scale++;
    }
    if (got <= 0) break;
    result.measured += got;
    rest -= got;
  }
  close_decoder(&d);
  if (result.measured == 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: no sample can be read",
                        recording->name);
  if (result.measured < result.frames && result.measured < most) result.frames = result.measured;
  *info = result;
  return MN_OK;
}

/* [frames][channels] at the file's rate to pcm at rate_hz. */
static mn_status resample(int16_t *pcm, int32_t *count, int32_t limit, const float *mono,
                          size_t frames, const decoder *d, double to_hz, const char *name,
                          mn_error *error) {
  const double from_hz = d->info.samplerate;
  const size_t channels = (size_t)d->channels;
  size_t room = (size_t)((double)frames * to_hz / from_hz) + 16, made = 0;
  float *out = mn_malloc(sizeof *out * room * channels);
  if (out == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", name);
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  soxr_error_t trouble = soxr_oneshot(from_hz, to_hz, (unsigned)channels, mono, frames, NULL, out,
                                      room, &made, NULL, &quality, &one_thread);
  if (trouble != NULL) {
    mn_free(out);
    return mn_error_set(error, MN_ERR_FAILED, "%s: resampling failed: %s", name,
                        soxr_strerror(trouble));
  }
  *count = made < (size_t)limit ? (int32_t)made : limit;
  size_t skip = (made - (size_t)*count) / 2;
  for (size_t i = 0; i < (size_t)*count * channels; i++) pcm[i] = to_s16(out[skip * channels + i]);
  mn_free(out);
  return MN_OK;
}

static mn_status decode(int16_t *pcm, int32_t *count, int32_t limit, decoder *d, const char *name,
                        int32_t rate_hz, double start_s, mn_error *error) {
  const double from_hz = d->info.samplerate;
  /* A little more than needed on both sides, so that the resampler has no edge inside. */
  sf_count_t wanted = (sf_count_t)ceil(limit * from_hz / rate_hz);
  if (d->info.samplerate != rate_hz) wanted += 2 * (sf_count_t)(from_hz / 50);
  sf_count_t first = start_s >= 0 ? (sf_count_t)(start_s * from_hz) : (d->info.frames - wanted) / 2;
  if (first > d->info.frames - wanted) first = d->info.frames - wanted;
  if (first < 0) first = 0;
  if (wanted > d->info.frames) wanted = d->info.frames;
  if (first > 0 && sf_seek(d->file, first, SEEK_SET) < 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded from the middle", name);
  float *mono = mn_malloc(sizeof *mono * (size_t)(wanted * d->channels));
  if (mono == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", name);
  sf_count_t got = read_frames(d, mono, wanted);
  mn_status status = MN_OK;
  if (got == 0) {
    status =
        mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: no sample can be read", name);
  } else if (d->info.samplerate == rate_hz) {
    *count = (int32_t)(got < limit ? got : limit);
    for (int32_t i = 0; i < *count * d->channels; i++) pcm[i] = to_s16(mono[i]);
  } else {
    status = resample(pcm, count, limit, mono, (size_t)got, d, rate_hz, name, error);
  }
  mn_free(mono);
  return status;
}

mn_status mn_recording_decode(int16_t *pcm, int32_t *count, int32_t limit,
                              const mn_recording *recording, int32_t rate_hz, double start_s,
                              mn_error *error) {
  decoder d;
  MN_TRY(open_decoder(&d, recording, error));
  mn_status status = decode(pcm, count, limit, &d, recording->name, rate_hz, start_s, error);
  close_decoder(&d);
  return status;
}
