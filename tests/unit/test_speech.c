/* test_speech.c - words, takes, both engines, the cache and the whole of mn_speech_make.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/speech/parts.h"
#include "arena_support.h"

static void words_should_be_read_with_labels_of_their_own(void **state) {
  (void)state;
  mn_words words;
  const char *list = "0=zero, on=turn on,stop,on=switch on";
  assert_ok(mn_words_parse(&words, arena, list, false, &error), &error);
  assert_int_equal(words.count, 4);
  assert_int_equal(words.labels, 3);
  assert_string_equal(words.word[0].label, "0");
  assert_string_equal(words.word[0].text, "zero");
  assert_string_equal(words.word[2].text, "stop");
  assert_string_equal(words.word[3].text, "switch on");
  assert_int_equal(words.word[3].class_index, words.word[1].class_index);
}

static void lists_that_make_no_words_should_be_refused_in_one_line(void **state) {
  (void)state;
  static const struct {
    const char *list, *says;
    bool only_words;
  } cases[] = {{"", "an empty word", false},
               {"yes,,no", "an empty word", false},
               {"a=", "an empty word", false},
               {"=b", "an empty word", false},
               {"yes,yes", "given twice", false},
               {"<b>yes", "not spoken", false},
               {"a/b=yes", "a slash", false},
               {"...", "not spoken", false},
               {"unknown", "a class of its own", false},
               {"yes", "one class", true}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_words words;
    error = (mn_error){{0}};
    const mn_status status =
        mn_words_parse(&words, arena, cases[i].list, cases[i].only_words, &error);
    assert_int_equal(status, MN_ERR_USAGE);
    if (strstr(error.text, cases[i].says) == NULL)
      fail_msg("\"%s\": %s", cases[i].list, error.text);
  }
}

static const mn_festival_voice kal_and_slt[] = {{"kal_diphone", false}, {"cmu_us_slt_hts", true}};
static const mn_festival two_voices = {"2.5.0", kal_and_slt, 2};
static const char *const two_accents[] = {"en-us", "en-gb"};
static const mn_voices english = {two_accents, 2};

static void a_voice_should_never_be_in_two_splits(void **state) {
  (void)state;
  static const char *const texts[] = {"yes", "no", "computer", "turn on the light", "seven"};
  enum { EACH = MN_ESPEAK_TAKES + MN_FLITE_TAKES + MN_FESTIVAL_TAKES, ALL = 5 * EACH };
  static mn_take takes[ALL];
  for (size_t i = 0; i < MN_COUNT(texts); i++) {
    const mn_take_plan plan = {.espeak = MN_ESPEAK_TAKES,
                               .flite = MN_FLITE_TAKES,
                               .festival = MN_FESTIVAL_TAKES,
                               .accents = &english,
                               .installed = &two_voices,
                               .seed = 1 + i};
    mn_takes_draw(takes + i * EACH, texts[i], &plan);
  }
  int32_t counts[MN_SPLIT_COUNT] = {0}, engines[3] = {0};
  for (int32_t i = 0; i < ALL; i++) {
    counts[takes[i].split]++;
    engines[takes[i].engine]++;
    for (int32_t k = 0; k < i; k++) {
      if (strcmp(takes[i].voice, takes[k].voice) == 0)
        assert_int_equal(takes[i].split, takes[k].split);
    }
    if (takes[i].engine == MN_ENGINE_ESPEAK) {
      assert_in_range(takes[i].rate, 110, 320);
      assert_in_range(takes[i].pitch, 15, 85);
      assert_in_range(takes[i].range, 5, 95);
    }
  }
  assert_int_equal(engines[MN_ENGINE_FLITE], 5 * MN_FLITE_TAKES);
  assert_int_equal(engines[MN_ENGINE_FESTIVAL], 5 * MN_FESTIVAL_TAKES);
  assert_in_range(counts[MN_SPLIT_TRAIN], ALL * 75 / 100, ALL * 85 / 100);
  assert_in_range(counts[MN_SPLIT_VAL], ALL * 8 / 100, ALL * 13 / 100);
  assert_in_range(counts[MN_SPLIT_TEST], ALL * 8 / 100, ALL * 13 / 100);
}

static void takes_of_an_engine_should_not_depend_on_festival(void **state) {
  (void)state;
  mn_take without[5], with[8];
  const mn_take_plan plan = {.espeak = 3, .flite = 2, .accents = &english, .seed = 7};
  mn_take_plan more = plan;
  more.festival = 3;
  more.installed = &two_voices;
  mn_takes_draw(without, "seven", &plan);
  mn_takes_draw(with, "seven", &more);
  assert_true(mn_takes_key(without, 5, "") == mn_takes_key(with, 5, ""));
  for (int32_t i = 5; i < 8; i++) assert_int_equal(with[i].engine, MN_ENGINE_FESTIVAL);
}

static void trimming_should_leave_the_sound_and_a_margin(void **state) {
  (void)state;
  static int16_t pcm[16000];
  memset(pcm, 0, sizeof pcm);
  for (int32_t i = 4000; i < 9000; i++) pcm[i] = (int16_t)(8000 * sin(i * 0.2));
  const int32_t left = mn_speech_trim(pcm, 16000);
  assert_in_range(left, 5000 + 2 * 320 - 160, 5000 + 2 * 320 + 320);
  assert_int_equal(pcm[0], 0);
  assert_int_not_equal(pcm[480], 0);
  memset(pcm, 0, sizeof pcm);
  assert_int_equal(mn_speech_trim(pcm, 16000), 0);
  for (int32_t i = 4000; i < 5000; i++) pcm[i] = 8000; /* 63 ms: a click, no word */
  assert_int_equal(mn_speech_trim(pcm, 16000), 0);
  assert_int_equal(mn_speech_trim(pcm, 7), 0);
}

