/* test_search.c - the search end to end on made-up tones: budgets are kept, the seed decides, resume
 * and threads change nothing, a stored supernet answers again. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "micronets/search.h"

static const char wide_text[] =
    "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10\n"
    "conv 10x4 {4..24 by 4} stride 2\n"
    "ds 3x3 {4..24 by 4} optional times 3\n"
    "pool avg\n"
    "conv 1x1 classes=6\n"
    "flatten\n";
static const char space_text[] =
    "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10\n"
    "conv 10x4 {8 16 24} stride 2\n"
    "ds 3x3 {8 16 24} optional times 2\n"
    "pool avg\n"
    "conv 1x1 classes=3\n"
    "flatten\n";

static void put_u32(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

/* Tones of as many pitches as classes, `step` apart, each off by up to a tenth. */
typedef struct tones {
  const char *root;
  int classes, train, others; /* recordings of a class in train; in val and test */
  double step;
} tones;

/* One second of a tone whose pitch tells the class, as 16-bit WAV. */
static void write_tone(const char *path, const tones *t, int class_index, int number) {
  enum { SAMPLES = 16000 };
  static uint8_t file[44 + 2 * SAMPLES];
  mn_error error = {{0}};
  mn_rng rng = mn_rng_stream(9, (uint64_t)class_index, (uint64_t)number);
  memcpy(file, "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0", 24);
  put_u32(file + 4, sizeof file - 8);
  put_u32(file + 24, 16000);
  put_u32(file + 28, 32000);
  memcpy(file + 32, "\2\0\x10\0data", 8);
  put_u32(file + 40, 2 * SAMPLES);
  double pitch = 300 * pow(t->step, class_index) * mn_rng_range(&rng, 0.9, 1.1),
         level = mn_rng_range(&rng, 2000, 9000);
  for (int i = 0; i < SAMPLES; i++) {
    int sample = (int)(level * sin(6.283185307 * pitch * i / 16000) + 300 * mn_rng_normal(&rng));
    file[44 + 2 * i] = (uint8_t)sample;
    file[45 + 2 * i] = (uint8_t)(sample >> 8);
  }
  assert_ok(mn_file_write(path, file, sizeof file, &error), &error);
}

static void make_data(const tones *t) {
  static const char *const splits[] = {"train", "val", "test"};
  mn_error error = {{0}};
  for (int s = 0; s < 3; s++)
    for (int c = 0; c < t->classes; c++) {
      char path[512];
      snprintf(path, sizeof path, "%s/%s/%d", t->root, splits[s], c);
      assert_ok(mn_folder_make(path, &error), &error);
      for (int n = 0; n < (s == 0 ? t->train : t->others); n++) {
        snprintf(path, sizeof path, "%s/%s/%d/%d.wav", t->root, splits[s], c, n);
        write_tone(path, t, c, 100 * s + n);
      }
    }
}

typedef struct bench {
  mn_arena *arena;
  mn_pool *pool;
  mn_net *net;
  mn_dataset *dataset;
  mn_search_config config;
  mn_error error;
} bench;

static char data_folder[256], hard_folder[256], work_folder[256];

static void open_data(bench *b, int32_t threads, const char *folder, const char *space) {
  memset(b, 0, sizeof *b);
  assert_int_equal(mn_arena_create(&b->arena), MN_OK);
  assert_int_equal(mn_pool_create(&b->pool, threads), MN_OK);
  mn_bytes text = {(const uint8_t *)space, strlen(space)};
  assert_ok(mn_net_parse(&b->net, b->arena, "toy.net", text, &b->error), &b->error);
  mn_data_config data = {.path = folder, .task = MN_TASK_KWS, .seed = 1, .pool = b->pool};
  assert_ok(mn_dataset_open(&b->dataset, &data, &b->error), &b->error);
  b->config = (mn_search_config){.epochs = 8, .warmup_epochs = 1, .seed = 3, .pool = b->pool};
  assert_ok(mn_budget_parse(&b->config.budget, "ops=900K", &b->error), &b->error);
}

static void open_bench(bench *b, int32_t threads) {
  open_data(b, threads, data_folder, space_text);
}

static void close_bench(bench *b) {
  mn_dataset_close(b->dataset);
  mn_pool_destroy(b->pool);
  mn_arena_destroy(b->arena);
}

static const char *work_path(const char *name) {
  static char path[4][512];
  static int next;
  char *to = path[next++ & 3];
  snprintf(to, sizeof path[0], "%s/%s", work_folder, name);
  return to;
}

