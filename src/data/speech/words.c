/* words.c - reads the list of --words.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/speech/parts.h"

enum { TEXT_MAX = 80 };

static mn_status bad(mn_error *error, const char *part, const char *found) {
  return mn_error_set(error, MN_ERR_USAGE,
                      "--words: %s in \"%s\"; expected words divided by commas, each a text or "
                      "LABEL=TEXT, such as \"yes,no\" or \"on=turn on\"",
                      found, part);
}

/* What a synthesiser reads aloud, and what needs no escaping on its way there. */
static bool is_speakable(const char *text) {
  bool letters = false;
  for (const char *p = text; *p != 0; p++) {
    const unsigned char c = (unsigned char)*p;
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 128;
    if (!letter && strchr(" '-.?!", c) == NULL) return false;
    letters = letters || letter;
  }
  return letters;
}

bool mn_text_is_ascii(const char *text) {
  for (; *text != 0; text++)
    if ((unsigned char)*text >= 128) return false;
  return true;
}

const char *mn_text_refusal(const char *text) {
  if (*text == 0) return "an empty word";
  if (strlen(text) > TEXT_MAX) return "more than 80 characters";
  return is_speakable(text) ? NULL : "a character that is not spoken";
}

static char *trimmed(char *text) {
  while (*text == ' ') text++;
  size_t length = strlen(text);
  while (length > 0 && text[length - 1] == ' ') text[--length] = 0;
  return text;
}

static mn_status read_word(mn_word *word, char *part, bool only_words, mn_error *error) {
  char given[2 * TEXT_MAX];
  snprintf(given, sizeof given, "%s", part);
  char *equals = strchr(part, '=');
  if (equals != NULL) *equals = 0;
  word->label = trimmed(part);
  word->text = equals == NULL ? word->label : trimmed(equals + 1);
  const char *refusal = *word->label == 0 ? "an empty word" : mn_text_refusal(word->text);
  if (refusal != NULL) return bad(error, given, refusal);
  if (strchr(word->label, '/') != NULL) return bad(error, given, "a slash");
  const bool taken =
      strcmp(word->label, MN_SPEECH_UNKNOWN) == 0 || strcmp(word->label, MN_SPEECH_SILENCE) == 0;
  if (taken && !only_words) {
    return mn_error_set(
        error, MN_ERR_USAGE,
        "--words: \"%s\" is a class of its own already; expected another label, such as "
        "\"%s_word=%s\"; or say --only-words",
        word->label, word->label, word->text);
  }
  return MN_OK;
}

static int32_t class_of(mn_words *words, const char *label) {
  for (int32_t i = 0; i < words->labels; i++) {
    if (strcmp(words->label[i], label) == 0) return i;
  }
  words->label[words->labels] = label;
  return words->labels++;
}

/* Capitals are not heard. */
static bool is_repeated(const mn_words *words, const char *text) {
  for (int32_t i = 0; i < words->count; i++) {
    if (strcasecmp(words->word[i].text, text) == 0) return true;
  }
  return false;
}

mn_status mn_words_parse(mn_words *words, mn_arena *arena, const char *list, bool only_words,
                         mn_error *error) {
  size_t parts = 1;
  for (const char *p = list; *p != 0; p++) parts += *p == ',';
  char *text = mn_arena_copy(arena, list, strlen(list) + 1);
  mn_words out = {.word = mn_arena_array(arena, parts, sizeof(mn_word)),
                  .label = mn_arena_array(arena, parts, sizeof(char *))};
  if (text == NULL || out.word == NULL || out.label == NULL) return MN_ERR_MEMORY;
  for (char *part = text; part != NULL;) {
    char *comma = strchr(part, ',');
    if (comma != NULL) *comma = 0;
    mn_word word = {0};
    MN_TRY(read_word(&word, part, only_words, error));
    if (is_repeated(&out, word.text)) return bad(error, word.text, "a word given twice");
    word.class_index = class_of(&out, word.label);
    out.word[out.count++] = word;
    part = comma == NULL ? NULL : comma + 1;
  }
  if (only_words && out.labels < 2) {
    return mn_error_set(error, MN_ERR_USAGE,
                        "--words: one class with --only-words; expected two or more labels; name "
                        "another word or leave --only-words out");
  }
  *words = out;
  return MN_OK;
}
