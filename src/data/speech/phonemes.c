/* phonemes.c - how words sound, after espeak-ng, and how far apart they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "data/speech/parts.h"

/* Sounds that are heard as each other; the first letter of a mnemonic decides. */
static const char *const kinds[] = {
    "aeiouAEIOUQV@03&", "pb", "tdTD", "kgx", "fv", "szSZ", "mnN", "lrRwj"};

static int32_t kind_of(const char *phoneme) {
  for (size_t i = 0; i < MN_COUNT(kinds); i++) {
    if (strchr(kinds[i], phoneme[0]) != NULL) return (int32_t)i;
  }
  return -1;
}

/* One line of mnemonics divided by underscores and spaces; stress and length marks are dropped. */
static mn_status read_line(mn_phonemes *phonemes, mn_arena *arena, const char *line,
                           size_t length) {
  mn_phonemes out = {0};
  size_t at = 0;
  while (at < length && out.count < MN_PHONEMES_MAX) {
    char phoneme[16];
    size_t used = 0;
    for (; at < length && strchr("_ \r", line[at]) == NULL; at++) {
      if (strchr("',%=|:;", line[at]) == NULL && used + 1 < sizeof phoneme)
        phoneme[used++] = line[at];
    }
    while (at < length && strchr("_ \r", line[at]) != NULL) at++;
    if (used == 0) continue;
    phoneme[used] = 0;
    out.phoneme[out.count] = mn_arena_copy(arena, phoneme, used + 1);
    if (out.phoneme[out.count++] == NULL) return MN_ERR_MEMORY;
  }
  *phonemes = out;
  return MN_OK;
}

/* Texts go in as clauses of one argument; each comes back as a line. */
static mn_status ask(mn_buffer *answer, const char *const *text, int32_t count, const char *voice,
                     mn_error *error) {
  mn_buffer list = {0};
  mn_status status = MN_OK;
  for (int32_t i = 0; i < count && status == MN_OK; i++) {
    status = mn_buffer_append(&list, text[i], strlen(text[i]));
    if (status == MN_OK) status = mn_buffer_append(&list, "\n\n", 2);
  }
  if (status == MN_OK) status = mn_buffer_append(&list, "", 1);
  if (status == MN_OK) {
    const char *const arguments[] = {
        "espeak-ng", "-q", "-x", "--sep=_", "-v", voice, (const char *)list.data, NULL};
    status = mn_program_output(answer, arguments, MN_PROGRAM_SECONDS, error);
  }
  mn_buffer_free(&list);
  return status;
}

/* Which of the texts has no phonemes. */
static mn_status blame(mn_arena *arena, const char *const *text, int32_t count, const char *voice,
                       mn_error *error) {
  mn_phonemes one;
  if (count == 1)
    return mn_error_set(
        error, MN_ERR_USAGE,
        "--words: espeak-ng has no sounds for \"%s\" (voice %s); expected a word that "
        "it reads",
        text[0], voice);
  for (int32_t i = 0; i < count; i++)
    MN_TRY(mn_phonemes_of(&one, arena, &text[i], 1, voice, error));
  return mn_error_set(error, MN_ERR_FAILED,
                      "espeak-ng: other phonemes for %d texts than for each alone; is the voice "
                      "\"%s\" installed?",
                      (int)count, voice);
}

mn_status mn_phonemes_of(mn_phonemes *phonemes, mn_arena *arena, const char *const *text,
                         int32_t count, const char *voice, mn_error *error) {
  mn_buffer answer = {0};
  mn_status status = ask(&answer, text, count, voice, error);
  size_t at = 0;
  int32_t lines = 0;
  while (status == MN_OK && at < answer.size && lines < count) {
    const uint8_t *from = answer.data + at;
    const uint8_t *stop = memchr(from, '\n', answer.size - at);
    const size_t length = stop == NULL ? answer.size - at : (size_t)(stop - from);
    status = read_line(&phonemes[lines], arena, (const char *)from, length);
    if (status == MN_OK && phonemes[lines].count > 0) lines++;
    at += length + 1;
  }
  mn_buffer_free(&answer);
  return status == MN_OK && lines != count ? blame(arena, text, count, voice, error) : status;
}

static double exchange(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return 0;
  return kind_of(a) >= 0 && kind_of(a) == kind_of(b) ? 0.5 : 1;
}

static double least(double a, double b, double c) {
  const double ab = a < b ? a : b;
  return ab < c ? ab : c;
}

double mn_phonemes_distance(const mn_phonemes *a, const mn_phonemes *b) {
  double row[MN_PHONEMES_MAX + 1];
  for (int32_t j = 0; j <= b->count; j++) row[j] = j;
  for (int32_t i = 1; i <= a->count; i++) {
    double diagonal = row[0];
    row[0] = i;
    for (int32_t j = 1; j <= b->count; j++) {
      const double change = diagonal + exchange(a->phoneme[i - 1], b->phoneme[j - 1]);
      diagonal = row[j];
      row[j] = least(row[j] + 1, row[j - 1] + 1, change);
    }
  }
  const int32_t longer = a->count > b->count ? a->count : b->count;
  return longer > 0 ? row[b->count] / longer : 0;
}
