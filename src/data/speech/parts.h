/* parts.h - the pieces behind speech.h: words, settings, the engines, phonemes, trimming, cache.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_SPEECH_PARTS_H
#define MN_DATA_SPEECH_PARTS_H

#include "data/speech/speech.h"

/* ---- The list of words ------------------------------------------------------------------------*/
typedef struct mn_word {
  const char *label, *text;
  int32_t class_index;
} mn_word;

typedef struct mn_words {
  mn_word *word;
  int32_t count;
  const char **label; /* distinct ones, in order of appearance */
  int32_t labels;
} mn_words;
/* Splits and checks "A,LABEL=TEXT,...". Errors: MN_ERR_USAGE. */
mn_status mn_words_parse(mn_words *words, mn_arena *arena, const char *list, bool only_words,
                         mn_error *error) MN_MUST_CHECK;

/* NULL: the text can be spoken; else what is wrong with it, in a few words. */
const char *mn_text_refusal(const char *text);

/* ---- Takes: one word spoken once with one setting ----------------------------------------------*/
typedef enum mn_engine { MN_ENGINE_FLITE, MN_ENGINE_ESPEAK, MN_ENGINE_FESTIVAL } mn_engine;
const char *mn_engine_text(mn_engine engine);

typedef struct mn_take {
  mn_engine engine;
  const char *text;                         /* borrowed */
  const char *accent;                       /* espeak-ng: en-us */
  const char *tone;                         /* espeak-ng: variant f3; others: voice slt */
  int32_t rate, pitch, range;               /* espeak-ng: words a minute, 0..99, 0..99 */
  double stretch, pitch_mean, pitch_spread; /* the others: factors on the voice's own */
  bool deaf; /* festival: a voice that takes no pitch; it is played faster instead */
  double
      tract; /* formants are moved by this factor at unchanged length: a shorter or longer throat */
  mn_split split;
  char voice[64];
  /* filled by the engine; pcm is owned, NULL where the word came out empty */
  int16_t *pcm;
  int32_t samples;
  bool said; /* the engine is done with it */
} mn_take;

/* Voices of one language that espeak-ng has. */
typedef struct mn_voices {
  const char *const *accent; /* "en-us" */
  int32_t count;
} mn_voices;
/* NULL and "en": eight accents of English. "fr": fr-fr, fr-be, fr-ch. Errors: MN_ERR_USAGE naming the
 * languages that it knows; MN_ERR_FAILED where espeak-ng is absent. */
mn_status mn_voices_find(mn_voices *voices, mn_arena *arena, const char *language,
                         mn_error *error) MN_MUST_CHECK;
bool mn_language_is_english(const char *language); /* NULL: yes */

typedef struct mn_festival_voice {
  const char *name; /* "kal_diphone" */
  bool deaf;
} mn_festival_voice;

/* What is installed of festival; version NULL, no voices: nothing. */
typedef struct mn_festival {
  const char *version; /* "2.5.0 (kal_diphone ked_diphone)": its voices belong to it */
  const mn_festival_voice *voice;
  int32_t voices;
} mn_festival;

enum { MN_ESPEAK_TAKES = 110, MN_FLITE_TAKES = 60, MN_FESTIVAL_TAKES = 40 };
/* Takes of one text by engine. */
typedef struct mn_take_plan {
  int32_t espeak, flite, festival;
  const mn_voices *accents;     /* of espeak-ng */
  const mn_festival *installed; /* of festival; may be NULL without takes of it */
  uint64_t seed;
} mn_take_plan;
/* Draws the settings of all takes of a text: flite's, espeak-ng's, festival's. Those of one engine do
 * not depend on the others' counts. flite and festival speak English only. */
void mn_takes_draw(mn_take *takes, const char *text, const mn_take_plan *plan);

/* ---- Engines: fill take->pcm at 16 kHz, trimmed -----------------------------------------------*/
/* Not thread safe: flite keeps its voices' settings in globals. */
mn_status mn_flite_say(mn_take *take, mn_error *error) MN_MUST_CHECK;
const char *mn_flite_version(void);
/* Thread safe: a process of its own. version: what mn_espeak_version gives. */
mn_status mn_espeak_say(mn_take *take, const char *version, mn_error *error) MN_MUST_CHECK;
/* First line of `espeak-ng --version`, without its path. Errors: MN_ERR_FAILED where it is absent. */
mn_status mn_espeak_version(const char **version, mn_arena *arena, mn_error *error) MN_MUST_CHECK;
/* Voices of English that festival has, sorted by name; it is asked, and each voice is started once.
 * Errors: MN_ERR_FAILED where it is absent, does not answer or has none. */
