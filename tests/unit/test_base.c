/* test_base.c - the base room. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void crc32_should_be_that_of_zlib(void **state) {
  (void)state;
  assert_int_equal(mn_crc32(0, "123456789", 9), 0xcbf43926);
  assert_int_equal(mn_crc32(mn_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
  /* any length and any cut: bit by bit, as the definition goes */
  uint8_t bytes[41];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 151 + 77);
  for (size_t size = 0; size <= sizeof bytes; size++) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < 8 * size; i++) {
      const uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
      crc = crc >> 1 ^ bit * 0xedb88320u;
    }
    assert_int_equal(mn_crc32(0, bytes, size), ~crc);
    assert_int_equal(mn_crc32(mn_crc32(0, bytes, size / 3), bytes + size / 3, size - size / 3),
                     ~crc);
  }
}

static void every_status_should_have_an_exit_code_of_the_contract(void **state) {
  (void)state;
  assert_int_equal(mn_status_exit_code(MN_OK), 0);
  assert_int_equal(mn_status_exit_code(MN_ERR_USAGE), 2);
  assert_int_equal(mn_status_exit_code(MN_ERR_FORMAT), 3);
  assert_int_equal(mn_status_exit_code(MN_ERR_BUDGET), 4);
  assert_int_equal(mn_status_exit_code(MN_ERR_DIVERGED), 5);
  assert_int_equal(mn_status_exit_code(MN_ERR_INTERRUPTED), 130);
}

static void arena_should_give_zeroed_memory_again_after_release(void **state) {
  (void)state;
  mn_arena *arena;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  char *first = mn_arena_alloc(arena, 100);
  memset(first, 7, 100);
  mn_arena_mark mark = mn_arena_mark_get(arena);
  memset(mn_arena_alloc(arena, 5000), 9, 5000);
  memset(mn_arena_alloc(arena, 3000000), 9, 3000000);
  mn_arena_release(arena, mark);
  char *again = mn_arena_alloc(arena, 5000);
  for (int i = 0; i < 5000; i++) assert_int_equal(again[i], 0);
  assert_int_equal(first[99], 7);
  assert_true(mn_arena_peak(arena) >= 3005100);
  assert_null(mn_arena_array(arena, SIZE_MAX / 2, 4));
  mn_arena_destroy(arena);
}

static void nearest_should_find_a_word_within_two_edits(void **state) {
  (void)state;
  const char *const names[] = {"stride", "same", "weights"};
  assert_string_equal(mn_nearest("strid", names, 3), "stride");
  assert_string_equal(mn_nearest("wieghts", names, 3), "weights");
  assert_null(mn_nearest("banana", names, 3));
}

static void fields_should_be_cut_at_separators_outside_quotes(void **state) {
  (void)state;
  static const struct {
    const char *line, *field[3];
    int32_t count;
  } cases[] = {{"a,b,c", {"a", "b", "c"}, 3},
               {" a b , ,\"c, \"\"d\"\"\" \r", {"a b", "", "c, \"d\""}, 3},
               {"", {""}, 1},
               {"a,", {"a", ""}, 2},
               {"\"open, end", {"open, end"}, 1},
               {"a,b,c,d", {0}, -1}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    char line[32], *field[3];
    snprintf(line, sizeof line, "%s", cases[i].line);
    assert_int_equal(mn_fields(field, 3, line, ','), cases[i].count);
    for (int32_t k = 0; k < cases[i].count; k++) assert_string_equal(field[k], cases[i].field[k]);
  }
}

static void rng_should_repeat_and_its_streams_should_differ(void **state) {
  (void)state;
  mn_rng a = mn_rng_seed(1), b = mn_rng_seed(1), c = mn_rng_stream(1, 2, 3),
         d = mn_rng_stream(1, 3, 2);
  uint64_t first = mn_rng_next(&a);
  assert_true(first == mn_rng_next(&b));
  assert_true(mn_rng_next(&c) != mn_rng_next(&d));
  int count[7] = {0};
  for (int i = 0; i < 7000; i++) count[mn_rng_below(&a, 7)]++;
  for (int i = 0; i < 7; i++) assert_in_range(count[i], 850, 1150);
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; i++) {
    double x = mn_rng_normal(&b);
    sum += x;
    squares += x * x;
  }
  assert_true(sum / 20000 < 0.03 && sum / 20000 > -0.03);
  assert_true(squares / 20000 < 1.05 && squares / 20000 > 0.95);
}

