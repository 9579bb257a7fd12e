/* speech.c - from a list of words to labelled clips: which texts, which takes, who speaks them, and
 * what is kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/speech/speech.h"

#include <pthread.h>
#include <string.h>

#include "data/augment.h"
#include "data/speech/parts.h"

enum { UNKNOWN_WORDS = 160, UNKNOWN_MOST_TIMES = 20, SILENCES = 170 };
/* Takes of a word, and of one of `unknown`; without English, espeak-ng speaks flite's too. */
static const mn_take_plan word_plan = {
    .espeak = MN_ESPEAK_TAKES, .flite = MN_FLITE_TAKES, .festival = MN_FESTIVAL_TAKES};
static const mn_take_plan unknown_plan = {.espeak = 3, .flite = 2, .festival = 1};

/* All takes of one text. */
typedef struct group {
  const char *text;
  int32_t label;
  mn_take *take;
  int32_t takes;
  uint64_t key;
  bool cached;
} group;

typedef struct work {
  const mn_data_config *config;
  mn_arena *arena;
  mn_words words;
  group *group;
  int32_t groups, takes, unknown_label;
  const char *espeak_version, *engines; /* engines: all that speak here, with versions */
  mn_voices accents;
  mn_festival festival;
  mn_take **festival_take; /* [festival_takes]: what it has to speak, in batches */
  int32_t festival_takes;
  pthread_mutex_t lock; /* guards what follows */
  int64_t spoken;
  int32_t failed_item;
  mn_status status;
  mn_error error;
} work;

static mn_status add_group(work *w, const char *text, int32_t label, mn_take_plan plan) {
  const mn_data_config *c = w->config;
  plan.accents = &w->accents;
  plan.installed = &w->festival;
  plan.seed = c->seed;
  const bool english = mn_language_is_english(c->language), ascii = mn_text_is_ascii(text);
  if (english && !ascii)
    mn_monitor_message(c->monitor, MN_LEVEL_WARNING,
                       "\"%s\" has letters that only espeak-ng reads, and as English; name its "
                       "--language",
                       text);
  if (!english || !ascii) {
    plan.espeak += plan.flite;
    plan.flite = 0;
  }
  if (w->festival.voices == 0 || !ascii) plan.festival = 0;
  group g = {.text = text, .label = label, .takes = plan.espeak + plan.flite + plan.festival};
  g.take = mn_arena_array(w->arena, (size_t)g.takes, sizeof *g.take);
  const char *versions = mn_arena_text(w->arena, "flite %s espeak-ng %s%s%s", mn_flite_version(),
                                       w->espeak_version, plan.festival > 0 ? " festival " : "",
                                       plan.festival > 0 ? w->festival.version : "");
  if (g.take == NULL || versions == NULL) return MN_ERR_MEMORY;
  mn_takes_draw(g.take, text, &plan);
  g.key = mn_takes_key(g.take, g.takes, versions);
  w->takes += g.takes;
  w->group[w->groups++] = g;
  return MN_OK;
}

/* Few words are spoken more often: the class is as large with a short list as with a long one. */
static mn_status plan_unknown(work *w, mn_error *error) {
  const char **text = NULL;
  int32_t count = 0;
  MN_TRY(mn_unknown_choose(&text, &count, w->arena, &w->words, UNKNOWN_WORDS, w->accents.accent[0],
                           w->config, error));
  const int32_t times = count < UNKNOWN_WORDS ? UNKNOWN_WORDS / count : 1;
  mn_take_plan plan = unknown_plan;
  plan.espeak *= times < UNKNOWN_MOST_TIMES ? times : UNKNOWN_MOST_TIMES;
  plan.flite *= times < UNKNOWN_MOST_TIMES ? times : UNKNOWN_MOST_TIMES;
  plan.festival *= times < UNKNOWN_MOST_TIMES ? times : UNKNOWN_MOST_TIMES;
  group *more = mn_arena_array(w->arena, (size_t)(w->groups + count), sizeof *more);
  if (more == NULL) return MN_ERR_MEMORY;
  memcpy(more, w->group, (size_t)w->groups * sizeof *more);
  w->group = more;
  for (int32_t i = 0; i < count; i++) MN_TRY(add_group(w, text[i], w->unknown_label, plan));
  return MN_OK;
}

static mn_status plan(work *w, mn_error *error) {
  w->group = mn_arena_array(w->arena, (size_t)w->words.count, sizeof *w->group);
  if (w->group == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < w->words.count; i++) {
    const mn_word *word = &w->words.word[i];
    MN_TRY(add_group(w, word->text, word->class_index, word_plan));
  }
  return w->config->only_words ? MN_OK : plan_unknown(w, error);
}

