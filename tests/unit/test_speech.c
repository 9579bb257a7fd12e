/* test_speech.c - words, takes, both engines, the cache and the whole of mn_speech_make.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/speech/parts.h"
#include "support.h"

static mn_arena *arena;

static int setup(void **state) {
  (void)state;
  return mn_arena_create(&arena) == MN_OK ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  mn_arena_destroy(arena);
  return 0;
}

static void words_should_be_read_with_labels_of_their_own(void **state) {
  (void)state;
  mn_words words;
  mn_error error = {{0}};
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
    mn_error error = {{0}};
    const mn_status status =
        mn_words_parse(&words, arena, cases[i].list, cases[i].only_words, &error);
    assert_int_equal(status, MN_ERR_USAGE);
    if (strstr(error.text, cases[i].says) == NULL)
      fail_msg("\"%s\": %s", cases[i].list, error.text);
  }
}

static void a_voice_should_never_be_in_two_splits(void **state) {
  (void)state;
  static const char *const texts[] = {"yes", "no", "computer", "turn on the light", "seven"};
  enum { EACH = MN_ESPEAK_TAKES + MN_FLITE_TAKES, ALL = 5 * EACH };
  static mn_take takes[ALL];
  for (size_t i = 0; i < MN_COUNT(texts); i++) {
    mn_takes_draw(takes + i * EACH, texts[i], MN_ESPEAK_TAKES, MN_FLITE_TAKES, NULL, 1 + i);
  }
  int32_t counts[MN_SPLIT_COUNT] = {0}, engines[2] = {0};
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
  assert_in_range(counts[MN_SPLIT_TRAIN], ALL * 75 / 100, ALL * 85 / 100);
  assert_in_range(counts[MN_SPLIT_VAL], ALL * 8 / 100, ALL * 13 / 100);
  assert_in_range(counts[MN_SPLIT_TEST], ALL * 8 / 100, ALL * 13 / 100);
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

static void flite_should_follow_length_and_pitch(void **state) {
  (void)state;
  static const char *const voices[] = {"kal16", "awb", "rms", "slt"};
  for (size_t i = 0; i < MN_COUNT(voices); i++) {
    mn_error error = {{0}};
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
  mn_error error = {{0}};
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
  assert_ok(mn_espeak_say(&slow, &error), &error);
  assert_ok(mn_espeak_say(&fast, &error), &error);
  assert_ok(mn_espeak_say(&flat, &error), &error);
  assert_true(slow.samples > fast.samples * 13 / 10);
  assert_in_range(slow.samples, 6000, 24000);
  assert_memory_not_equal(flat.pcm, slow.pcm, 6000 * sizeof *slow.pcm);
  mn_free(slow.pcm);
  mn_free(fast.pcm);
  mn_free(flat.pcm);
}

static void a_missing_espeak_should_be_named(void **state) {
  (void)state;
  const char *path = getenv("PATH");
  char *kept = mn_arena_copy(arena, path, strlen(path) + 1);
  assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
  const mn_data_config config = {.words = "yes,no"};
  const mn_speech *speech = NULL;
  mn_error error = {{0}};
  const mn_status status = mn_speech_make(&speech, arena, &config, &error);
  assert_int_equal(setenv("PATH", kept, 1), 0);
  assert_int_equal(status, MN_ERR_FAILED);
  assert_non_null(strstr(error.text, "espeak-ng: not found"));
  assert_non_null(strstr(error.text, "install"));
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

static double distance(const char *a, const char *b) {
  const char *const text[] = {a, b};
  mn_phonemes sounds[2];
  mn_error error = {{0}};
  assert_ok(mn_phonemes_of(sounds, arena, text, 2, NULL, &error), &error);
  return mn_phonemes_distance(&sounds[0], &sounds[1]);
}

static void distance_should_follow_the_ear_and_not_the_spelling(void **state) {
  (void)state;
  assert_true(distance("night", "knight") < 1e-9);
  assert_true(distance("computer", "commuter") < 0.2);
  assert_true(distance("three", "tree") <= 0.34);
  assert_true(distance("computer", "banana") > 0.6);
  assert_true(distance("left", "lift") < distance("left", "right"));
  assert_true(fabs(distance("seven", "even") - distance("even", "seven")) < 1e-12);
}

static void unknown_words_should_spare_the_neighbours(void **state) {
  (void)state;
  mn_words words;
  mn_error error = {{0}};
  const mn_data_config config = {.words = "computer,no,three,turn on", .seed = 1};
  assert_ok(mn_words_parse(&words, arena, config.words, false, &error), &error);
  const char **text = NULL;
  int32_t count = 0;
  assert_ok(mn_unknown_choose(&text, &count, arena, &words, 160, &config, &error), &error);
  assert_int_equal(count, 160);
  for (int32_t i = 0; i < count; i++) {
    static const char *const near[] = {"computer", "no", "go", "three", "tree", "snow"};
    for (size_t k = 0; k < MN_COUNT(near); k++) assert_string_not_equal(text[i], near[k]);
    for (int32_t k = 0; k < i; k++) assert_string_not_equal(text[i], text[k]);
  }
}

static void cached_takes_should_come_back_and_broken_files_count_as_absent(void **state) {
  (void)state;
  const char *folder = test_folder();
  mn_take takes[3], back[3];
  mn_takes_draw(takes, "yes", 2, 1, NULL, 1);
  int16_t pcm[] = {1, -2, 32767, -32768};
  takes[0].pcm = pcm;
  takes[0].samples = 4;
  takes[2].pcm = pcm + 1;
  takes[2].samples = 3;
  const uint64_t key = mn_takes_key(takes, 3, "flite 1");
  assert_true(key != mn_takes_key(takes, 3, "flite 2") && key != mn_takes_key(takes, 2, "flite 1"));
  mn_error error = {{0}};
  assert_ok(mn_cache_save(takes, 3, folder, key, &error), &error);
  mn_takes_draw(back, "yes", 2, 1, NULL, 1);
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
    mn_takes_draw(back, "yes", 2, 1, NULL, 1);
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
  mn_error error = {{0}};
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
  assert_in_range(one->clips, 330, 340);
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
  assert_in_range(counts[0], 165, 170);
  assert_in_range(counts[1], 700, 800);
  assert_in_range(counts[2], 150, 200);
}

static void a_language_without_flite_should_be_spoken_by_espeak_alone(void **state) {
  (void)state;
  const mn_data_config config = {
      .words = "ja,nein", .only_words = true, .language = "de", .seed = 1};
  const mn_speech *speech = NULL;
  mn_error error = {{0}};
  assert_ok(mn_speech_make(&speech, arena, &config, &error), &error);
  assert_null(strstr(speech->trained_on, "flite"));
  for (int32_t i = 0; i < speech->clips; i++)
    assert_int_equal(strncmp(speech->clip[i].voice, "de+", 3), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_should_be_read_with_labels_of_their_own),
      cmocka_unit_test(lists_that_make_no_words_should_be_refused_in_one_line),
      cmocka_unit_test(a_voice_should_never_be_in_two_splits),
      cmocka_unit_test(trimming_should_leave_the_sound_and_a_margin),
      cmocka_unit_test(flite_should_follow_length_and_pitch),
      cmocka_unit_test(espeak_should_follow_its_settings),
      cmocka_unit_test(a_missing_espeak_should_be_named),
      cmocka_unit_test(broken_waves_should_be_refused),
      cmocka_unit_test(distance_should_follow_the_ear_and_not_the_spelling),
      cmocka_unit_test(unknown_words_should_spare_the_neighbours),
      cmocka_unit_test(cached_takes_should_come_back_and_broken_files_count_as_absent),
      cmocka_unit_test(speech_should_be_the_same_on_any_number_of_threads_and_from_the_cache),
      cmocka_unit_test(unknown_and_silence_should_join_the_words),
      cmocka_unit_test(a_language_without_flite_should_be_spoken_by_espeak_alone),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
