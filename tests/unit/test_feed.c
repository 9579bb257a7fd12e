/* test_feed.c - batches: the same whatever the threads, the order of calls and the cache; draws that
 * do what the recipe says; inputs in the bytes of the microcontroller; a cache that may be broken,
 * full or forbidden.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "micronets/data.h"
#include "support.h"

enum { SIZE = 490, WORDS = 3, CLIPS = 14 };

static char root[256];

static void write_clip(const char *path, int frames, uint64_t seed) {
  SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  assert_non_null(file);
  mn_rng rng = mn_rng_seed(seed);
  for (int i = 0; i < frames; i++) {
    float value = (float)(0.2 * sin(i * 0.02 * (double)(1 + seed % 13)) * sin(i * 2e-4) +
                          0.02 * mn_rng_normal(&rng));
    sf_write_float(file, &value, 1);
  }
  sf_close(file);
}

static int setup(void **state) {
  (void)state;
  snprintf(root, sizeof root, "%s", test_folder());
  mn_error error = {{0}};
  char path[512];
  for (int w = 0; w < WORDS; w++) {
    for (int c = 0; c < CLIPS; c++) {
      const char *split = c < 10 ? "train" : c < 12 ? "val" : "test";
      snprintf(path, sizeof path, "%s/%s/word%d", root, split, w);
      if (mn_folder_make(path, &error) != MN_OK) return -1;
      snprintf(path, sizeof path, "%s/%s/word%d/s%d_nohash_0.wav", root, split, w, c);
      write_clip(path, 12000 + 500 * c, (uint64_t)(100 * w + c));
    }
  }
  snprintf(path, sizeof path, "%s/_background_noise_", root);
  if (mn_folder_make(path, &error) != MN_OK) return -1;
  snprintf(path, sizeof path, "%s/_background_noise_/hum.wav", root);
  write_clip(path, 16000 * 20, 7);
  return 0;
}

static mn_dataset *open_data(mn_pool *pool, const char *cache, const mn_monitor *monitor) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.path = root,
                           .classes = "word0,word1",
                           .seed = 3,
                           .cache_folder = cache,
                           .pool = pool,
                           .monitor = monitor};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  return dataset;
}

static mn_feed *open_feed(const mn_dataset *dataset, mn_split split, const mn_feed_config *config) {
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  assert_ok(mn_feed_open(&feed, dataset, split, 0, 1, &frontend, config, &error), &error);
  return feed;
}

static mn_feed_config recipe(const mn_dataset *dataset) {
  mn_feed_config config = mn_feed_defaults(dataset);
  config.batch = 8;
  config.variants = 3;
  return config;
}

static uint64_t hash_batch(mn_feed *feed, int32_t epoch, int32_t index) {
  mn_batch b;
  mn_error error = {{0}};
  assert_ok(mn_feed_batch(feed, &b, epoch, index, &error), &error);
  uint64_t sum = mn_hash64((uint64_t)b.items, b.x, sizeof *b.x * SIZE * (size_t)b.items);
  sum = mn_hash64(sum, b.target, sizeof *b.target * (size_t)(b.items * b.classes));
  sum = mn_hash64(sum, b.label, sizeof *b.label * (size_t)b.items);
  return mn_hash64(sum, b.item, sizeof *b.item * (size_t)b.items);
}

static uint64_t hash_epochs(mn_feed *feed, int32_t epochs) {
  uint64_t sum = 0;
  for (int32_t e = 0; e < epochs; e++) {
    for (int32_t i = 0; i < mn_feed_batches(feed); i++) sum = sum * 31 + hash_batch(feed, e, i);
  }
  return sum;
}

static void batches_should_not_depend_on_threads_or_on_the_order_of_calls(void **state) {
  (void)state;
  uint64_t expected = 0;
  for (int32_t threads = 0; threads < 4; threads++) {
    mn_pool *pool = NULL;
    if (threads > 0) assert_int_equal(mn_pool_create(&pool, threads), MN_OK);
    mn_dataset *dataset = open_data(pool, NULL, NULL);
    mn_feed_config config = recipe(dataset);
    mn_feed *feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
    uint64_t sum = hash_epochs(feed, 3), late = hash_batch(feed, 2, 1);
    hash_batch(feed, 0, 2);
    assert_true(late == hash_batch(feed, 2, 1));
    assert_true(threads == 0 || sum == expected);
    expected = sum;
    mn_feed_close(feed);
    mn_dataset_close(dataset);
    mn_pool_destroy(pool);
  }
}

static void another_seed_or_epoch_should_give_other_draws(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config config = recipe(dataset);
  mn_feed *feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
  uint64_t first = hash_batch(feed, 0, 0);
  assert_true(first != hash_batch(feed, 1, 0));
  mn_feed_close(feed);
  config.seed++;
  feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
  assert_true(first != hash_batch(feed, 0, 0));
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

static void a_clean_feed_should_serve_every_item_once_in_order(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config config = {.batch = 4};
  mn_feed *feed = open_feed(dataset, MN_SPLIT_VAL, &config);
  int32_t before = -1, items = 0;
  for (int32_t i = 0; i < mn_feed_batches(feed); i++) {
    mn_batch b;
    mn_error error = {{0}};
    assert_ok(mn_feed_batch(feed, &b, 0, i, &error), &error);
    for (int32_t k = 0; k < b.items; k++, items++) {
      const mn_item *item = mn_dataset_item(dataset, b.item[k]);
      assert_true(b.item[k] > before);
      before = b.item[k];
      assert_int_equal(item->split, MN_SPLIT_VAL);
      assert_int_equal(b.label[k], item->label);
      for (int32_t c = 0; c < b.classes; c++)
        assert_true(b.target[k * b.classes + c] == (float)(c == item->label));
    }
  }
  assert_int_equal(items, mn_feed_items(feed));
  assert_int_equal(items, 6 + 1); /* a ninth of silence */
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