/* ---- Speaking: item 0 is all of flite, which cannot be shared; then come espeak-ng's texts, one an
 * item, and festival's clips, a process for each batch ----------------------------------------------*/

/* Counts clips; false where the work shall end. */
static bool go_on(work *w, int32_t clips) {
  (void)pthread_mutex_lock(&w->lock);
  w->spoken += clips;
  const mn_progress progress = {.stage = "speech", .step = w->spoken, .total = w->takes};
  if (clips > 0) mn_monitor_progress(w->config->monitor, &progress);
  const bool on = w->status == MN_OK;
  (void)pthread_mutex_unlock(&w->lock);
  return on && !mn_monitor_stopped(w->config->monitor);
}

static void fail(work *w, int32_t item, mn_status status, const mn_error *error) {
  (void)pthread_mutex_lock(&w->lock);
  if (w->status == MN_OK || item < w->failed_item) {
    w->status = status;
    w->failed_item = item;
    w->error = *error;
  }
  (void)pthread_mutex_unlock(&w->lock);
}

static void speak_group(work *w, group *g, mn_engine engine, int32_t item) {
  int32_t unreported = 0;
  for (int32_t i = 0; i < g->takes; i++) {
    mn_take *take = &g->take[i];
    if (take->engine != engine) continue;
    mn_error error = {{0}};
    const mn_status status = engine == MN_ENGINE_FLITE
                                 ? mn_flite_say(take, &error)
                                 : mn_espeak_say(take, w->espeak_version, &error);
    if (status != MN_OK) fail(w, item, status, &error);
    take->said = status == MN_OK;
    if (++unreported == 10) {
      if (!go_on(w, unreported)) return;
      unreported = 0;
    }
  }
  (void)go_on(w, unreported);
}

static void speak_batch(work *w, int32_t batch, int32_t item) {
  const int32_t first = batch * MN_FESTIVAL_BATCH, left = w->festival_takes - first;
  const int32_t count = left < MN_FESTIVAL_BATCH ? left : MN_FESTIVAL_BATCH;
  mn_error error = {{0}};
  if (!go_on(w, 0)) return;
  const mn_status status = mn_festival_say(w->festival_take + first, count, &error);
  if (status != MN_OK) fail(w, item, status, &error);
  for (int32_t i = 0; i < count; i++) w->festival_take[first + i]->said = status == MN_OK;
  (void)go_on(w, count);
}

static void speak_item(void *context, int32_t item, int32_t thread) {
  (void)thread;
  work *w = context;
  if (item > w->groups) {
    speak_batch(w, item - w->groups - 1, item);
    return;
  }
  const int32_t first = item == 0 ? 0 : item - 1, stop = item == 0 ? w->groups : item;
  const mn_engine engine = item == 0 ? MN_ENGINE_FLITE : MN_ENGINE_ESPEAK;
  for (int32_t g = first; g < stop && go_on(w, 0); g++) {
    if (!w->group[g].cached) speak_group(w, &w->group[g], engine, item);
  }
}

static mn_status list_festival(work *w) {
  w->festival_take = mn_arena_array(w->arena, (size_t)w->takes, sizeof(mn_take *));
  if (w->festival_take == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < w->groups; i++) {
    group *g = &w->group[i];
    for (int32_t t = 0; !g->cached && t < g->takes; t++) {
      if (g->take[t].engine == MN_ENGINE_FESTIVAL)
        w->festival_take[w->festival_takes++] = &g->take[t];
    }
  }
  return MN_OK;
}

static void load_cached(work *w) {
  const char *folder = w->config->cache_folder;
  for (int32_t i = 0; folder != NULL && i < w->groups; i++) {
    group *g = &w->group[i];
    g->cached = mn_cache_load(g->take, g->takes, folder, g->key);
    if (g->cached) w->spoken += g->takes;
  }
}

static bool is_said(const group *g) {
  for (int32_t i = 0; i < g->takes; i++)
    if (!g->take[i].said) return false;
  return true;
}

/* Texts that were spoken whole. A cache that cannot be written costs time, not the result. */
static void save_new(work *w) {
  const char *folder = w->config->cache_folder;
  for (int32_t i = 0; folder != NULL && i < w->groups; i++) {
    const group *g = &w->group[i];
    mn_error error = {{0}};
    if (g->cached || !is_said(g) ||
        mn_cache_save(g->take, g->takes, folder, g->key, &error) == MN_OK)
      continue;
    mn_monitor_message(w->config->monitor, MN_LEVEL_WARNING, "spoken words are not kept: %s",
                       error.text);
    return;
  }
}

