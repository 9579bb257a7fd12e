/* speech.h - words spoken by synthesisers: a data set without recordings.
 *
 * Reads     --words ("yes,no", "0=zero,1=one", "on=turn on,on=switch on"), --only-words, language, seed
 * Writes    16 kHz mono clips, trimmed, 0.1 s or longer, of their natural length; nothing augmented
 * Classes   the labels in the order of the words, then `unknown`, then `silence` (unless only_words)
 * Voices    flite (linked; kal16, awb, rms, slt), espeak-ng (run as a program: its licence does not
 *           allow linking) and, where it is installed, festival. A voice setting serves one split only.
 * Repeats   same words, seed and engines: same bytes, whatever the threads; with a cache folder spoken
 *           clips are kept by text, settings and engine versions
 * Errors    MN_ERR_USAGE for words that make no data set; MN_ERR_FAILED without espeak-ng, or where it
 *           speaks nothing; MN_ERR_INTERRUPTED
 * Method    docs/speech.md
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_SPEECH_SPEECH_H
#define MN_DATA_SPEECH_SPEECH_H

#include "micronets/data.h"

#define MN_SPEECH_UNKNOWN "unknown"
#define MN_SPEECH_SILENCE "silence"
enum { MN_SPEECH_RATE_HZ = 16000 };

typedef struct mn_spoken {
  const char *name;  /* "zero/espeak-ng en-us+f3 s160 p40 r55" */
  const char *voice; /* the setting a speaker is: "en-us+f3", "slt d1.15 p1.1 s0.8" */
  int32_t label;
  mn_split split;
  int32_t samples;
  const int16_t *pcm;
} mn_spoken;

/* All of it lives in the arena that it was made in. */
typedef struct mn_speech {
  int32_t classes;
  const char *const *class_name;
  int32_t clips;
  const mn_spoken *clip;  /* grouped by class */
  const char *engines;    /* "flite 2.2, espeak-ng 1.51, festival 2.5.0 (kal_diphone)" */
  const char *trained_on; /* one plain sentence */
  uint64_t hash;          /* of everything that was asked for */
} mn_speech;

mn_status mn_speech_make(const mn_speech **speech, mn_arena *arena, const mn_data_config *config,
                         mn_error *error) MN_MUST_CHECK;

#endif