static void inputs_should_be_the_bytes_that_the_microcontroller_makes(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config clean = {.batch = 4}, augmented = recipe(dataset);
  mn_feed *feeds[2] = {open_feed(dataset, MN_SPLIT_TRAIN, &clean),
                       open_feed(dataset, MN_SPLIT_TRAIN, &augmented)};
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_audio audio;
  void *tables = malloc(mn_frontend_tables_bytes(&frontend)),
       *ring = malloc(mn_frontend_state_bytes(&frontend));
  void *scratch = malloc(mn_frontend_scratch_bytes(&frontend));
  mn_audio_build(&audio, tables, &frontend);
  mn_feature_scale scale = mn_audio_scale(&audio, 0.7f, 40);
  mn_batch b;
  mn_error error = {{0}};
  assert_ok(mn_feed_batch(feeds[0], &b, 0, 1, &error), &error);
  for (int32_t k = 0; k < b.items; k++) {
    int16_t pcm[16000];
    int8_t expected[SIZE], got[SIZE];
    assert_ok(mn_dataset_clip(dataset, pcm, b.item[k], 16000, 16000, &error), &error);
    mn_audio_reset(&audio, ring);
    assert_int_equal(mn_audio_feed(&audio, ring, scratch, expected, &scale, pcm, 16000), 1);
    for (int f = 0; f < 2; f++) {
      assert_ok(mn_feed_input(feeds[f], got, 4 + k, 0.7f, 40, &error), &error);
      assert_memory_equal(got, expected, SIZE);
    }
    for (int i = 0; i < SIZE; i++) {
      float q = roundf(b.x[k * SIZE + i] / 0.7f) + 40;
      assert_true(fabsf(fminf(127, fmaxf(-128, q)) - (float)expected[i]) <= 1);
    }
  }
  free(tables);
  free(ring);
  free(scratch);
  mn_feed_close(feeds[0]);
  mn_feed_close(feeds[1]);
  mn_dataset_close(dataset);
}

static void an_augmented_feed_without_any_draw_should_equal_the_clean_one(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config clean = {.batch = 30}, still = {.batch = 30, .augment = true, .variants = 1};
  mn_feed *a = open_feed(dataset, MN_SPLIT_TRAIN, &clean),
          *b = open_feed(dataset, MN_SPLIT_TRAIN, &still);
  mn_batch x, y;
  mn_error error = {{0}};
  assert_ok(mn_feed_batch(a, &x, 0, 0, &error), &error);
  assert_ok(mn_feed_batch(b, &y, 0, 0, &error), &error);
  for (int32_t i = 0; i < 30 * SIZE; i++) {
    if (fabsf(x.x[i] - y.x[i]) > 0.02f)
      fail_msg("value %d: %g, %g", i, (double)x.x[i], (double)y.x[i]);
  }
  mn_feed_close(a);
  mn_feed_close(b);
  mn_dataset_close(dataset);
}

