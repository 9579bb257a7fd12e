/* unknown.c - which words stand for everything that was not chosen.
 *
 * Near misses teach the network to refuse; the nearest ones teach it to refuse the word itself:
 * "commuter" and "compute" cost "computer" a quarter of its recall. So a word needs a distance that
 * every chosen word can bear; of the rest the nearer half of the places goes to the nearest.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/speech/parts.h"

/* Nothing below 40 % of the sounds and one and a half of them: "go" for "no" differs by one. */
static const double nearest_share = 0.40, nearest_edits = 1.5;

typedef struct candidate {
  const char *text;
  double distance;
  int32_t place;
} candidate;

static bool bearable(double *distance, const mn_phonemes *word, const mn_phonemes *chosen,
                     int32_t count, double share) {
  *distance = 1;
  for (int32_t i = 0; i < count; i++) {
    const double d = mn_phonemes_distance(word, &chosen[i]);
    const int32_t longer = word->count > chosen[i].count ? word->count : chosen[i].count;
    if (d < share || d * longer < nearest_edits) return false;
    if (d < *distance) *distance = d;
  }
  return true;
}

static int by_distance(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->distance < y->distance) return -1;
  if (x->distance > y->distance) return 1;
  return x->place - y->place;
}

/* Half of the places to the nearest, the other half drawn from what is left. */
static int32_t choose(const char **text, candidate *list, int32_t count, int32_t wanted,
                      mn_rng *rng) {
  if (wanted > count) wanted = count;
  qsort(list, (size_t)count, sizeof *list, by_distance);
  const int32_t near = wanted / 2;
  for (int32_t i = near; i < wanted; i++) {
    const int32_t other = i + (int32_t)mn_rng_below(rng, (uint32_t)(count - i));
    const candidate swap = list[i];
    list[i] = list[other];
    list[other] = swap;
  }
  for (int32_t i = 0; i < wanted; i++) text[i] = list[i].text;
  return wanted;
}

/* ---- The user's own list -----------------------------------------------------------------------*/

static mn_status bad(mn_error *error, const char *list, const char *text, const char *found) {
  return mn_error_set(
      error, MN_ERR_USAGE,
      "--unknown-words %s: %s in \"%s\"; expected words divided by commas, or a file "
      "with one a line; none of them one of --words, none twice",
      list, found, text);
}

static mn_status check_word(const char *const *text, int32_t at, const mn_words *words,
                            const char *list, mn_error *error) {
  const char *refusal = mn_text_refusal(text[at]);
  for (int32_t i = 0; i < words->count && refusal == NULL; i++) {
    if (strcasecmp(words->word[i].text, text[at]) == 0) refusal = "one of --words";
  }
  for (int32_t i = 0; i < at && refusal == NULL; i++) {
    if (strcasecmp(text[i], text[at]) == 0) refusal = "a word given twice";
  }
  return refusal == NULL ? MN_OK : bad(error, list, text[at], refusal);
}

/* Cuts `copy` at `divider`; spaces and carriage returns around words go, empty lines of a file too. */
static mn_status cut(const char **text, int32_t *count, char *copy, char divider, const char *list,
                     const mn_words *words, mn_error *error) {
  for (char *part = copy; part != NULL;) {
    char *next = strchr(part, divider);
    if (next != NULL) *next++ = 0;
    part += strspn(part, " \t\r");
    size_t length = strlen(part);
    while (length > 0 && strchr(" \t\r", part[length - 1]) != NULL) part[--length] = 0;
    if (length > 0 || divider == ',') {
      text[*count] = part;
      MN_TRY(check_word(text, *count, words, list, error));
      (*count)++;
    }
    part = next;
  }
  return *count > 0 ? MN_OK : bad(error, list, "", "no word");
}

