/* phrases.c - near misses of phrases: what shares all words but one with "hey computer".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "data/speech/parts.h"

typedef struct misses {
  const char **text;
  int32_t count, most;
  mn_arena *arena;
  const mn_words *words;
} misses;

static bool is_taken(const misses *m, const char *text) {
  for (int32_t i = 0; i < m->words->count; i++) {
    if (strcmp(m->words->word[i].text, text) == 0) return true;
  }
  for (int32_t i = 0; i < m->count; i++) {
    if (strcmp(m->text[i], text) == 0) return true;
  }
  return false;
}

static mn_status add(misses *m, const char *text) {
  if (text == NULL) return MN_ERR_MEMORY;
  if (m->count < m->most && mn_text_refusal(text) == NULL && !is_taken(m, text))
    m->text[m->count++] = text;
  return MN_OK;
}

/* One word of a phrase [from, from + length): alone, and its place taken by another word. */
static mn_status add_word(misses *m, const char *phrase, size_t from, size_t length,
                          const char *other) {
  MN_TRY(add(m, mn_arena_text(m->arena, "%.*s", (int)length, phrase + from)));
  return add(m,
             mn_arena_text(m->arena, "%.*s%s%s", (int)from, phrase, other, phrase + from + length));
}

mn_status mn_phrase_misses(const char **text, int32_t *count, int32_t most, mn_arena *arena,
                           const mn_words *words, const char *const *common, int32_t commons,
                           uint64_t seed) {
  misses m = {.text = text, .most = most, .arena = arena, .words = words};
  for (int32_t i = 0; i < words->count; i++) {
    const char *phrase = words->word[i].text;
    mn_rng rng = mn_rng_stream(seed, mn_hash64(0, phrase, strlen(phrase)), 0);
    if (strchr(phrase, ' ') == NULL) continue;
    for (size_t at = 0; phrase[at] != 0;) {
      const size_t length = strcspn(phrase + at, " ");
      if (length > 0)
        MN_TRY(add_word(&m, phrase, at, length, common[mn_rng_below(&rng, (uint32_t)commons)]));
      at += length;
      at += strspn(phrase + at, " ");
    }
  }
  *count = m.count;
  return MN_OK;
}