static void parts_should_divide_a_split_without_rest(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config config = {.batch = 64};
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  int32_t seen[128] = {0}, total = 0;
  for (int32_t part = 0; part < 2; part++) {
    mn_feed *feed = NULL;
    mn_error error = {{0}};
    mn_batch b;
    assert_ok(mn_feed_open(&feed, dataset, MN_SPLIT_TRAIN, part, 2, &frontend, &config, &error),
              &error);
    assert_ok(mn_feed_batch(feed, &b, 0, 0, &error), &error);
    assert_in_range(b.items, 8, 25);
    for (int32_t i = 0; i < b.items; i++) seen[b.item[i]]++;
    total += b.items;
    mn_feed_close(feed);
  }
  assert_int_equal(total, 30 + 3);
  for (int i = 0; i < 128; i++) assert_in_range(seen[i], 0, 1);
  mn_dataset_close(dataset);
}

static void shares_of_a_batch_should_hold_its_very_items(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config config = recipe(dataset);
  config.mixup = 0.4;
  mn_feed *feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
  mn_batch whole, share;
  mn_error error = {{0}};
  float x[8 * SIZE], target[8 * 8];
  int32_t item[8];
  assert_ok(mn_feed_batch(feed, &whole, 1, 1, &error), &error);
  assert_int_equal(whole.items, 8);
  assert_true(whole.classes <= 8);
  const size_t row = sizeof *x * SIZE, targets = sizeof *target * (size_t)whole.classes;
  memcpy(x, whole.x, 8 * row);
  memcpy(target, whole.target, 8 * targets);
  memcpy(item, whole.item, sizeof item);
  for (int32_t parts = 1; parts < 12; parts++) { /* more than items: some are empty */
    int32_t next = 0;
    for (int32_t part = 0; part < parts; part++, next += share.items) {
      assert_ok(mn_feed_share(feed, &share, 1, 1, part, parts, &error), &error);
      assert_int_equal(share.first, next);
      assert_int_equal(share.whole, 8);
      for (int32_t k = 0; k < share.items; k++) {
        assert_int_equal(share.item[k], item[next + k]);
        assert_memory_equal(share.x + k * SIZE, x + (next + k) * SIZE, row);
        assert_memory_equal(share.target + k * share.classes, target + (next + k) * share.classes,
                            targets);
      }
    }
    assert_int_equal(next, 8);
  }
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

static void smoothing_and_mixup_should_keep_targets_a_distribution(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_feed_config config = recipe(dataset);
  config.mixup = 0.4;
  mn_feed *feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
  int32_t mixed = 0;
  for (int32_t i = 0; i < mn_feed_batches(feed); i++) {
    mn_batch b;
    mn_error error = {{0}};
    assert_ok(mn_feed_batch(feed, &b, 0, i, &error), &error);
    for (int32_t k = 0; k < b.items; k++) {
      float sum = 0;
      for (int32_t c = 0; c < b.classes; c++) {
        sum += b.target[k * b.classes + c];
        assert_true(b.target[k * b.classes + c] >= 0.1f / (float)b.classes - 1e-6f);
      }
      assert_true(fabsf(sum - 1) < 1e-5f);
      mixed += b.label[k] == -1;
      if (b.label[k] >= 0)
        assert_true(fabsf(b.target[k * b.classes + b.label[k]] - (0.9f + 0.1f / (float)b.classes)) <
                    1e-5f);
    }
  }
  assert_true(mixed > 4);
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

/* ---- The cache ----------------------------------------------------------------------------------*/

typedef struct heard {
  int32_t warnings;
  char text[600];
} heard;

static void hear(void *context, mn_level level, const char *text) {
  heard *h = context;
  h->warnings += level == MN_LEVEL_WARNING;
  snprintf(h->text, sizeof h->text, "%s", text);
}

static uint64_t hash_with_cache(const char *cache, const mn_monitor *monitor) {
  mn_dataset *dataset = open_data(NULL, cache, monitor);
  mn_feed_config config = recipe(dataset);
  mn_feed *feed = open_feed(dataset, MN_SPLIT_TRAIN, &config);
  uint64_t sum = hash_epochs(feed, 2);
  mn_feed_close(feed);
  mn_dataset_close(dataset);
  return sum;
}

static void run(const char *format, const char *folder) {
  char line[700];
  snprintf(line, sizeof line, format, folder);
  assert_int_equal(system(line), 0);
}

static void kept_features_should_be_the_same_and_broken_ones_made_again(void **state) {
  (void)state;
  static const char *const harm[] = {
      "for f in '%s'/features-*; do printf XXXX | dd of=\"$f\" bs=1 seek=5000 conv=notrunc 2>/dev/null; done",
      "for f in '%s'/features-*; do truncate -s 3000 \"$f\"; done",
      "for f in '%s'/features-*; do : > \"$f\"; done"};
  const char *cache = test_folder();
  heard h = {0};
  mn_monitor monitor = {.message = hear, .context = &h};
  uint64_t expected = hash_with_cache(NULL, NULL);
  assert_true(hash_with_cache(cache, &monitor) == expected);
  run("ls '%s'/features-*.mnc > /dev/null", cache);
  assert_true(hash_with_cache(cache, &monitor) == expected);
  assert_int_equal(h.warnings, 0);
  for (size_t i = 0; i < MN_COUNT(harm); i++) {
    run(harm[i], cache);
    assert_true(hash_with_cache(cache, &monitor) == expected);
    assert_int_equal(h.warnings, (int)i + 1);
    assert_non_null(strstr(h.text, "broken"));
  }
}

static void a_cache_that_cannot_be_written_should_be_a_warning(void **state) {
  (void)state;
  char file[300];
  snprintf(file, sizeof file, "%s/a-file", root);
  mn_error error = {{0}};
  assert_ok(mn_file_write(file, "x", 1, &error), &error);
  const char *const places[] = {"/proc/micronets-cache", file, "/dev/full"};
  uint64_t expected = hash_with_cache(NULL, NULL);
  for (size_t i = 0; i < MN_COUNT(places); i++) {
    heard h = {0};
    mn_monitor monitor = {.message = hear, .context = &h};
    assert_true(hash_with_cache(places[i], &monitor) == expected);
    if (h.warnings < 1 || strstr(h.text, "going on without") == NULL)
      fail_msg("%s: %d, %s", places[i], h.warnings, h.text);
  }
}

/* A file system of 64 KB that is full before the features are written: needs the right to mount. */
static void a_full_disk_should_leave_no_half_file(void **state) {
  (void)state;
  const char *folder = test_folder();
  char line[700];
  snprintf(line, sizeof line, "mount -t tmpfs -o size=64k none '%s' 2>/dev/null", folder);
  if (system(line) != 0) {
    print_message("a full disk is not tried: no right to mount\n");
    return;
  }
  heard h = {0};
  mn_monitor monitor = {.message = hear, .context = &h};
  uint64_t sum = hash_with_cache(folder, &monitor), expected = hash_with_cache(NULL, NULL);
  snprintf(line, sizeof line, "ls '%s' | grep -c features > /dev/null", folder);
  int found = system(line);
  run("umount '%s'", folder);
  assert_true(sum == expected);
  assert_true(h.warnings > 0);
  assert_int_not_equal(found, 0);
}

static void a_part_without_items_should_be_an_empty_feed_that_says_what_is_missing(void **state) {
  (void)state;
  mn_dataset *dataset = NULL;
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  char path[512];
  snprintf(path, sizeof path, "%s/val", root);
  mn_data_config config = {.path = path, .seed = 1};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_feed_config clean = {.batch = 4};
  mn_status last = MN_OK;
  for (int32_t part = 0; part < 40 && last == MN_OK; part++) {
    assert_ok(mn_feed_open(&feed, dataset, MN_SPLIT_TEST, part, 40, &frontend, &clean, &error),
              &error);
    last = mn_feed_expect(feed, "to test with (split test)", &error);
    assert_int_equal(mn_feed_items(feed) == 0, last == MN_ERR_FORMAT);
    assert_int_equal(mn_feed_batches(feed) == 0, last == MN_ERR_FORMAT);
    mn_feed_close(feed);
  }
  assert_int_equal(last, MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "found no example to test with (split test)"));
  frontend.mels = 1000;
  assert_int_equal(mn_feed_open(&feed, dataset, MN_SPLIT_TRAIN, 0, 1, &frontend, &clean, &error),
                   MN_ERR_ARGUMENT);
  assert_non_null(strstr(error.text, "mels"));
  mn_dataset_close(dataset);
}

static void a_stop_should_end_the_work_as_interrupted(void **state) {
  (void)state;
  static volatile sig_atomic_t stop;
  mn_monitor monitor = {.stop = &stop};
  mn_dataset *dataset = open_data(NULL, NULL, &monitor);
  mn_feed_config config = recipe(dataset);
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  stop = 1;
  assert_int_equal(mn_feed_open(&feed, dataset, MN_SPLIT_TRAIN, 0, 1, &frontend, &config, &error),
                   MN_ERR_INTERRUPTED);
  assert_null(feed);
  mn_dataset_close(dataset);
  stop = 0;
}

static void every_failing_allocation_of_a_feed_should_be_reported(void **state) {
  (void)state;
  mn_dataset *dataset = open_data(NULL, NULL, NULL);
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_feed_config config = recipe(dataset);
  config.variants = 1;
  for (int64_t n = 0;; n++) {
    int64_t left = n;
    mn_heap heap = test_failing_heap(&left);
    mn_feed *feed = NULL;
    mn_error error = {{0}};
    mn_heap_set(&heap);
    mn_status status = mn_feed_open(&feed, dataset, MN_SPLIT_VAL, 0, 1, &frontend, &config, &error);
    if (status == MN_OK) mn_feed_close(feed);
    mn_heap_set(NULL);
    if (status == MN_OK) {
      assert_true(n > 5);
      break;
    }
    if (status != MN_ERR_MEMORY)
      fail_msg("allocation %lld: status %d, %s", (long long)n, status, error.text);
    assert_null(feed);
    assert_true(n < 1000);
  }
  mn_dataset_close(dataset);
}

static void spoken_words_should_be_a_data_set_whose_voices_keep_to_one_split(void **state) {
  (void)state;
  mn_pool *pool = NULL;
  assert_int_equal(mn_pool_create(&pool, 0), MN_OK);
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.words = "yes,no", .only_words = true, .seed = 2, .pool = pool};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  assert_int_equal(mn_dataset_classes(dataset), 2);
  assert_string_equal(mn_dataset_class(dataset, 1), "no");
  assert_non_null(strstr(mn_dataset_trained_on(dataset), "synthetic"));
  int32_t items[MN_SPLIT_COUNT] = {0};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    items[item->split]++;
    for (int32_t k = 0; k < i; k++) {
      const mn_item *other = mn_dataset_item(dataset, k);
      if (strcmp(item->speaker, other->speaker) == 0) assert_int_equal(item->split, other->split);
    }
  }
  for (int s = 0; s < MN_SPLIT_COUNT; s++) assert_true(items[s] > 0);
  int16_t pcm[8000];
  int32_t loudest = 0;
  assert_ok(mn_dataset_clip(dataset, pcm, 0, 8000, 8000, &error), &error);
  for (int i = 0; i < 8000; i++) loudest = abs(pcm[i]) > loudest ? abs(pcm[i]) : loudest;
  assert_true(loudest > 500);
  mn_dataset_close(dataset);
  mn_pool_destroy(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(batches_should_not_depend_on_threads_or_on_the_order_of_calls),
      cmocka_unit_test(another_seed_or_epoch_should_give_other_draws),
      cmocka_unit_test(a_clean_feed_should_serve_every_item_once_in_order),
      cmocka_unit_test(inputs_should_be_the_bytes_that_the_microcontroller_makes),
      cmocka_unit_test(an_augmented_feed_without_any_draw_should_equal_the_clean_one),
      cmocka_unit_test(parts_should_divide_a_split_without_rest),
      cmocka_unit_test(shares_of_a_batch_should_hold_its_very_items),
      cmocka_unit_test(smoothing_and_mixup_should_keep_targets_a_distribution),
      cmocka_unit_test(kept_features_should_be_the_same_and_broken_ones_made_again),
      cmocka_unit_test(a_cache_that_cannot_be_written_should_be_a_warning),
      cmocka_unit_test(a_full_disk_should_leave_no_half_file),
      cmocka_unit_test(a_part_without_items_should_be_an_empty_feed_that_says_what_is_missing),
      cmocka_unit_test(spoken_words_should_be_a_data_set_whose_voices_keep_to_one_split),
      cmocka_unit_test(a_stop_should_end_the_work_as_interrupted),
      cmocka_unit_test(every_failing_allocation_of_a_feed_should_be_reported),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
