/* test_unknown.c - how words sound, and which ones stand for everything that was not chosen.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "data/speech/parts.h"
#include "arena_support.h"

static double distance(const char *a, const char *b) {
  const char *const text[] = {a, b};
  mn_phonemes sounds[2];
  assert_ok(mn_phonemes_of(sounds, arena, text, 2, "en-us", &error), &error);
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

static bool is_among(const char *const *text, int32_t count, const char *wanted) {
  for (int32_t i = 0; i < count; i++) {
    if (strcmp(text[i], wanted) == 0) return true;
  }
  return false;
}

static void unknown_words_should_spare_the_neighbours(void **state) {
  (void)state;
  mn_words words;
  const mn_data_config config = {.words = "computer,no,three,turn on", .seed = 1};
  assert_ok(mn_words_parse(&words, arena, config.words, false, &error), &error);
  const char **text = NULL;
  int32_t count = 0;
  assert_ok(mn_unknown_choose(&text, &count, arena, &words, 160, "en-us", &config, &error), &error);
  assert_int_equal(count, 160);
  for (int32_t i = 0; i < count; i++) {
    static const char *const near[] = {"computer", "no", "go", "three", "tree", "snow"};
    for (size_t k = 0; k < MN_COUNT(near); k++) assert_string_not_equal(text[i], near[k]);
    for (int32_t k = 0; k < i; k++) assert_string_not_equal(text[i], text[k]);
  }
}

static void near_misses_of_a_phrase_should_be_made_of_each_word(void **state) {
  (void)state;
  static const char *const common[] = {"banana"};
  mn_words words;
  const char *text[40];
  int32_t count = 0;
  assert_ok(mn_words_parse(&words, arena, "hey computer,stop,computer", false, &error), &error);
  assert_int_equal(mn_phrase_misses(text, &count, 40, arena, &words, common, 1, 1), MN_OK);
  assert_int_equal(count, 3); /* "computer" alone is a word of its own here */
  assert_true(is_among(text, count, "hey"));
  assert_true(is_among(text, count, "banana computer"));
  assert_true(is_among(text, count, "hey banana"));
  assert_int_equal(mn_phrase_misses(text, &count, 2, arena, &words, common, 1, 1), MN_OK);
  assert_int_equal(count, 2);
}

static void unknown_of_a_phrase_should_hold_its_words(void **state) {
  (void)state;
  mn_words words;
  const mn_data_config config = {.words = "wake=hey computer,stop", .seed = 1};
  assert_ok(mn_words_parse(&words, arena, config.words, false, &error), &error);
  assert_string_equal(words.word[0].text, "hey computer");
  const char **text = NULL;
  int32_t count = 0;
  assert_ok(mn_unknown_choose(&text, &count, arena, &words, 160, "en-us", &config, &error), &error);
  assert_int_equal(count, 160);
  assert_true(is_among(text, count, "computer"));
  assert_true(is_among(text, count, "hey"));
  assert_false(is_among(text, count, "hey computer"));
}

static mn_status chosen(const char ***text, int32_t *count, const char *list, const char *language,
                        const char *voice, mn_error *why) {
  mn_words words;
  const mn_data_config config = {
      .words = "licht,nein", .unknown_words = list, .language = language, .seed = 1};
  assert_ok(mn_words_parse(&words, arena, config.words, false, why), why);
  return mn_unknown_choose(text, count, arena, &words, 160, voice, &config, why);
}

static void unknown_words_should_be_of_the_language_or_the_users_own(void **state) {
  (void)state;
  const char **text = NULL;
  int32_t count = 0;
  assert_ok(chosen(&text, &count, NULL, "de", "de", &error), &error);
  assert_in_range(count, 60, 103);
  assert_true(is_among(text, count, "zucker"));
  assert_false(is_among(text, count, "licht")); /* one of the words */
  assert_ok(chosen(&text, &count, "sicht, dicht", "de", "de", &error), &error);
  assert_int_equal(count, 2);
  assert_string_equal(text[1], "dicht");
  const char *file = mn_arena_text(arena, "%s/words.txt", test_folder());
  static const char lines[] = "sicht\r\n\n  gute nacht \n";
  assert_ok(mn_file_write(file, lines, strlen(lines), &error), &error);
  assert_ok(chosen(&text, &count, file, "de", "de", &error), &error);
  assert_int_equal(count, 2);
  assert_string_equal(text[0], "sicht");
  assert_string_equal(text[1], "gute nacht");
  static const char *const refused[][2] = {{"sicht,,dicht", "an empty word"},
                                           {"sicht,licht", "one of --words"},
                                           {"sicht,sicht", "given twice"},
                                           {"a<b", "not spoken"},
                                           {"", "an empty word"}};
  for (size_t i = 0; i < MN_COUNT(refused); i++) {
    assert_int_equal(chosen(&text, &count, refused[i][0], "de", "de", &error), MN_ERR_USAGE);
    assert_non_null(strstr(error.text, refused[i][1]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distance_should_follow_the_ear_and_not_the_spelling),
      cmocka_unit_test(unknown_words_should_spare_the_neighbours),
      cmocka_unit_test(near_misses_of_a_phrase_should_be_made_of_each_word),
      cmocka_unit_test(unknown_of_a_phrase_should_hold_its_words),
      cmocka_unit_test(unknown_words_should_be_of_the_language_or_the_users_own),
  };
  return cmocka_run_group_tests(tests, fresh, done);
}
