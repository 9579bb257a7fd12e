/* test_target.c - target files: what ships is readable, and what is wrong is named with its line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/target.h"

static const char good[] =
    "# a board\n"
    "[board]\n"
    "core = cortex-m4\n"
    "flash = 512K\n"
    "sram = 128K\n"
    "clock = 180MHz\n"
    "[build]\n"
    "cpu_flags = -mcpu=cortex-m4 -mthumb\n"
    "kernels = ref\n";

static mn_status parse(const mn_target **target, mn_arena *arena, const char *text,
                       mn_error *error) {
  mn_bytes bytes = {(const uint8_t *)text, strlen(text)};
  return mn_target_parse(target, arena, "boards/mine.ini", bytes, error);
}

static void every_shipped_target_is_read_and_names_an_emulator(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  int32_t count = 0;
  const char *const *names = mn_target_names(arena, &count);
  assert_true(count >= 10);
  for (int32_t i = 0; i < count; i++) {
    const mn_target *target = NULL;
    mn_error error = {{0}};
    assert_ok(mn_target_read(&target, arena, names[i], &error), &error);
    assert_string_equal(target->name, names[i]);
    assert_non_null(target->machine);
    assert_non_null(mn_shipped_path(arena, mn_arena_text(arena, "firmware/%s", target->linker)));
    assert_true(target->flash_bytes >= 64 << 10 && target->sram_bytes >= 16 << 10);
    assert_non_null(strstr(target->cpu_flags, target->core));
  }
  mn_arena_destroy(arena);
}

static void the_papers_small_board_has_its_figures_and_their_source(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  const mn_target *target = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_ok(mn_target_read(&target, arena, "nucleo-f446re", &error), &error);
  assert_int_equal(target->flash_bytes, 512 * 1024);
  assert_int_equal(target->sram_bytes, 128 * 1024);
  assert_true(target->clock_hz > 179e6 && target->clock_hz < 181e6);
  assert_true(target->active_watts > 0.16 && target->active_watts < 0.162);
  assert_non_null(target->active_watts_source);
  assert_true(target->cycle_factor <= 0.0); /* no public row: the core's model stands */
  assert_null(target->error_basis);
  assert_ok(mn_target_read(&target, arena, "nrf52840dk", &error), &error);
  assert_true(target->cycle_factor > 1.21 && target->cycle_factor < 1.23);
  assert_non_null(target->cycle_factor_source);
  assert_string_equal(target->error_basis, "tflm_cmsis_nn");
  mn_arena_destroy(arena);
}

static void cycles_of_a_row_are_found_by_core_and_symbol(void **state) {
  (void)state;
  mn_target target = {.core = "cortex-m4"};
  const mn_cycle_row *row = mn_target_cycle_row(&target, "mn_conv_2d_s8_ref");
  assert_non_null(row);
  assert_true(row->cycles[MN_CYCLE_INSIDE_MACS] > 1.0 && row->mean_error < 0.1);
  assert_non_null(mn_target_cycle_row(&target, "tflm_DEPTHWISE_CONV_2D"));
  assert_null(mn_target_cycle_row(&target, "mn_no_such_kernel"));
  target.core = "cortex-a53";
  assert_null(mn_target_cycle_row(&target, "mn_conv_2d_s8_ref"));
}

static void a_file_of_the_users_own_is_read_and_unknown_figures_stay_zero(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  const mn_target *target = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_ok(parse(&target, arena, good, &error), &error);
  assert_string_equal(target->name, "mine");
  assert_string_equal(target->path, "boards/mine.ini");
  assert_string_equal(target->cpu_flags, "-mcpu=cortex-m4 -mthumb");
  assert_true(target->active_watts <= 0.0 && target->cycle_factor <= 0.0);
  assert_null(target->machine);
  mn_arena_destroy(arena);
}

