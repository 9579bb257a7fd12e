/* voices.c - the languages of espeak-ng and the voices of one of them: it is asked.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "data/speech/parts.h"

/* English by default: without voices of a narrower or wider world. */
static const char *const english[] = {"en-us",  "en-gb",          "en-gb-scotland", "en-gb-x-rp",
                                      "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc"};

bool mn_language_is_english(const char *language) {
  return language == NULL || strcmp(language, "en") == 0 || strncmp(language, "en-", 3) == 0;
}

/* Fields 2 and 5 of a line: "5  fr-be  --/M  French_(Belgium)  roa/fr-BE  (fr 8)". */
static bool read_voice(char tag[32], const char *line, size_t length) {
  char copy[256], file[64];
  if (length >= sizeof copy) return false;
  memcpy(copy, line, length);
  copy[length] = 0;
  return sscanf(copy, " %*d %31s %*s %*s %63s", tag, file) == 2;
}

/* "fr" has the voices fr-fr, fr-be, fr-ch. A voice that reads another script is one of its own. */
static bool is_of(const char *tag, const char *language) {
  const size_t length = strlen(language);
  if (strncmp(tag, language, length) != 0) return false;
  return tag[length] == 0 || (tag[length] == '-' && strstr(tag + length, "-lat") == NULL);
}

static mn_status list_voices(mn_voices *voices, mn_arena *arena, const char *language,
                             mn_bytes answer) {
  size_t lines = 0;
  for (size_t i = 0; i < answer.size; i++) lines += answer.data[i] == '\n';
  const char **accent = mn_arena_array(arena, lines + 1, sizeof *accent);
  if (accent == NULL) return MN_ERR_MEMORY;
  int32_t count = 0;
  for (size_t at = 0; at < answer.size;) {
    const char *line = (const char *)answer.data + at;
    const char *stop = memchr(line, '\n', answer.size - at);
    const size_t length = stop == NULL ? answer.size - at : (size_t)(stop - line);
    char tag[32];
    at += length + 1;
    if (!read_voice(tag, line, length)) continue;
    if (language != NULL && !is_of(tag, language)) continue;
    accent[count] = mn_arena_text(arena, "%s", tag);
    if (accent[count++] == NULL) return MN_ERR_MEMORY;
  }
  *voices = (mn_voices){accent, count};
  return MN_OK;
}

/* Names up to the first hyphen, each once. */
static void name_languages(char *text, size_t size, const mn_voices *voices) {
  size_t used = 0;
  text[0] = 0;
  for (int32_t i = 0; i < voices->count; i++) {
    const size_t length = strcspn(voices->accent[i], "-");
    const bool again = i > 0 && strncmp(voices->accent[i - 1], voices->accent[i], length) == 0 &&
                       strcspn(voices->accent[i - 1], "-") == length;
    if (again || used + length + 2 > size) continue;
    used += (size_t)snprintf(text + used, size - used, " %.*s", (int)length, voices->accent[i]);
  }
}

mn_status mn_voices_find(mn_voices *voices, mn_arena *arena, const char *language,
                         mn_error *error) {
  if (language == NULL || strcmp(language, "en") == 0) {
    *voices = (mn_voices){english, MN_COUNT(english)};
    return MN_OK;
  }
  static const char *const arguments[] = {"espeak-ng", "--voices", NULL};
  mn_buffer output = {0};
  mn_voices all = {0};
  mn_status status = mn_program_output(&output, arguments, MN_PROGRAM_SECONDS, error);
  const mn_bytes answer = {output.data, output.size};
  if (status == MN_OK) status = list_voices(voices, arena, language, answer);
  if (status == MN_OK && voices->count == 0) {
    status = list_voices(&all, arena, NULL, answer);
    char known[440];
    name_languages(known, sizeof known, &all);
    if (status == MN_OK)
      status = mn_error_set(error, MN_ERR_USAGE, "--language: found \"%s\"; expected one of%s",
                            language, known);
  }
  mn_buffer_free(&output);
  return status;
}
