/* test_fetch.c - the sums against published examples, and the shipped table of data sets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

static void sums_should_be_those_of_the_standards(void **state) {
  (void)state;
  static const struct {
    mn_digest_kind kind;
    const char *text, *sum;
  } cases[] = {{MN_DIGEST_MD5, "", "md5:d41d8cd98f00b204e9800998ecf8427e"},
               {MN_DIGEST_MD5, "abc", "md5:900150983cd24fb0d6963f7d28e17f72"},
               {MN_DIGEST_MD5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "md5:d174ab98d277d9f5a5611c2c9f419d9f"},
               {MN_DIGEST_SHA256, "",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
               {MN_DIGEST_SHA256, "abc",
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
               {MN_DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_digest digest;
    char text[80];
    mn_digest_start(&digest, cases[i].kind);
    mn_digest_add(&digest, cases[i].text, strlen(cases[i].text));
    mn_digest_text(text, &digest);
    assert_string_equal(text, cases[i].sum);
  }
}

static void sums_should_not_depend_on_the_pieces(void **state) {
  (void)state;
  uint8_t data[1000];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
  for (int kind = 0; kind < 2; kind++) {
    char whole[80], parts[80];
    mn_digest digest;
    mn_digest_start(&digest, (mn_digest_kind)kind);
    mn_digest_add(&digest, data, sizeof data);
    mn_digest_text(whole, &digest);
    mn_digest_start(&digest, (mn_digest_kind)kind);
    for (size_t at = 0, step = 1; at < sizeof data; at += step, step = step % 97 + 1) {
      if (step > sizeof data - at) step = sizeof data - at;
      mn_digest_add(&digest, data + at, step);
    }
    mn_digest_text(parts, &digest);
    assert_string_equal(whole, parts);
  }
}

static void the_shipped_table_should_name_the_sets_of_the_paper(void **state) {
  (void)state;
  static const char *const names[] = {"speech_commands_v2", "coco2014", "dcase2020_slider",
                                      "mimii_slider", "vww_mlperf"};
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  const char *path = mn_arena_text(arena, "%s/datasets/table.txt", getenv("MN_SOURCE"));
  const mn_fetch_set *sets = NULL, *set = NULL;
  int32_t count = 0;
  mn_error error = {{0}};
  assert_ok(mn_fetch_table_read(&sets, &count, arena, path, &error), &error);
  for (size_t i = 0; i < MN_COUNT(names); i++) {
    assert_ok(mn_fetch_set_find(&set, sets, count, names[i], &error), &error);
    assert_true(set->files > 0);
  }
  for (int32_t i = 0; i < count; i++) {
    assert_non_null(strchr(sets[i].text, ';')); /* the licence */
    for (int32_t k = 0; k < sets[i].files; k++) {
      const mn_fetch_file *file = &sets[i].file[k];
      const size_t length = strlen(file->name), url = strlen(file->url);
      assert_true(url > length && strcmp(file->url + url - length, file->name) == 0);
    }
  }
  mn_arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_should_be_those_of_the_standards),
      cmocka_unit_test(sums_should_not_depend_on_the_pieces),
      cmocka_unit_test(the_shipped_table_should_name_the_sets_of_the_paper),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