static mn_status speak(work *w, mn_error *error) {
  load_cached(w);
  MN_TRY(list_festival(w));
  const int32_t batches = (w->festival_takes + MN_FESTIVAL_BATCH - 1) / MN_FESTIVAL_BATCH;
  const int32_t items = w->spoken < w->takes ? 1 + w->groups + batches : 0;
  if (w->config->pool != NULL) {
    mn_pool_run(w->config->pool, speak_item, w, items);
  } else {
    for (int32_t item = 0; item < items; item++) speak_item(w, item, 0);
  }
  /* Ctrl-C ends the programs at work too: what they then fail with is no failure. */
  const bool stopped = mn_monitor_stopped(w->config->monitor);
  if (w->status != MN_OK && !stopped) {
    if (error != NULL) *error = w->error;
    return w->status;
  }
  save_new(w);
  if (stopped) {
    return mn_error_set(error, MN_ERR_INTERRUPTED,
                        "interrupted while words were spoken; texts that were done are kept in the "
                        "cache, where there is one");
  }
  return MN_OK;
}

/* ---- What is kept -------------------------------------------------------------------------------*/

static const char *label_of(const work *w, int32_t label) {
  if (label < w->words.labels) return w->words.label[label];
  return label == w->unknown_label ? MN_SPEECH_UNKNOWN : MN_SPEECH_SILENCE;
}

static mn_status keep_take(work *w, mn_spoken *clip, const group *g, const mn_take *take) {
  const char *label = label_of(w, g->label);
  const char *how = take->engine != MN_ENGINE_ESPEAK
                        ? ""
                        : mn_arena_text(w->arena, " t%.2f s%d p%d r%d", take->tract, take->rate,
                                        take->pitch, take->range);
  if (how == NULL) return MN_ERR_MEMORY;
  *clip = (mn_spoken){
      .name = mn_arena_text(w->arena, "%s/%s by %s %s%s", label, g->text,
                            mn_engine_text(take->engine), take->voice, how),
      .voice = mn_arena_text(w->arena, "%s", take->voice),
      .label = g->label,
      .split = take->split,
      .samples = take->samples,
      .pcm = mn_arena_copy(w->arena, take->pcm, (size_t)take->samples * sizeof *take->pcm)};
  return clip->name == NULL || clip->voice == NULL || clip->pcm == NULL ? MN_ERR_MEMORY : MN_OK;
}

static mn_status keep_words(work *w, mn_spoken *clips, int32_t *count, mn_error *error) {
  for (int32_t label = 0; label <= w->unknown_label; label++) { /* grouped by class, not by text */
    const int32_t before = *count;
    for (int32_t i = 0; i < w->groups; i++) {
      const group *g = &w->group[i];
      for (int32_t t = 0; g->label == label && t < g->takes; t++) {
        if (g->take[t].pcm != NULL) MN_TRY(keep_take(w, &clips[(*count)++], g, &g->take[t]));
      }
    }
    if (*count == before && label < w->words.labels) {
      return mn_error_set(error, MN_ERR_FAILED,
                          "--words: nothing was heard of \"%s\"; expected speech of 0.1 s; choose "
                          "another text (LABEL=TEXT)",
                          w->words.label[label]);
    }
  }
  return MN_OK;
}

static mn_status keep_silence(work *w, mn_spoken *clips, int32_t *count) {
  const mn_augment_config noise = {.rate_hz = MN_SPEECH_RATE_HZ,
                                   .eq_probability = 0.5,
                                   .eq_db = 8,
                                   .edge_probability = 0.3,
                                   .narrow_probability = 0.3};
  mn_augment *augment = NULL;
  MN_TRY(mn_augment_create(&augment, &noise, MN_SPEECH_RATE_HZ));
  mn_status status = MN_OK;
  for (int32_t i = 0; i < SILENCES && status == MN_OK; i++) {
    int16_t *pcm = mn_arena_array(w->arena, MN_SPEECH_RATE_HZ, sizeof *pcm);
    const char *name = mn_arena_text(w->arena, "silence/noise %d", i);
    if (pcm == NULL || name == NULL) status = MN_ERR_MEMORY;
    if (status != MN_OK) break;
    mn_rng rng = mn_rng_stream(w->config->seed, 0x73696c656e6365, (uint64_t)i); /* "silence" */
    mn_augment_silence(augment, pcm, NULL, 0, &rng);
    const int32_t turn = i % 20;
    clips[(*count)++] = (mn_spoken){.name = name,
                                    .voice = name + strlen("silence/"),
                                    .label = w->unknown_label + 1,
                                    .split = turn < 14   ? MN_SPLIT_TRAIN
                                             : turn < 17 ? MN_SPLIT_VAL
                                                         : MN_SPLIT_TEST,
                                    .samples = MN_SPEECH_RATE_HZ,
                                    .pcm = pcm};
  }
  mn_augment_destroy(augment);
  return status;
}