/* 0.3 s of sound, a pause, 0.3 s of sound. */
static int32_t two_words(int16_t *pcm, int32_t pause) {
  for (int32_t i = 0; i < 9600 + pause; i++) {
    const bool quiet = i >= 4800 && i < 4800 + pause;
    pcm[i] = quiet ? 0 : (int16_t)(8000 * sin(i * 0.2));
  }
  return 9600 + pause;
}

static void pauses_between_words_should_be_shortened_and_those_inside_a_consonant_left(
    void **state) {
  (void)state;
  static int16_t pcm[32000];
  assert_int_equal(mn_speech_trim(pcm, two_words(pcm, 2240)), 9600 + 2240); /* 0.14 s */
  const int32_t left = mn_speech_trim(pcm, two_words(pcm, 16000));
  assert_in_range(left, 9600 + 2400 - 160, 9600 + 2400 + 160); /* 0.15 s of a second */
  assert_int_not_equal(pcm[left - 80], 0);
}

static void flite_should_follow_length_and_pitch(void **state) {
  (void)state;
  static const char *const voices[] = {"kal16", "awb", "rms", "slt"};
  for (size_t i = 0; i < MN_COUNT(voices); i++) {
    error = (mn_error){{0}};
    mn_take plain = {.text = "marmalade",
                     .tone = voices[i],
                     .stretch = 1,
                     .tract = 1,
                     .pitch_mean = 1,
                     .pitch_spread = 1};
    mn_take slow = plain, high = plain, again = plain;
    slow.stretch = 1.5;
    high.pitch_mean = 1.3;
    assert_ok(mn_flite_say(&plain, &error), &error);
    assert_ok(mn_flite_say(&slow, &error), &error);
    assert_ok(mn_flite_say(&high, &error), &error);
    assert_ok(mn_flite_say(&again, &error), &error);
    assert_true(slow.samples > plain.samples * 13 / 10);
    assert_int_equal(again.samples, plain.samples); /* what came between leaves nothing behind */
    assert_memory_equal(again.pcm, plain.pcm, (size_t)plain.samples * sizeof *plain.pcm);
    const int32_t both = high.samples < plain.samples ? high.samples : plain.samples;
    assert_memory_not_equal(high.pcm, plain.pcm, (size_t)both * sizeof *plain.pcm);
    mn_free(plain.pcm);
    mn_free(slow.pcm);
    mn_free(high.pcm);
    mn_free(again.pcm);
  }
}

static void espeak_should_follow_its_settings(void **state) {
  (void)state;
  mn_take slow = {.engine = MN_ENGINE_ESPEAK,
                  .text = "marmalade",
                  .accent = "en-us",
                  .tone = "f2",
                  .rate = 100,
                  .pitch = 50,
                  .range = 50,
                  .tract = 1};
  mn_take fast = slow, flat = slow;
  fast.rate = 220;
  flat.range = 5;
  const char *version = NULL;
  assert_ok(mn_espeak_version(&version, arena, &error), &error);
  assert_ok(mn_espeak_say(&slow, version, &error), &error);
  assert_ok(mn_espeak_say(&fast, version, &error), &error);
  assert_ok(mn_espeak_say(&flat, version, &error), &error);
  assert_true(slow.samples > fast.samples * 13 / 10);
  assert_in_range(slow.samples, 6000, 24000);
  assert_memory_not_equal(flat.pcm, slow.pcm, 6000 * sizeof *slow.pcm);
  mn_free(slow.pcm);
  mn_free(fast.pcm);
  mn_free(flat.pcm);
}

