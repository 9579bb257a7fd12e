/* unknown.c - which words stand for everything that was not chosen.
 *
 * Near misses teach the network to refuse; the nearest ones teach it to refuse the word itself:
 * "commuter" and "compute" cost "computer" a quarter of its recall. So a word needs a distance that
 * every chosen word can bear; of the rest the nearer half of the places goes to the nearest.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "data/speech/parts.h"

/* Nothing below 40 % of the sounds and one and a half of them: "go" for "no" differs by one. */
static const double nearest_share = 0.40, nearest_edits = 1.5;

typedef struct candidate {
  const char *text;
  double distance;
  int32_t place;
} candidate;

static bool bearable(double *distance, const mn_phonemes *word, const mn_phonemes *chosen,
                     int32_t count) {
  *distance = 1;
  for (int32_t i = 0; i < count; i++) {
    const double d = mn_phonemes_distance(word, &chosen[i]);
    const int32_t longer = word->count > chosen[i].count ? word->count : chosen[i].count;
    if (d < nearest_share || d * longer < nearest_edits) return false;
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

mn_status mn_unknown_choose(const char ***text, int32_t *count, mn_arena *arena,
                            const mn_words *words, int32_t wanted, const mn_data_config *config,
                            mn_error *error) {
  const int32_t all = words->count + mn_common_word_count;
  const char **asked = mn_arena_array(arena, (size_t)all, sizeof *asked);
  mn_phonemes *sounds = mn_arena_array(arena, (size_t)all, sizeof *sounds);
  candidate *list = mn_arena_array(arena, (size_t)all, sizeof *list);
  const char **chosen = mn_arena_array(arena, (size_t)wanted + 1, sizeof *chosen);
  if (asked == NULL || sounds == NULL || list == NULL || chosen == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < words->count; i++) asked[i] = words->word[i].text;
  for (int32_t i = 0; i < mn_common_word_count; i++) asked[words->count + i] = mn_common_words[i];
  MN_TRY(mn_phonemes_of(sounds, arena, asked, all, config->language, error));
  int32_t found = 0;
  for (int32_t i = words->count; i < all; i++) {
    double distance = 0;
    if (!bearable(&distance, &sounds[i], sounds, words->count)) continue;
    list[found] = (candidate){asked[i], distance, found};
    found++;
  }
  mn_rng rng = mn_rng_stream(config->seed, 0x756e6b6e6f776e, 0); /* "unknown" */
  *count = choose(chosen, list, found, wanted, &rng);
  *text = chosen;
  return MN_OK;
}