mn_status mn_festival_find(mn_festival *festival, mn_arena *arena, mn_error *error) MN_MUST_CHECK;
/* Speaks takes [count] in one process. Thread safe. */
enum { MN_FESTIVAL_BATCH = 48 };
mn_status mn_festival_say(mn_take *const *takes, int32_t count, mn_error *error) MN_MUST_CHECK;
/* flite and festival read nothing else. */
bool mn_text_is_ascii(const char *text);
/* What `arguments` (NULL ends, [0] is the program) print on standard output. A program that prints nothing
 * for so many seconds is ended: MN_ERR_FAILED. */
enum { MN_PROGRAM_SECONDS = 300 }; /* festival says a batch before it answers */
mn_status mn_program_output(mn_buffer *output, const char *const *arguments, int seconds,
                            mn_error *error) MN_MUST_CHECK;

/* Ends an engine's work on a take: silence is cut off, an empty one is given back. */
void mn_take_finish(mn_take *take);
/* A whole WAV in memory, played `faster` -> pcm (owned, release with mn_free) at 16 kHz.
 * Errors: MN_ERR_FORMAT. */
mn_status mn_wave_decode(int16_t **pcm, int32_t *samples, mn_bytes wave, double faster,
                         mn_error *error) MN_MUST_CHECK;
/* x [count], full scale 1, at `rate` -> pcm (owned) at 16 kHz. */
mn_status mn_wave_to_rate(int16_t **pcm, int32_t *samples, const float *x, size_t count,
                          double rate, mn_error *error) MN_MUST_CHECK;
/* Cuts silence off both ends and pauses between words down to 0.15 s, in place; 0 where less than 0.1 s
 * is left. */
int32_t mn_speech_trim(int16_t *pcm, int32_t samples);

/* ---- Phonemes and the words of `unknown` ------------------------------------------------------*/
enum { MN_PHONEMES_MAX = 64 };
typedef struct mn_phonemes {
  const char *phoneme[MN_PHONEMES_MAX]; /* espeak-ng's mnemonics without stress marks */
  int32_t count;
} mn_phonemes;
/* One call of espeak-ng for all texts. */
mn_status mn_phonemes_of(mn_phonemes *phonemes, mn_arena *arena, const char *const *text,
                         int32_t count, const char *voice, mn_error *error) MN_MUST_CHECK;
/* Edits between a and b over the length of the longer: 0 alike, 1 nothing in common. Sounds of one
 * kind (two vowels, a voiced and a voiceless stop) cost half. */
double mn_phonemes_distance(const mn_phonemes *a, const mn_phonemes *b);

extern const char *const mn_common_words[]; /* English */
extern const int32_t mn_common_word_count;
/* Everyday words of a language; false, and the English ones, where there is no list of it. */
bool mn_words_of_language(const char *const **word, int32_t *count, const char *language);
/* Chooses up to `wanted` words for `unknown`: those of config->unknown_words as they are ("A,B,...", or a
 * file with one a line); else words of the language, near misses first, but none nearer to a chosen
 * word than its neighbour can bear. Errors: MN_ERR_USAGE, MN_ERR_FORMAT (of the file). */
mn_status mn_unknown_choose(const char ***text, int32_t *count, mn_arena *arena,
                            const mn_words *words, int32_t wanted, const char *voice,
                            const mn_data_config *config, mn_error *error) MN_MUST_CHECK;

/* Of every phrase: each of its words alone, and the phrase with another word in that word's place.
 * text [most]; none is one of the words. */
mn_status mn_phrase_misses(const char **text, int32_t *count, int32_t most, mn_arena *arena,
                           const mn_words *words, const char *const *common, int32_t commons,
                           uint64_t seed) MN_MUST_CHECK;

/* ---- Cache ------------------------------------------------------------------------------------*/
uint64_t mn_takes_key(const mn_take *takes, int32_t count, const char *versions);
bool mn_cache_load(mn_take *takes, int32_t count, const char *folder, uint64_t key);
mn_status mn_cache_save(const mn_take *takes, int32_t count, const char *folder, uint64_t key,
                        mn_error *error) MN_MUST_CHECK;

#endif
