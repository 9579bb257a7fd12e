/* audio.h - one recording decoded by libsndfile, mixed down, resampled by libsoxr; never more of it
 * in memory than is asked for, however long it is. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_AUDIO_H
#define MN_DATA_AUDIO_H

#include "data/csv.h"
#include "data/source.h"

typedef struct mn_audio_info {
  int64_t frames;
  int32_t rate_hz, channels;
  /* of what was measured: the middle minute at most */
  int32_t peak; /* largest magnitude, int16 */
  int64_t measured, at_full_scale;
} mn_audio_info;

/* Where a recording comes from: memory, or else a path. */
typedef struct mn_recording {
  const char *name; /* for errors */
  const char *path;
  mn_bytes bytes;        /* data != NULL: this instead of the path */
  int32_t channels;      /* wanted, interleaved: as many as the file has; 0 or 1: mixed down */
  const mn_csv *samples; /* of a table that was read before, instead of both; NULL: none */
} mn_recording;

/* The samples of a recording of text, which every decoding would otherwise read again; NULL in *samples: it is
 * none. Release with mn_recording_forget. */
mn_status mn_recording_parse(mn_csv **samples, const mn_recording *recording,
                             mn_error *error) MN_MUST_CHECK;
void mn_recording_forget(mn_csv *samples);

/* Text for sndfile's path goes to `path` [size]. */
mn_recording mn_source_recording(const mn_source *source, int32_t member, char *path, size_t size);

/* Refuses a WAV file that is shorter than its header says. Asked once a file: when it is measured, or where
 * nothing measures it before it is decoded. */
mn_status mn_recording_whole(const mn_recording *recording, mn_error *error) MN_MUST_CHECK;
/* Header and loudness, of a whole recording. Errors: MN_ERR_FORMAT with the decoder's reason. */
mn_status mn_recording_measure(mn_audio_info *info, const mn_recording *recording,
                               mn_error *error) MN_MUST_CHECK;

/* At most `limit` samples (of every channel) at rate_hz into pcm, *count of them. start_s < 0: from the middle of the
 * recording, else from there on. */
mn_status mn_recording_decode(int16_t *pcm, int32_t *count, int32_t limit,
                              const mn_recording *recording, int32_t rate_hz, double start_s,
                              mn_error *error) MN_MUST_CHECK;

#endif