/* A program of that name that does as `script` says, first in the path; gives the old path. */
static const char *pretend(const char *program, const char *script) {
  const char *folder = test_folder(), *old = getenv("PATH");
  const char *file = mn_arena_text(arena, "%s/%s", folder, program);
  assert_ok(mn_file_write(file, script, strlen(script), &error), &error);
  assert_int_equal(chmod(file, 0755), 0);
  char *kept = mn_arena_copy(arena, old, strlen(old) + 1);
  assert_int_equal(setenv("PATH", mn_arena_text(arena, "%s:%s", folder, old), 1), 0);
  return kept;
}

/* Versions that would otherwise speak with another noise each time; older ones do not know the option. */
static void newer_espeaks_should_be_told_to_repeat(void **state) {
  (void)state;
  static const struct {
    const char *version;
    bool told;
  } cases[] = {{"1.51", false}, {"1.50", false}, {"1.52.0", true}, {"1.53", true}, {"2.0", true}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    const char *said = mn_arena_text(arena, "%s/flags", test_folder());
    mn_take take = {.engine = MN_ENGINE_ESPEAK, .text = "up", .accent = "en-us", .tone = "f2"};
    take.rate = 150, take.tract = 1;
    error = (mn_error){{0}};
    const char *path =
        pretend("espeak-ng", mn_arena_text(arena, "#!/bin/sh\necho \"$1\" >%s\nexit 3\n", said));
    const mn_status status = mn_espeak_say(&take, cases[i].version, &error);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_not_equal(status, MN_OK);
    mn_bytes flags = {0};
    assert_ok(mn_file_read(&flags, arena, said, 64, &error), &error);
    assert_int_equal(memchr(flags.data, 'D', flags.size) != NULL, cases[i].told);
  }
}

static void festival_should_be_asked_for_its_voices(void **state) {
  (void)state;
  static const struct {
    const char *script, *version, *says;
    int32_t voices;
  } cases[] = {{"#!/bin/sh\nprintf 'version 2.4:release\\nvoice slt HTS\\nvoice ked UniSyn\\n'\n",
                "2.4 (ked slt)", NULL, 2},
               {"#!/bin/sh\nprintf 'version 2.4'\n", NULL, "no voice of English", 0},
               {"#!/bin/sh\nexit 3\n", NULL, "ended with exit code 3", 0},
               {"#!/bin/sh\nprintf '\\n\\n voice \\n'", NULL, "no voice", 0}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_festival festival = {0};
    error = (mn_error){{0}};
    const char *path = pretend("festival", cases[i].script);
    const mn_status status = mn_festival_find(&festival, arena, &error);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(status, cases[i].says == NULL ? MN_OK : MN_ERR_FAILED);
    assert_int_equal(festival.voices, cases[i].voices);
    if (cases[i].says != NULL) assert_non_null(strstr(error.text, cases[i].says));
    if (cases[i].version == NULL) continue;
    assert_string_equal(festival.version, cases[i].version);
    assert_false(festival.voice[0].deaf);
    assert_true(festival.voice[1].deaf);
  }
}

static void festival_that_says_less_than_asked_should_be_refused(void **state) {
  (void)state;
  static const char *const scripts[] = {"#!/bin/sh\nprintf 'T\\nT\\nRIFF'\n",
                                        "#!/bin/sh\nprintf 'T\\n'\n", "#!/bin/sh\nkill -11 $$\n"};
  for (size_t i = 0; i < MN_COUNT(scripts); i++) {
    mn_take take[2] = {{.text = "yes", .tone = "ked", .stretch = 1, .tract = 1, .pitch_mean = 1}};
    take[1] = take[0];
    mn_take *const takes[] = {&take[0], &take[1]};
    error = (mn_error){{0}};
    const char *path = pretend("festival", scripts[i]);
    const mn_status status = mn_festival_say(takes, 2, &error);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_not_equal(status, MN_OK);
    assert_non_null(strstr(error.text, "yes"));
    assert_null(take[1].pcm);
  }
}

