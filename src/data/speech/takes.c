/* takes.c - the voices and how their settings are drawn. A voice belongs to one split for ever: which
 * one is decided by a hash of its name, so that another word or seed cannot move it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "data/speech/parts.h"

/* espeak-ng's variants without the whispering, croaking and robotic ones. */
static const char *const variants[] = {
    "Alex",    "Alicia",   "Andrea",   "Andy",    "Annie", "AnxiousAndy", "Denis",   "Diogo",
    "Gene",    "Gene2",    "Henrique", "Hugo",    "Jacky", "Lee",         "Marco",   "Mario",
    "Michael", "Mike",     "Nguyen",   "Storm",   "adam",  "anika",       "antonio", "aunty",
    "belinda", "benjamin", "boris",    "caleb",   "david", "ed",          "edward",  "edward2",
    "f1",      "f2",       "f3",       "f4",      "f5",    "grandma",     "grandpa", "gustave",
    "iven",    "iven2",    "iven3",    "iven4",   "john",  "kaukovalta",  "linda",   "m1",
    "m2",      "m3",       "m4",       "m5",      "m6",    "m7",          "m8",      "marcelo",
    "max",     "michel",   "miguel",   "norbert", "pablo", "paul",        "pedro",   "quincy",
    "rob",     "robert",   "sandro",   "shelby",  "steph", "steph2",      "steph3",  "travis",
    "victor",  "zac",      "klatt",    "klatt2",  "klatt3"};

static const char *const flite_voices[] = {"kal16", "awb", "rms", "slt"};
static const double stretches[] = {0.55, 0.65, 0.75, 0.85, 1, 1.15, 1.35};
static const double tracts[] = {0.85, 0.92, 1, 1.08, 1.17};
static const double pitch_means[] = {0.8, 0.9, 1, 1.1, 1.2, 1.35};
static const double pitch_spreads[] = {0.5, 1, 1.6, 2.4};

const char *mn_engine_text(mn_engine engine) {
  static const char *const texts[] = {"flite", "espeak-ng", "festival"};
  return texts[engine];
}

/* Of twenty voices fourteen train, three validate, three test. */
static mn_split split_of(const char *voice) {
  const uint64_t slot = mn_hash64(1, voice, strlen(voice)) % 20;
  return slot < 14 ? MN_SPLIT_TRAIN : slot < 17 ? MN_SPLIT_VAL : MN_SPLIT_TEST;
}

static mn_split wanted_split(int32_t index) {
  static const mn_split turn[] = {MN_SPLIT_TRAIN, MN_SPLIT_VAL,   MN_SPLIT_TRAIN, MN_SPLIT_TEST,
                                  MN_SPLIT_TRAIN, MN_SPLIT_TRAIN, MN_SPLIT_TRAIN, MN_SPLIT_TRAIN,
                                  MN_SPLIT_TRAIN, MN_SPLIT_TRAIN};
  static const mn_split other[] = {MN_SPLIT_VAL, MN_SPLIT_TRAIN, MN_SPLIT_TEST, MN_SPLIT_TRAIN};
  const int32_t slot = index % 20;
  return slot < 10 ? turn[slot] : slot < 14 ? other[slot - 10] : MN_SPLIT_TRAIN;
}

#define PICK(array, rng) ((array)[mn_rng_below((rng), (uint32_t)MN_COUNT(array))])

static void draw_espeak(mn_take *take, const mn_voices *voices, mn_rng *rng) {
  take->accent = voices->count > 1 ? voices->accent[mn_rng_below(rng, (uint32_t)voices->count)]
                                   : voices->accent[0];
  take->tone = PICK(variants, rng);
  take->rate = 110 + (int32_t)mn_rng_below(rng, 320 - 110 + 1);
  take->pitch = 15 + (int32_t)mn_rng_below(rng, 85 - 15 + 1);
  take->range = 5 + (int32_t)mn_rng_below(rng, 95 - 5 + 1);
  take->tract = PICK(tracts, rng);
  (void)snprintf(take->voice, sizeof take->voice, "%s+%s", take->accent, take->tone);
}

static void draw_melody(mn_take *take, mn_rng *rng) {
  take->stretch = PICK(stretches, rng);
  take->pitch_mean = PICK(pitch_means, rng);
  take->pitch_spread = PICK(pitch_spreads, rng);
  take->tract = PICK(tracts, rng);
  (void)snprintf(take->voice, sizeof take->voice, "%s t%.2f d%.2f p%.2f s%.1f", take->tone,
                 take->tract, take->stretch, take->pitch_mean, take->pitch_spread);
}

static void draw_flite(mn_take *take, mn_rng *rng) {
  take->tone = PICK(flite_voices, rng);
  draw_melody(take, rng);
}

static void draw_festival(mn_take *take, const mn_festival *festival, mn_rng *rng) {
  const mn_festival_voice *voice = &festival->voice[mn_rng_below(rng, (uint32_t)festival->voices)];
  take->tone = voice->name;
  take->deaf = voice->deaf;
  draw_melody(take, rng);
}

static void draw(mn_take *take, const mn_take_plan *plan, mn_rng *rng) {
  if (take->engine == MN_ENGINE_FLITE) {
    draw_flite(take, rng);
  } else if (take->engine == MN_ENGINE_ESPEAK) {
    draw_espeak(take, plan->accents, rng);
  } else {
    draw_festival(take, plan->installed, rng);
  }
}

void mn_takes_draw(mn_take *takes, const char *text, const mn_take_plan *plan) {
  const uint64_t word = mn_hash64(plan->seed, text, strlen(text));
  /* Where a text has few takes, its first split must not be everybody's. */
  const int32_t offset = (int32_t)(word % 20);
  const int32_t count[] = {[MN_ENGINE_FLITE] = plan->flite,
                           [MN_ENGINE_ESPEAK] = plan->espeak,
                           [MN_ENGINE_FESTIVAL] = plan->festival};
  int32_t at = 0;
  for (mn_engine engine = 0; engine < MN_COUNT(count); engine++) {
    for (int32_t i = 0; i < count[engine]; i++, at++) {
      mn_rng rng = mn_rng_stream(plan->seed, word, (uint64_t)at);
      mn_take take = {.engine = engine, .text = text};
      const mn_split wanted = wanted_split(offset + i);
      do {
        draw(&take, plan, &rng);
        take.split = split_of(take.voice);
      } while (take.split != wanted);
      takes[at] = take;
    }
  }
}