static void search_should_find_a_network_within_the_budget_that_tells_tones_apart(void **state) {
  (void)state;
  bench b;
  mn_search_result result;
  open_bench(&b, 2);
  b.config.epochs = 120; /* one batch each */
  assert_ok(mn_search(&result, b.arena, b.net, b.dataset, &b.config, &b.error), &b.error);
  assert_true(result.budget_met);
  assert_true(result.best.price.ops <= 900000);
  assert_true(result.best.val > 0.8);
  assert_int_equal(result.epochs, 120);
  close_bench(&b);
}

/* Six tones that overlap: no network of the space tells them all apart, and more ops tell more. */
static void front_should_hold_eight_networks_none_beaten_by_a_cheaper_one(void **state) {
  (void)state;
  bench b;
  mn_search_result result;
  open_data(&b, 2, hard_folder, wide_text);
  b.config.epochs = 120;
  assert_ok(mn_search(&result, b.arena, b.net, b.dataset, &b.config, &b.error), &b.error);
  assert_true(result.pareto_count >= 8);
  for (int32_t i = 0; i < result.pareto_count; i++) {
    assert_true(mn_budget_met(&b.config.budget, &result.pareto[i].price));
    if (i == 0) continue;
    assert_true(result.pareto[i].price.ops > result.pareto[i - 1].price.ops);
    assert_true(result.pareto[i].val > result.pareto[i - 1].val);
  }
  close_bench(&b);
}

static mn_bytes supernet_of(bench *b, const char *name, mn_search_result *result) {
  b->config.supernet_out = work_path(name);
  assert_ok(mn_search(result, b->arena, b->net, b->dataset, &b->config, &b->error), &b->error);
  return test_read(b->arena, work_path(name));
}

static void search_should_give_the_same_bytes_for_any_number_of_threads(void **state) {
  (void)state;
  bench one, three;
  mn_search_result a, c;
  open_bench(&one, 1);
  open_bench(&three, 3);
  mn_bytes x = supernet_of(&one, "one.ckpt", &a), y = supernet_of(&three, "three.ckpt", &c);
  assert_int_equal(x.size, y.size);
  assert_memory_equal(x.data, y.data, x.size);
  assert_true(mn_pick_equal(&a.best.pick, &c.best.pick));
  assert_true(a.best.val == c.best.val);
  close_bench(&one);
  close_bench(&three);
}

static volatile sig_atomic_t stop;
static int steps_left;

static void count_steps(void *context, const mn_progress *progress) {
  (void)context;
  if (strcmp(progress->stage, "search") == 0 && --steps_left == 0) stop = 1;
}

static void interrupted_search_should_go_on_to_the_same_bytes(void **state) {
  (void)state;
  bench whole, parts;
  mn_search_result a, c;
  open_bench(&whole, 2);
  mn_bytes x = supernet_of(&whole, "whole.ckpt", &a);
  for (int after = 1; after <= 5; after += 2) {
    open_bench(&parts, 2);
    mn_monitor monitor = {.progress = count_steps, .stop = &stop};
    parts.config.checkpoint = work_path("search.ckpt");
    parts.config.monitor = &monitor;
    steps_left = after;
    stop = 0;
    assert_int_equal(
        mn_search(&c, parts.arena, parts.net, parts.dataset, &parts.config, &parts.error),
        MN_ERR_INTERRUPTED);
    stop = 0;
    parts.config.resume = true;
    mn_bytes y = supernet_of(&parts, "parts.ckpt", &c);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    assert_true(mn_pick_equal(&a.best.pick, &c.best.pick));
    close_bench(&parts);
  }
  close_bench(&whole);
}

static void stored_supernet_should_answer_another_budget(void **state) {
  (void)state;
  bench b;
  mn_search_result first, second;
  open_bench(&b, 2);
  b.config.epochs = 80; /* one batch each */
  supernet_of(&b, "super.ckpt", &first);
  b.config.supernet_out = NULL;
  b.config.supernet_in = work_path("super.ckpt");
  assert_ok(mn_budget_parse(&b.config.budget, "ops=500K", &b.error), &b.error);
  for (int32_t epochs = 0; epochs <= 3; epochs += 3) { /* as it is; a little further trained */
    b.config.epochs = epochs;
    assert_ok(mn_search(&second, b.arena, b.net, b.dataset, &b.config, &b.error), &b.error);
    assert_int_equal(second.epochs, epochs);
    assert_true(second.budget_met && second.best.price.ops <= 500000);
    assert_true(second.best.val > 0.6);
  }
  b.config.supernet_in = data_folder;
  assert_int_not_equal(mn_search(&second, b.arena, b.net, b.dataset, &b.config, &b.error), MN_OK);
  close_bench(&b);
}