static uint64_t identity(const work *w) {
  uint64_t hash = mn_hash64(2, &w->config->seed, sizeof w->config->seed);
  for (int32_t i = 0; i < w->groups; i++) {
    const char *label = label_of(w, w->group[i].label);
    hash = mn_hash64(hash, label, strlen(label));
    hash = mn_hash64(hash, &w->group[i].key, sizeof w->group[i].key);
  }
  return hash;
}

static mn_status collect(const mn_speech **speech, work *w, mn_error *error) {
  const int32_t classes = w->words.labels + (w->config->only_words ? 0 : 2);
  const char **names = mn_arena_array(w->arena, (size_t)classes, sizeof *names);
  mn_spoken *clips = mn_arena_array(w->arena, (size_t)(w->takes + SILENCES), sizeof *clips);
  mn_speech *out = mn_arena_alloc(w->arena, sizeof *out);
  if (names == NULL || clips == NULL || out == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < classes; i++) names[i] = label_of(w, i);
  int32_t count = 0;
  MN_TRY(keep_words(w, clips, &count, error));
  const int32_t spoken = count;
  if (!w->config->only_words) MN_TRY(keep_silence(w, clips, &count));
  *out = (mn_speech){.classes = classes,
                     .class_name = names,
                     .clips = count,
                     .clip = clips,
                     .engines = w->engines,
                     .trained_on = mn_arena_text(w->arena,
                                                 "synthetic speech only: %d clips of %d words by "
                                                 "%s; no recording of a person",
                                                 spoken, w->groups, w->engines),
                     .hash = identity(w)};
  if (out->trained_on == NULL) return MN_ERR_MEMORY;
  *speech = out;
  return MN_OK;
}

/* Who is there to speak. Festival is one more where it is installed; its absence is only noted. */
static mn_status find_engines(work *w, mn_error *error) {
  MN_TRY(mn_espeak_version(&w->espeak_version, w->arena, error));
  MN_TRY(mn_voices_find(&w->accents, w->arena, w->config->language, error));
  const char *festival = "";
  if (!mn_language_is_english(w->config->language)) {
    w->engines = mn_arena_text(w->arena, "espeak-ng %s", w->espeak_version);
    return w->engines == NULL ? MN_ERR_MEMORY : MN_OK;
  }
  mn_error why = {{0}};
  const mn_status status = mn_festival_find(&w->festival, w->arena, &why);
  if (status == MN_ERR_MEMORY) return status;
  if (status == MN_OK) {
    festival = mn_arena_text(w->arena, ", festival %s", w->festival.version);
    if (festival == NULL) return MN_ERR_MEMORY;
  } else {
    mn_monitor_message(w->config->monitor, MN_LEVEL_NOTE, "words are spoken without %s", why.text);
  }
  w->engines = mn_arena_text(w->arena, "flite %s, espeak-ng %s%s", mn_flite_version(),
                             w->espeak_version, festival);
  return w->engines == NULL ? MN_ERR_MEMORY : MN_OK;
}

mn_status mn_speech_make(const mn_speech **speech, mn_arena *arena, const mn_data_config *config,
                         mn_error *error) {
  work w = {.config = config, .arena = arena, .lock = PTHREAD_MUTEX_INITIALIZER};
  mn_status status = mn_words_parse(&w.words, arena, config->words, config->only_words, error);
  w.unknown_label = w.words.labels;
  if (status == MN_OK) status = find_engines(&w, error);
  if (status == MN_OK) status = plan(&w, error);
  if (status == MN_OK) status = speak(&w, error);
  if (status == MN_OK) status = collect(speech, &w, error);
  for (int32_t i = 0; i < w.groups; i++) {
    for (int32_t t = 0; t < w.group[i].takes; t++) mn_free(w.group[i].take[t].pcm);
  }
  if (status == MN_ERR_MEMORY)
    return mn_error_set(error, status, "out of memory while words were spoken");
  return status;
}