static bool same_clip(const mn_take *a, const mn_take *b) {
  return a->samples == b->samples &&
         memcmp(a->pcm, b->pcm, (size_t)a->samples * sizeof *a->pcm) == 0;
}

/* Every voice follows length and pitch, and what is spoken before a clip leaves nothing behind. */
static void festival_should_follow_its_settings(void **state) {
  (void)state;
  mn_festival festival = {0};
  if (mn_festival_find(&festival, arena, &error) != MN_OK) {
    print_message("%s\n", error.text);
    skip();
  }
  for (int32_t i = 0; i < festival.voices; i++) {
    enum { PLAIN, SLOW, HIGH, AGAIN, COUNT };
    mn_take take[COUNT];
    mn_take *takes[COUNT];
    for (int32_t k = 0; k < COUNT; k++) {
      take[k] = (mn_take){.engine = MN_ENGINE_FESTIVAL,
                          .text = "marmalade",
                          .tone = festival.voice[i].name,
                          .deaf = festival.voice[i].deaf,
                          .stretch = k == SLOW ? 1.5 : 1,
                          .tract = 1,
                          .pitch_mean = k == HIGH ? 1.3 : 1,
                          .pitch_spread = 1};
      takes[k] = &take[k];
    }
    assert_ok(mn_festival_say(takes, COUNT, &error), &error);
    assert_true(take[SLOW].samples > take[PLAIN].samples * 13 / 10);
    assert_in_range(take[HIGH].samples, take[PLAIN].samples * 8 / 10,
                    take[PLAIN].samples * 12 / 10);
    assert_true(same_clip(&take[PLAIN], &take[AGAIN]));
    assert_false(same_clip(&take[PLAIN], &take[HIGH]));
    for (int32_t k = 0; k < COUNT; k++) mn_free(take[k].pcm);
  }
}

static void a_missing_espeak_should_be_named(void **state) {
  (void)state;
  const char *path = getenv("PATH");
  char *kept = mn_arena_copy(arena, path, strlen(path) + 1);
  assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
  const mn_data_config config = {.words = "yes,no"};
  const mn_speech *speech = NULL;
  const mn_status status = mn_speech_make(&speech, arena, &config, &error);
  assert_int_equal(setenv("PATH", kept, 1), 0);
  assert_int_equal(status, MN_ERR_FAILED);
  assert_non_null(strstr(error.text, "espeak-ng: not found"));
  assert_non_null(strstr(error.text, "install"));
}

static void a_program_that_has_hung_should_be_ended(void **state) {
  const char *const hung[] = {"sleep", "600", NULL}, *const works[] = {"echo", "said", NULL};
  mn_buffer output = {0};
  mn_error error = {{0}};
  (void)state;
  assert_int_equal(mn_program_output(&output, hung, 1, &error), MN_ERR_FAILED);
  assert_non_null(strstr(error.text, "sleep: said nothing for 1 seconds"));
  assert_int_equal(output.size, 0);
  assert_int_equal(mn_program_output(&output, works, 60, &error), MN_OK);
  assert_int_equal(output.size, 5);
  assert_memory_equal(output.data, "said\n", 5);
  mn_buffer_free(&output);
}

static void broken_waves_should_be_refused(void **state) {
  (void)state;
  static const uint8_t junk[64] = {'R', 'I', 'F', 'F', 60};
  for (size_t size = 0; size <= sizeof junk; size += 16) {
    int16_t *pcm = NULL;
    int32_t samples = 0;
    assert_int_equal(mn_wave_decode(&pcm, &samples, (mn_bytes){junk, size}, 1, NULL),
                     MN_ERR_FORMAT);
    assert_null(pcm);
  }
}