/* Writes `bytes` over what follows the name of a block, and the sum of the file anew. */
static void tamper(const char *path, mn_bytes file, const char *name, const void *bytes,
                   size_t size) {
  mn_error error = {{0}};
  uint8_t *at = memmem(file.data, file.size, name, strlen(name)), *copy = (uint8_t *)file.data;
  assert_non_null(at);
  memcpy(at + strlen(name), bytes, size);
  put_u32(copy + file.size - 4, mn_crc32(0, copy, file.size - 4));
  assert_ok(mn_file_write(path, copy, file.size, &error), &error);
}

static void stored_choices_of_no_such_option_should_be_refused(void **state) {
  (void)state;
  bench b;
  mn_search_result result;
  const int32_t beyond = 3, negative = -1;
  open_bench(&b, 1);
  b.config.checkpoint = work_path("tampered-run.ckpt");
  mn_bytes file = supernet_of(&b, "tampered.ckpt", &result),
           run = test_read(b.arena, work_path("tampered-run.ckpt"));
  b.config.supernet_out = b.config.checkpoint = NULL;
  b.config.supernet_in = work_path("tampered.ckpt");
  tamper(b.config.supernet_in, file, "search.widest", &beyond, sizeof beyond);
  assert_int_equal(mn_search(&result, b.arena, b.net, b.dataset, &b.config, &b.error),
                   MN_ERR_FORMAT);
  assert_non_null(strstr(b.error.text, "widest options are none of this space's"));
  b.config.supernet_in = NULL;
  b.config.checkpoint = work_path("tampered-run.ckpt");
  b.config.resume = true;
  tamper(b.config.checkpoint, run, "search.state", &negative, sizeof negative);
  assert_int_equal(mn_search(&result, b.arena, b.net, b.dataset, &b.config, &b.error),
                   MN_ERR_FORMAT);
  assert_non_null(strstr(b.error.text, "counters are none of this space's"));
  close_bench(&b);
}

/* As many options as the language lets a decision have. */
static void decisions_of_many_options_should_be_searched(void **state) {
  (void)state;
  static const char many_text[] =
      "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep "
      "10\n"
      "conv 10x4 {1..1024 by 1} stride 2\n"
      "pool avg\n"
      "conv 1x1 classes=3\n"
      "flatten\n";
  bench b;
  mn_search_result result;
  open_data(&b, 2, data_folder, many_text);
  b.config.epochs = 3;
  assert_int_equal(mn_net_decision(b.net, 0)->options, 1024);
  assert_ok(mn_search(&result, b.arena, b.net, b.dataset, &b.config, &b.error), &b.error);
  assert_true(result.budget_met);
  close_bench(&b);
}

static void keep_ops(void *context, const mn_progress *progress) {
  if (strcmp(progress->stage, "search") == 0) *(double *)context = progress->value[1];
}

/* What ablations change: a plain penalty pulls below the budget, and one feed serves both kinds of step. */
static void departures_should_change_what_the_search_does(void **state) {
  (void)state;
  double ops[3];
  mn_bytes supernet[3];
  bench b[3];
  for (int i = 0; i < 3; i++) {
    mn_search_result result;
    open_bench(&b[i], 2);
    mn_monitor monitor = {.progress = keep_ops, .context = &ops[i]};
    b[i].config.monitor = &monitor;
    b[i].config.epochs = 40;
    b[i].config.linear_penalty = i == 1 ? 20 : 0;
    b[i].config.joint = i == 2;
    supernet[i] = supernet_of(&b[i], "departure.ckpt", &result);
    assert_true(result.budget_met);
  }
  assert_true(ops[1] < 0.8 * ops[0]);
  assert_int_equal(supernet[0].size, supernet[2].size);
  assert_memory_not_equal(supernet[0].data, supernet[2].data, supernet[0].size);
  for (int i = 0; i < 3; i++) close_bench(&b[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(search_should_find_a_network_within_the_budget_that_tells_tones_apart),
      cmocka_unit_test(front_should_hold_eight_networks_none_beaten_by_a_cheaper_one),
      cmocka_unit_test(search_should_give_the_same_bytes_for_any_number_of_threads),
      cmocka_unit_test(interrupted_search_should_go_on_to_the_same_bytes),
      cmocka_unit_test(stored_supernet_should_answer_another_budget),
      cmocka_unit_test(stored_choices_of_no_such_option_should_be_refused),
      cmocka_unit_test(decisions_of_many_options_should_be_searched),
      cmocka_unit_test(departures_should_change_what_the_search_does),
  };
  snprintf(data_folder, sizeof data_folder, "%s", test_folder());
  snprintf(hard_folder, sizeof hard_folder, "%s", test_folder());
  snprintf(work_folder, sizeof work_folder, "%s", test_folder());
  make_data(&(tones){data_folder, 3, 16, 6, 2});
  make_data(&(tones){hard_folder, 6, 40, 40, 1.12});
  return cmocka_run_group_tests(tests, NULL, NULL);
}