static void what_is_wrong_is_named_with_its_line(void **state) {
  (void)state;
  static const struct {
    const char *added, *message;
  } cases[] = {
      {"[emulatr]\nmachine = x\n",
       "boards/mine.ini:11: unknown section [emulatr]; did you mean [emulator]?"},
      {"[energy]\nactive_wats = 1\n",
       "boards/mine.ini:11: unknown key \"active_wats\" in [energy]; did you mean "
       "\"active_watts\"?"},
      {"kernels = ref\n", "boards/mine.ini:10: key \"kernels\" again; it stands on line 9"},
      {"[energy]\nactive_watts = much\n",
       "boards/mine.ini:11: \"much\" found; expected a positive number"},
      {"[energy]\nactive_watts = -1\nsource = x\n",
       "boards/mine.ini:11: \"-1\" found; expected a positive number"},
      {"[energy]\nactive_watts = nan\nsource = x\n",
       "boards/mine.ini:11: \"nan\" found; expected a positive number"},
      {"[energy]\nactive_watts =\n",
       "boards/mine.ini:11: key \"active_watts\" has no value; give one"},
      {"[energy]\nactive_watts = 1\n", "boards/mine.ini: [energy] names no source; add one"},
      {"[cycles]\nfactor = 1\nsource = x\nerror_percent = 3\n",
       "boards/mine.ini: [cycles] needs both error_percent and error_basis, or neither"},
      {"[emulator]\nmachine = m\n", "boards/mine.ini: [emulator] needs both machine and linker"},
      {"no sense\n", "boards/mine.ini:10: expected [section] or key = value"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_arena *arena = NULL;
    const mn_target *target = NULL;
    mn_error error = {{0}};
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const char *text = mn_arena_text(arena, "%s%s", good, cases[i].added);
    assert_int_equal(parse(&target, arena, text, &error), MN_ERR_FORMAT);
    assert_string_equal(error.text, cases[i].message);
    assert_null(target);
    mn_arena_destroy(arena);
  }
}

static void a_missing_key_is_named(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  const mn_target *target = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(parse(&target, arena, "[board]\ncore = cortex-m4\n", &error), MN_ERR_FORMAT);
  assert_string_equal(error.text, "boards/mine.ini: key \"flash\" of [board] is missing; add it");
  assert_int_equal(parse(&target, arena, "", &error), MN_ERR_FORMAT);
  mn_arena_destroy(arena);
}

static void a_line_that_never_ends_is_refused(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  const mn_target *target = NULL;
  mn_error error = {{0}};
  char text[4096];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(parse(&target, arena, text, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "boards/mine.ini:1: the line has 4095 characters"));
  mn_arena_destroy(arena);
}

static void an_unknown_name_gets_the_nearest(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  const mn_target *target = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_target_read(&target, arena, "nucleo-f446r", &error), MN_ERR_USAGE);
  assert_string_equal(error.text,
                      "unknown target \"nucleo-f446r\"; did you mean \"nucleo-f446re\"?");
  assert_int_not_equal(mn_target_read(&target, arena, "./absent.ini", &error), MN_OK);
  assert_non_null(strstr(error.text, "absent.ini"));
  mn_arena_destroy(arena);
}

/* A heap whose n-th allocation from now on fails. */
static void *failing(void *context, void *memory, size_t size) {
  int *left = context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  if (--*left < 0) return NULL;
  return realloc(memory, size);
}

static void a_lack_of_memory_is_reported_and_nothing_is_lost(void **state) {
  (void)state;
  bool enough = false;
  int tries = 0;
  for (; !enough && tries < 100; tries++) {
    int left = tries;
    mn_heap heap = {failing, &left};
    mn_arena *arena = NULL;
    const mn_target *target = NULL;
    mn_error error = {{0}};
    mn_heap_set(&heap);
    mn_status status = mn_arena_create(&arena);
    if (status == MN_OK) status = mn_target_read(&target, arena, "nucleo-f446re", &error);
    mn_arena_destroy(arena);
    mn_heap_set(NULL);
    enough = status == MN_OK;
    assert_true(enough || status == MN_ERR_MEMORY);
  }
  assert_true(enough);
  assert_true(tries > 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_shipped_target_is_read_and_names_an_emulator),
      cmocka_unit_test(the_papers_small_board_has_its_figures_and_their_source),
      cmocka_unit_test(cycles_of_a_row_are_found_by_core_and_symbol),
      cmocka_unit_test(a_file_of_the_users_own_is_read_and_unknown_figures_stay_zero),
      cmocka_unit_test(what_is_wrong_is_named_with_its_line),
      cmocka_unit_test(a_missing_key_is_named),
      cmocka_unit_test(a_line_that_never_ends_is_refused),
      cmocka_unit_test(an_unknown_name_gets_the_nearest),
      cmocka_unit_test(a_lack_of_memory_is_reported_and_nothing_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