static void cached_takes_should_come_back_and_broken_files_count_as_absent(void **state) {
  (void)state;
  const char *folder = test_folder();
  mn_take takes[3], back[3];
  const mn_take_plan plan = {.espeak = 2, .flite = 1, .accents = &english, .seed = 1};
  mn_takes_draw(takes, "yes", &plan);
  int16_t pcm[] = {1, -2, 32767, -32768};
  takes[0].pcm = pcm;
  takes[0].samples = 4;
  takes[2].pcm = pcm + 1;
  takes[2].samples = 3;
  const uint64_t key = mn_takes_key(takes, 3, "flite 1");
  assert_true(key != mn_takes_key(takes, 3, "flite 2") && key != mn_takes_key(takes, 2, "flite 1"));
  assert_ok(mn_cache_save(takes, 3, folder, key, &error), &error);
  mn_takes_draw(back, "yes", &plan);
  assert_true(mn_cache_load(back, 3, folder, key));
  assert_int_equal(back[0].samples, 4);
  assert_memory_equal(back[0].pcm, pcm, sizeof pcm);
  assert_null(back[1].pcm);
  assert_memory_equal(back[2].pcm, pcm + 1, 3 * sizeof *pcm);
  mn_free(back[0].pcm);
  mn_free(back[2].pcm);
  /* every byte matters: one turned, or the end cut off */
  const char *path = mn_arena_text(arena, "%s/speech-%016llx.bin", folder, (unsigned long long)key);
  const mn_bytes file = test_read(arena, path);
  uint8_t *copy = mn_arena_copy(arena, file.data, file.size);
  for (size_t i = 0; i < file.size; i++) {
    copy[i] ^= 0x40;
    assert_ok(mn_file_write(path, copy, file.size, &error), &error);
    mn_takes_draw(back, "yes", &plan);
    assert_false(mn_cache_load(back, 3, folder, key));
    assert_ok(mn_file_write(path, file.data, i, &error), &error);
    assert_false(mn_cache_load(back, 3, folder, key));
    assert_null(back[0].pcm);
    copy[i] ^= 0x40;
  }
}

static uint64_t hash_of(const mn_speech *speech) {
  uint64_t hash = 1;
  for (int32_t i = 0; i < speech->clips; i++) {
    const mn_spoken *clip = &speech->clip[i];
    hash = mn_hash64(hash, clip->name, strlen(clip->name));
    hash = mn_hash64(hash, clip->pcm, (size_t)clip->samples * sizeof *clip->pcm);
  }
  return hash;
}

static const mn_speech *made(int32_t threads, const char *cache, const char *words,
                             bool only_words) {
  mn_pool *pool = NULL;
  assert_int_equal(mn_pool_create(&pool, threads), MN_OK);
  const mn_data_config config = {
      .words = words, .only_words = only_words, .seed = 3, .pool = pool, .cache_folder = cache};
  const mn_speech *speech = NULL;
  assert_ok(mn_speech_make(&speech, arena, &config, &error), &error);
  mn_pool_destroy(pool);
  return speech;
}

static void speech_should_be_the_same_on_any_number_of_threads_and_from_the_cache(void **state) {
  (void)state;
  const char *folder = test_folder();
  const mn_speech *one = made(1, NULL, "up,a=down", true),
                  *three = made(3, folder, "up,a=down", true);
  const mn_speech *cached = made(2, folder, "up,a=down", true);
  assert_int_equal(one->classes, 2);
  assert_string_equal(one->class_name[1], "a");
  const bool festival = strstr(one->engines, "festival") != NULL;
  assert_in_range(one->clips, festival ? 405 : 330, festival ? 420 : 340);
  assert_true(hash_of(one) == hash_of(three) && hash_of(one) == hash_of(cached));
  assert_true(one->hash == cached->hash && one->hash != made(2, folder, "up,b=down", true)->hash);
  assert_non_null(strstr(one->trained_on, "synthetic speech only"));
  assert_non_null(strstr(one->trained_on, "flite 2."));
}

static void unknown_and_silence_should_join_the_words(void **state) {
  (void)state;
  const mn_speech *speech = made(2, NULL, "computer", false);
  int32_t counts[3] = {0};
  assert_int_equal(speech->classes, 3);
  assert_string_equal(speech->class_name[0], "computer");
  assert_string_equal(speech->class_name[1], "unknown");
  assert_string_equal(speech->class_name[2], "silence");
  for (int32_t i = 0; i < speech->clips; i++) {
    counts[speech->clip[i].label]++;
    assert_true(speech->clip[i].samples >= MN_SPEECH_RATE_HZ / 10);
    assert_true(i == 0 || speech->clip[i].label >= speech->clip[i - 1].label);
  }
  const bool festival = strstr(speech->engines, "festival") != NULL;
  assert_in_range(counts[0], festival ? 200 : 165, festival ? 210 : 170);
  assert_in_range(counts[1], festival ? 850 : 700, festival ? 960 : 800);
  assert_in_range(counts[2], 150, 200);
}