static mn_status read_own(const char ***text, int32_t *count, mn_arena *arena,
                          const mn_words *words, const char *list, mn_error *error) {
  const size_t length = strlen(list);
  const bool named =
      strchr(list, '/') != NULL || (length > 4 && strcmp(list + length - 4, ".txt") == 0);
  const bool file = named || mn_file_exists(list);
  mn_bytes bytes = {(const uint8_t *)list, length};
  if (file) MN_TRY(mn_file_read(&bytes, arena, list, 1 << 20, error));
  char *copy = mn_arena_alloc(arena, bytes.size + 1);
  size_t parts = 1;
  const char divider = file ? '\n' : ',';
  for (size_t i = 0; i < bytes.size; i++) parts += bytes.data[i] == (uint8_t)divider;
  const char **chosen = mn_arena_array(arena, parts, sizeof *chosen);
  if (copy == NULL || chosen == NULL) return MN_ERR_MEMORY;
  memcpy(copy, bytes.data, bytes.size);
  copy[bytes.size] = 0;
  *count = 0;
  *text = chosen;
  return cut(chosen, count, copy, divider, list, words, error);
}

/* ---- Chosen by sound ---------------------------------------------------------------------------*/

static bool is_among(const char *const *text, int32_t count, const char *wanted) {
  for (int32_t i = 0; i < count; i++) {
    if (strcasecmp(text[i], wanted) == 0) return true;
  }
  return false;
}

static mn_status choose_common(const char ***text, int32_t *count, mn_arena *arena,
                               const mn_words *words, int32_t wanted, const char *voice,
                               const mn_data_config *config, mn_error *error) {
  const char *const *common = NULL;
  int32_t commons = 0;
  if (!mn_words_of_language(&common, &commons, config->language)) {
    mn_monitor_message(config->monitor, MN_LEVEL_WARNING,
                       "the words of `unknown` are English ones read as \"%s\"; name words of the "
                       "language with --unknown-words",
                       config->language);
  }
  const int32_t most_misses = wanted / 4;
  int32_t misses = 0;
  const int32_t all = words->count + commons + most_misses;
  const char **asked = mn_arena_array(arena, (size_t)all, sizeof *asked);
  mn_phonemes *sounds = mn_arena_array(arena, (size_t)all, sizeof *sounds);
  candidate *list = mn_arena_array(arena, (size_t)all, sizeof *list);
  const char **chosen = mn_arena_array(arena, (size_t)wanted + 1, sizeof *chosen);
  if (asked == NULL || sounds == NULL || list == NULL || chosen == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < words->count; i++) asked[i] = words->word[i].text;
  for (int32_t i = 0; i < commons; i++) asked[words->count + i] = common[i];
  const int32_t first_miss = words->count + commons;
  MN_TRY(mn_phrase_misses(asked + first_miss, &misses, most_misses, arena, words, common, commons,
                          config->seed));
  MN_TRY(mn_phonemes_of(sounds, arena, asked, first_miss + misses, voice, error));
  int32_t found = 0, taken = 0;
  double distance = 0;
  /* A phrase bears its own words: only what sounds nearly the same is left out. */
  for (int32_t i = first_miss; i < first_miss + misses; i++) {
    if (bearable(&distance, &sounds[i], sounds, words->count, 0)) chosen[taken++] = asked[i];
  }
  for (int32_t i = words->count; i < first_miss; i++) {
    if (!bearable(&distance, &sounds[i], sounds, words->count, nearest_share)) continue;
    if (is_among(chosen, taken, asked[i])) continue;
    list[found] = (candidate){asked[i], distance, found};
    found++;
  }
  mn_rng rng = mn_rng_stream(config->seed, 0x756e6b6e6f776e, 0); /* "unknown" */
  *count = taken + choose(chosen + taken, list, found, wanted - taken, &rng);
  *text = chosen;
  return MN_OK;
}

mn_status mn_unknown_choose(const char ***text, int32_t *count, mn_arena *arena,
                            const mn_words *words, int32_t wanted, const char *voice,
                            const mn_data_config *config, mn_error *error) {
  if (config->unknown_words != NULL)
    return read_own(text, count, arena, words, config->unknown_words, error);
  return choose_common(text, count, arena, words, wanted, voice, config, error);
}