static void add_item(void *context, int32_t item, int32_t thread) {
  (void)thread;
  atomic_fetch_add(&((atomic_int *)context)[item], 1);
}

static void pool_should_run_every_item_once_in_every_job(void **state) {
  (void)state;
  static atomic_int ran[97];
  mn_pool *pool;
  assert_int_equal(mn_pool_create(&pool, 4), MN_OK);
  for (int job = 0; job < 2000; job++) mn_pool_run(pool, add_item, ran, 97);
  for (int i = 0; i < 97; i++) assert_int_equal(ran[i], 2000);
  mn_pool_destroy(pool);
}

static void file_write_should_leave_the_old_file_when_it_fails(void **state) {
  (void)state;
  mn_arena *arena;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_error error;
  char folder[256], path[300];
  snprintf(folder, sizeof folder, "%s/a/b", test_folder());
  snprintf(path, sizeof path, "%s/file", folder);
  assert_int_equal(mn_file_write(path, "x", 1, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "file: cannot be written"));
  assert_ok(mn_folder_make(folder, &error), &error);
  assert_ok(mn_file_write(path, "hello", 5, &error), &error);
  mn_bytes bytes = test_read(arena, path);
  assert_int_equal(bytes.size, 5);
  assert_memory_equal(bytes.data, "hello", 6);
  assert_int_equal(mn_file_write("/dev/full", "x", 1, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "No space left"));
  assert_int_equal(mn_file_read(&bytes, arena, path, 4, &error), MN_ERR_FORMAT);
  mn_arena_destroy(arena);
}

static void *fail_after(void *context, void *memory, size_t size) {
  int *left = context;
  if (size > 0 && (*left)-- <= 0) return NULL;
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

static void allocation_failure_should_be_reported_not_crash(void **state) {
  (void)state;
  for (int n = 0; n < 4; n++) {
    int left = n;
    mn_heap_set(&(mn_heap){fail_after, &left});
    mn_arena *arena;
    mn_status status = mn_arena_create(&arena);
    if (status == MN_OK) {
      void *memory = mn_arena_alloc(arena, 100);
      assert_true(n >= 2 ? memory != NULL : memory == NULL);
      mn_arena_destroy(arena);
    }
    mn_buffer buffer = {0};
    left = n;
    status = mn_buffer_append(&buffer, "abc", 3);
    assert_int_equal(status, n > 0 ? MN_OK : MN_ERR_MEMORY);
    mn_buffer_free(&buffer);
  }
  mn_heap_set(NULL);
}

static void error_prefix_should_keep_the_text(void **state) {
  (void)state;
  mn_error error;
  assert_int_equal(mn_error_set(&error, MN_ERR_FORMAT, "line %d", 3), MN_ERR_FORMAT);
  assert_int_equal(mn_error_prefix(&error, MN_ERR_FORMAT, "file %s", "a"), MN_ERR_FORMAT);
  assert_string_equal(error.text, "file a: line 3");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(crc32_should_be_that_of_zlib),
      cmocka_unit_test(every_status_should_have_an_exit_code_of_the_contract),
      cmocka_unit_test(arena_should_give_zeroed_memory_again_after_release),
      cmocka_unit_test(nearest_should_find_a_word_within_two_edits),
      cmocka_unit_test(fields_should_be_cut_at_separators_outside_quotes),
      cmocka_unit_test(rng_should_repeat_and_its_streams_should_differ),
      cmocka_unit_test(pool_should_run_every_item_once_in_every_job),
      cmocka_unit_test(file_write_should_leave_the_old_file_when_it_fails),
      cmocka_unit_test(allocation_failure_should_be_reported_not_crash),
      cmocka_unit_test(error_prefix_should_keep_the_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