static void other_languages_should_be_spoken_by_all_their_voices(void **state) {
  (void)state;
  static const struct {
    const char *language, *text, *accents;
  } cases[] = {{"de", "nein", "de"},
               {"fr", "fenêtre", "fr-be fr-ch fr-fr"},
               {"fr-be", "oui", "fr-be"},
               {"fa", "بله", "fa"}, /* not fa-latn, which reads another script */
               {"ar", "نعم", "ar"}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_voices voices = {0};
    error = (mn_error){{0}};
    assert_ok(mn_voices_find(&voices, arena, cases[i].language, &error), &error);
    const char *all = "";
    for (int32_t k = 0; k < voices.count; k++)
      all = mn_arena_text(arena, "%s%s%s", all, k > 0 ? " " : "", voices.accent[k]);
    assert_string_equal(all, cases[i].accents);
    mn_take take;
    const mn_take_plan plan = {.espeak = 1, .accents = &voices, .seed = 1};
    const char *version = NULL;
    assert_ok(mn_espeak_version(&version, arena, &error), &error);
    mn_takes_draw(&take, cases[i].text, &plan);
    assert_int_equal(strncmp(take.voice, cases[i].language, strlen(cases[i].language)), 0);
    assert_ok(mn_espeak_say(&take, version, &error), &error);
    assert_true(take.samples > 2000);
    mn_free(take.pcm);
  }
}

static void a_language_that_nobody_speaks_should_be_refused_with_the_known_ones(void **state) {
  (void)state;
  static const char *const languages[] = {"xx", "d", "french", "fr-", ""};
  for (size_t i = 0; i < MN_COUNT(languages); i++) {
    mn_voices voices;
    error = (mn_error){{0}};
    assert_int_equal(mn_voices_find(&voices, arena, languages[i], &error), MN_ERR_USAGE);
    assert_non_null(strstr(error.text, " de "));
    assert_non_null(strstr(error.text, " fr "));
    assert_non_null(strstr(error.text, " zh") == NULL ? strstr(error.text, " cmn ") : error.text);
  }
}

static void a_short_list_should_make_as_large_a_class(void **state) {
  (void)state;
  const mn_data_config config = {.words = "licht,nein",
                                 .unknown_words = "sicht,gute nacht,zucker",
                                 .language = "de",
                                 .seed = 1};
  const mn_speech *speech = NULL;
  assert_ok(mn_speech_make(&speech, arena, &config, &error), &error);
  assert_null(strstr(speech->trained_on, "flite"));
  assert_null(strstr(speech->engines, "festival"));
  int32_t unknown = 0;
  for (int32_t i = 0; i < speech->clips; i++) {
    unknown += speech->clip[i].label == 2;
    assert_true(speech->clip[i].label == 3 || strncmp(speech->clip[i].voice, "de+", 3) == 0);
  }
  assert_in_range(unknown, 290, 300); /* three words, twenty times five takes */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_should_be_read_with_labels_of_their_own),
      cmocka_unit_test(lists_that_make_no_words_should_be_refused_in_one_line),
      cmocka_unit_test(a_voice_should_never_be_in_two_splits),
      cmocka_unit_test(takes_of_an_engine_should_not_depend_on_festival),
      cmocka_unit_test(trimming_should_leave_the_sound_and_a_margin),
      cmocka_unit_test(pauses_between_words_should_be_shortened_and_those_inside_a_consonant_left),
      cmocka_unit_test(flite_should_follow_length_and_pitch),
      cmocka_unit_test(espeak_should_follow_its_settings),
      cmocka_unit_test(festival_should_be_asked_for_its_voices),
      cmocka_unit_test(festival_that_says_less_than_asked_should_be_refused),
      cmocka_unit_test(festival_should_follow_its_settings),
      cmocka_unit_test(newer_espeaks_should_be_told_to_repeat),
      cmocka_unit_test(a_missing_espeak_should_be_named),
      cmocka_unit_test(a_program_that_has_hung_should_be_ended),
      cmocka_unit_test(broken_waves_should_be_refused),
      cmocka_unit_test(cached_takes_should_come_back_and_broken_files_count_as_absent),
      cmocka_unit_test(speech_should_be_the_same_on_any_number_of_threads_and_from_the_cache),
      cmocka_unit_test(unknown_and_silence_should_join_the_words),
      cmocka_unit_test(other_languages_should_be_spoken_by_all_their_voices),
      cmocka_unit_test(a_language_that_nobody_speaks_should_be_refused_with_the_known_ones),
      cmocka_unit_test(a_short_list_should_make_as_large_a_class),
  };
  return cmocka_run_group_tests(tests, fresh, done);
}
