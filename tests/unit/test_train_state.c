/* The trainer as a whole: same bytes for any number of threads, agreement between instruction sets,
 * learning, divergence, checkpoints, resume, inheritance, failing memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "train/checkpoint.h"
#include "train_support.h"

enum { ITEMS = 19, CLASSES = 4, BATCHES = 5 };

/* ---- A feed of made-up batches, in place of the data room's ---------------------------------------*/
struct mn_feed {
  toy batch[BATCHES];
};

int32_t mn_feed_batches(const mn_feed *feed) {
  (void)feed;
  return BATCHES;
}

mn_status mn_feed_share(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index, int32_t part,
                        int32_t parts, mn_error *error) {
  (void)error, (void)part, (void)parts;
  *batch = feed->batch[(index + epoch) % BATCHES].batch;
  return MN_OK;
}

static mn_feed feed_make(mn_arena *arena) {
  mn_feed feed;
  for (int i = 0; i < BATCHES; i++)
    feed.batch[i] = toy_make(arena, ITEMS, 490, CLASSES, (uint64_t)i);
  return feed;
}

/* ---- A small network, trained ----------------------------------------------------------------------*/
typedef struct bench {
  sketch s;
  const mn_graph *graph;
  mn_train_config config;
  mn_feed feed;
} bench;

static bench bench_make(int32_t width, int32_t threads) {
  bench b = {0};
  b.graph = sketch_ds_cnn(&b.s, width, 2, 2, 1, CLASSES);
  b.config = mn_train_defaults();
  b.config.batch = ITEMS, b.config.steps = 4 * BATCHES, b.config.dropout = 0.2;
  b.config.quantize_from = 2 * BATCHES;
  assert_int_equal(mn_pool_create(&b.config.pool, threads), MN_OK);
  b.feed = feed_make(b.s.arena);
  return b;
}

static void bench_free(bench *b) {
  mn_pool_destroy(b->config.pool);
  mn_arena_destroy(b->s.arena);
}

static mn_trainer *trainer_of(const bench *b) {
  mn_error error = {{0}};
  mn_trainer *t = NULL;
  assert_ok(mn_trainer_create(&t, b->graph, &b->config, &error), &error);
  return t;
}

static void fit_all(bench *b, mn_trainer *t, mn_fit_result *result) {
  mn_error error = {{0}};
  const mn_fit_config config = {.epochs = 4};
  assert_ok(mn_fit(t, result, &b->feed, &b->feed, &config, &error), &error);
}

static mn_bytes bytes_of(mn_arena *arena, const mn_trainer *t, const char *path) {
  mn_error error = {{0}};
  assert_ok(mn_trainer_save(t, path, 7, &error), &error);
  return test_read(arena, path);
}

static void assert_same_bytes(mn_bytes a, mn_bytes b) {
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
}

static void check_threads(mn_arithmetic arithmetic) {
  const char *path = test_folder();
  mn_arena *arena;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_bytes first = {0};
  for (int32_t threads = 1; threads <= 5; threads += 2) {
    bench b = bench_make(20, threads);
    b.config.arithmetic = arithmetic;
    mn_trainer *t = trainer_of(&b);
    mn_fit_result result;
    fit_all(&b, t, &result);
    const mn_bytes bytes = bytes_of(arena, t, mn_arena_text(arena, "%s/t%d", path, threads));
    if (threads == 1)
      first = bytes;
    else
      assert_same_bytes(bytes, first);
    mn_trainer_destroy(t);
    bench_free(&b);
  }
  mn_arena_destroy(arena);
}

static void any_number_of_threads_should_give_the_same_bytes(void **state) {
  (void)state;
  check_threads(MN_ARITHMETIC_FLOAT32);
  check_threads(MN_ARITHMETIC_BF16);
}

static void check_instruction_sets(mn_arithmetic arithmetic) {
  static const char *const isas[] = {"portable", "avx2", "avx512"};
  double expected = 0;
  for (size_t i = 0; i < MN_COUNT(isas); i++) {
    if (mn_lanes_get(isas[i]) == NULL) continue;
    bench b = bench_make(20, 2);
    b.config.isa = isas[i], b.config.arithmetic = arithmetic;
    mn_trainer *t = trainer_of(&b);
    mn_error error = {{0}};
    double loss = 0;
    for (int k = 0; k < 5; k++)
      assert_ok(mn_trainer_step(t, &loss, &b.feed.batch[0].batch, NULL, true, &error), &error);
    if (i == 0)
      expected = loss;
    else if (fabs(loss - expected) > 1e-3 * expected)
      fail_msg("%s: %g, %g", isas[i], loss, expected);
    mn_trainer_destroy(t);
    bench_free(&b);
  }
}

static void instruction_sets_should_agree(void **state) {
  (void)state;
  check_instruction_sets(MN_ARITHMETIC_FLOAT32);
  check_instruction_sets(MN_ARITHMETIC_BF16);
}

static void a_toy_task_should_be_learnt_with_either_optimizer(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    bench b = bench_make(20, 2);
    b.config.optimizer = k == 0 ? MN_OPTIMIZER_ADAMW : MN_OPTIMIZER_SGD;
    b.config.learning_rate = k == 0 ? 1e-2 : 1e-1;
    b.config.dropout = 0, b.config.steps = 20 * BATCHES;
    mn_trainer *t = trainer_of(&b);
    mn_error error = {{0}};
    mn_fit_result result;
    const mn_fit_config config = {.epochs = 20};
    assert_ok(mn_fit(t, &result, &b.feed, &b.feed, &config, &error), &error);
    assert_true(result.loss < 0.2 && result.train_accuracy > 0.95 && result.val_accuracy > 0.95);
    assert_int_equal(result.epochs, 20);
    mn_trainer_destroy(t);
    bench_free(&b);
  }
}

static void divergence_should_name_layer_and_step(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  mn_trainer *t = trainer_of(&b);
  mn_error error = {{0}};
  double loss;
  assert_ok(mn_trainer_step(t, &loss, &b.feed.batch[0].batch, NULL, true, &error), &error);
  mn_trainer_parameter(t, "ds1.conv", MN_PARAMETER_WEIGHTS)->value[0] = NAN;
  assert_int_equal(mn_trainer_step(t, &loss, &b.feed.batch[0].batch, NULL, true, &error),
                   MN_ERR_DIVERGED);
  assert_non_null(strstr(error.text, "ds1.conv"));
  assert_non_null(strstr(error.text, "step 1"));
  mn_trainer_destroy(t);
  bench_free(&b);
}

/* ---- Resume -------------------------------------------------------------------------------------*/
static volatile sig_atomic_t stop_flag;
static int64_t stop_at;
static void stop_when(void *context, const mn_progress *progress) {
  (void)context;
  if (progress->step == stop_at) stop_flag = 1;
}

static void check_stopped_runs(mn_arithmetic arithmetic) {
  const char *folder = test_folder();
  bench b = bench_make(12, 2);
  b.config.arithmetic = arithmetic;
  mn_trainer *whole = trainer_of(&b);
  mn_fit_result result, again = {0};
  fit_all(&b, whole, &result);
  const mn_bytes expected =
      bytes_of(b.s.arena, whole, mn_arena_text(b.s.arena, "%s/whole", folder));
  const mn_monitor monitor = {.progress = stop_when, .stop = &stop_flag};
  mn_fit_config config = {.epochs = 4, .resume = true, .identity = 7, .monitor = &monitor};
  mn_error error = {{0}};
  for (stop_at = 1; stop_at < 4 * BATCHES; stop_at += 3) {
    config.checkpoint = mn_arena_text(b.s.arena, "%s/stop%d", folder, (int)stop_at);
    mn_trainer *first = trainer_of(&b), *second = trainer_of(&b);
    stop_flag = 0;
    assert_int_equal(mn_fit(first, &again, &b.feed, &b.feed, &config, &error), MN_ERR_INTERRUPTED);
    stop_flag = 0;
    assert_int_equal(mn_trainer_steps_done(first), stop_at);
    assert_ok(mn_fit(second, &again, &b.feed, &b.feed, &config, &error), &error);
    assert_same_bytes(test_read(b.s.arena, config.checkpoint), expected);
    assert_true(again.loss == result.loss && again.val_accuracy == result.val_accuracy &&
                again.train_accuracy == result.train_accuracy);
    mn_trainer_destroy(first);
    mn_trainer_destroy(second);
  }
  mn_trainer_destroy(whole);
  bench_free(&b);
}

static void a_run_stopped_anywhere_should_end_with_the_same_bytes(void **state) {
  (void)state;
  check_stopped_runs(MN_ARITHMETIC_FLOAT32);
  check_stopped_runs(MN_ARITHMETIC_BF16);
}

static void a_checkpoint_of_another_arithmetic_should_be_refused(void **state) {
  (void)state;
  bench b = bench_make(12, 1), c = bench_make(12, 1);
  const char *path = mn_arena_text(b.s.arena, "%s/x", test_folder());
  c.config.arithmetic = MN_ARITHMETIC_BF16;
  mn_trainer *t[2] = {trainer_of(&b), trainer_of(&c)};
  mn_error error = {{0}};
  int32_t layers = 0;
  for (int k = 0; k < 2; k++) {
    assert_ok(mn_trainer_save(t[k], path, 7, &error), &error);
    assert_ok(mn_trainer_load(t[k], path, 7, &error), &error);
    assert_int_equal(mn_trainer_load(t[1 - k], path, 7, &error), MN_ERR_FORMAT);
    assert_non_null(strstr(error.text, k == 0 ? "--arithmetic float32" : "--arithmetic bf16"));
    assert_ok(mn_trainer_load_layers(t[1 - k], &layers, path, &error),
              &error); /* weights may move */
  }
  mn_trainer_destroy(t[0]), mn_trainer_destroy(t[1]);
  bench_free(&b), bench_free(&c);
}

static void a_checkpoint_of_another_network_should_be_refused(void **state) {
  (void)state;
  bench b = bench_make(12, 1), c = bench_make(16, 1);
  const char *path = mn_arena_text(b.s.arena, "%s/x", test_folder());
  mn_trainer *t = trainer_of(&b), *other = trainer_of(&c);
  mn_error error = {{0}};
  assert_ok(mn_trainer_save(t, path, 7, &error), &error);
  assert_int_equal(mn_trainer_load(t, path, 8, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "0000000000000007"));
  assert_non_null(strstr(error.text, "0000000000000008"));
  assert_int_equal(mn_trainer_load(other, path, 7, &error), MN_ERR_FORMAT);
  assert_int_equal(mn_trainer_load(t, "/nonexistent/x", 7, &error), MN_ERR_FORMAT);
  mn_trainer_destroy(t);
  mn_trainer_destroy(other);
  bench_free(&b);
  bench_free(&c);
}

/* Every prefix, and every byte changed at a stride: refused, and the trainer stays as it was. With the
 * checksum put right the lengths themselves must be caught. */
static void damaged_checkpoints_should_be_refused(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  const char *path = mn_arena_text(b.s.arena, "%s/x", test_folder());
  mn_trainer *t = trainer_of(&b);
  mn_error error = {{0}};
  const mn_bytes good = bytes_of(b.s.arena, t, path);
  uint8_t *copy = mn_arena_copy(b.s.arena, good.data, good.size);
  for (size_t size = 0; size < good.size; size += 1 + good.size / 97) {
    assert_ok(mn_file_write(path, good.data, size, &error), &error);
    assert_int_equal(mn_trainer_load(t, path, 7, &error), MN_ERR_FORMAT);
  }
  for (size_t at = 0; at < good.size; at += at < 200 ? 1 : 1 + good.size / 97) {
    copy[at] ^= 0x81;
    assert_ok(mn_file_write(path, copy, good.size, &error), &error);
    assert_int_equal(mn_trainer_load(t, path, 7, &error), MN_ERR_FORMAT);
    const uint32_t crc = mn_crc32(0, copy, good.size - 4);
    memcpy(copy + good.size - 4, &crc, 4);
    assert_ok(mn_file_write(path, copy, good.size, &error), &error);
    int32_t layers;
    (void)!mn_trainer_load_layers(t, &layers, path, &error); /* any answer but a crash */
    memcpy(copy, good.data, good.size);
  }
  mn_trainer_destroy(t);
  bench_free(&b);
}

static void attachments_should_travel_with_the_checkpoint(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  const char *path = mn_arena_text(b.s.arena, "%s/x", test_folder());
  mn_trainer *t = trainer_of(&b), *plain = trainer_of(&b), *again = trainer_of(&b);
  mn_error error = {{0}};
  int32_t counter = 41, other = 0, copy = 0;
  int64_t wide = 0;
  mn_trainer_attach(t, "test.counter", &counter, sizeof counter);
  assert_ok(mn_trainer_save(t, path, 7, &error), &error);
  mn_trainer_attach(again, "test.counter", &other, sizeof other);
  assert_ok(mn_trainer_load(again, path, 7, &error), &error);
  assert_int_equal(other, 41);
  assert_ok(mn_checkpoint_attachment(path, 7, "test.counter", &copy, sizeof copy, &error), &error);
  assert_int_equal(copy, 41);
  assert_int_equal(mn_checkpoint_attachment(path, 8, "test.counter", &copy, 4, &error),
                   MN_ERR_FORMAT);
  assert_int_equal(mn_checkpoint_attachment(path, 7, "test.counter", &wide, 8, &error),
                   MN_ERR_FORMAT);
  mn_trainer_attach(again, "test.missing", &wide, sizeof wide);
  assert_int_equal(mn_trainer_load(again, path, 7, &error), MN_ERR_FORMAT);
  assert_ok(mn_trainer_load(plain, path, 7, &error), &error); /* without interest in the block */
  mn_trainer_destroy(t), mn_trainer_destroy(plain), mn_trainer_destroy(again);
  bench_free(&b);
}

static void statistics_found_anew_should_be_those_of_the_batches(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  b.config.dropout = 0;
  mn_trainer *t = trainer_of(&b);
  mn_error error = {{0}};
  for (int i = 1; i < BATCHES; i++) b.feed.batch[i] = b.feed.batch[0];
  float *scores = mn_arena_array(b.s.arena, ITEMS * CLASSES, sizeof *scores);
  double loss, expected = 0;
  assert_ok(mn_trainer_step(t, &loss, &b.feed.batch[0].batch, NULL, false, &error), &error);
  assert_ok(mn_trainer_calibrate(t, &b.feed, 3, &error), &error);
  assert_ok(mn_trainer_scores(t, scores, &b.feed.batch[0].batch, NULL, &error), &error);
  for (int i = 0; i < ITEMS; i++) {
    double total = 0;
    for (int c = 0; c < CLASSES; c++) total += exp((double)scores[i * CLASSES + c]);
    expected += (log(total) - (double)scores[i * CLASSES + b.feed.batch[0].label[i]]) / ITEMS;
  }
  assert_true(fabs(loss - expected) < 0.01); /* the variance is the unbiased one */
  mn_trainer_destroy(t);
  bench_free(&b);
}

/* ---- Inheritance --------------------------------------------------------------------------------*/
static float weight_at(const mn_trainer *t, const char *op, int32_t o, int32_t k, int32_t c) {
  const mn_parameter *p = mn_trainer_parameter(t, op, MN_PARAMETER_WEIGHTS);
  return p->value[mn_parameter_padded(p, o, k, c)];
}

static void narrower_layers_should_take_the_leading_channels(void **state) {
  (void)state;
  bench wide = bench_make(28, 1), narrow = bench_make(18, 1);
  wide.config.seed = 99;
  const char *path = mn_arena_text(wide.s.arena, "%s/x", test_folder());
  mn_trainer *from = trainer_of(&wide), *to = trainer_of(&narrow), *file = trainer_of(&narrow);
  mn_error error = {{0}};
  double loss;
  int32_t layers = 0;
  assert_ok(mn_trainer_step(from, &loss, &wide.feed.batch[0].batch, NULL, true, &error), &error);
  assert_ok(mn_trainer_inherit(to, &layers, from, &error), &error);
  assert_int_equal(layers, 6);
  assert_ok(mn_trainer_save(from, path, 7, &error), &error);
  assert_ok(mn_trainer_load_layers(file, &layers, path, &error), &error);
  assert_int_equal(layers, 6);
  assert_true(weight_at(to, "ds1.conv", 17, 0, 5) == weight_at(from, "ds1.conv", 17, 0, 5));
  assert_true(weight_at(to, "ds0.depthwise", 3, 8, 0) == weight_at(from, "ds0.depthwise", 3, 8, 0));
  for (int32_t i = 0; i < to->parameter_count; i++)
    assert_memory_equal(to->parameters[i].value, file->parameters[i].value,
                        (size_t)to->parameters[i].count * sizeof(float));
  assert_ok(mn_trainer_inherit(from, &layers, to, &error), &error);
  assert_int_equal(layers, 0); /* wider than their source */
  mn_trainer_destroy(from), mn_trainer_destroy(to), mn_trainer_destroy(file);
  bench_free(&wide), bench_free(&narrow);
}

/* ---- Failing memory -----------------------------------------------------------------------------*/
static int32_t allocations_left;
static void *reallocate_some(void *context, void *memory, size_t size) {
  (void)context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  return allocations_left-- > 0 ? realloc(memory, size) : NULL;
}

static void every_failed_allocation_should_be_reported(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  const mn_heap heap = {.reallocate = reallocate_some};
  mn_error error = {{0}};
  mn_status status = MN_ERR_MEMORY;
  int32_t tried = 0;
  for (; status == MN_ERR_MEMORY && tried < 2000; tried++) {
    mn_trainer *t = NULL;
    allocations_left = tried;
    mn_heap_set(&heap);
    status = mn_trainer_create(&t, b.graph, &b.config, &error);
    if (status == MN_OK) mn_trainer_destroy(t);
    mn_heap_set(NULL);
  }
  assert_int_equal(status, MN_OK);
  assert_true(tried > 10);
  bench_free(&b);
}

static mn_status save_once(mn_trainer *t, const char *path, mn_error *error) {
  return mn_trainer_save(t, path, 7, error);
}
static mn_status load_once(mn_trainer *t, const char *path, mn_error *error) {
  return mn_trainer_load(t, path, 7, error);
}

static void checkpoints_should_survive_failing_memory(void **state) {
  (void)state;
  static mn_status (*const calls[])(mn_trainer *, const char *, mn_error *) = {save_once,
                                                                               load_once};
  bench b = bench_make(8, 1);
  const mn_heap heap = {.reallocate = reallocate_some};
  const char *path = mn_arena_text(b.s.arena, "%s/x", test_folder());
  mn_trainer *t = trainer_of(&b);
  mn_error error = {{0}};
  const mn_bytes before = bytes_of(b.s.arena, t, path);
  for (size_t k = 0; k < MN_COUNT(calls); k++) {
    mn_status status = MN_ERR_MEMORY;
    int32_t tried = 0;
    for (; status == MN_ERR_MEMORY && tried < 2000; tried++) {
      allocations_left = tried;
      mn_heap_set(&heap);
      status = calls[k](t, path, &error);
      mn_heap_set(NULL);
      assert_same_bytes(test_read(b.s.arena, path), before);
    }
    if (status != MN_OK) fail_msg("%s", error.text);
    assert_true(tried > 1);
  }
  mn_trainer_destroy(t);
  bench_free(&b);
}

static void a_full_disk_should_be_reported(void **state) {
  (void)state;
  bench b = bench_make(8, 1);
  mn_trainer *t = trainer_of(&b);
  mn_error error = {{0}};
  assert_int_equal(mn_trainer_save(t, "/dev/full", 7, &error), MN_ERR_IO);
  assert_int_equal(mn_trainer_save(t, "/nonexistent/folder/x", 7, &error), MN_ERR_IO);
  mn_trainer_destroy(t);
  bench_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_threads_should_give_the_same_bytes),
      cmocka_unit_test(instruction_sets_should_agree),
      cmocka_unit_test(a_toy_task_should_be_learnt_with_either_optimizer),
      cmocka_unit_test(divergence_should_name_layer_and_step),
      cmocka_unit_test(a_run_stopped_anywhere_should_end_with_the_same_bytes),
      cmocka_unit_test(a_checkpoint_of_another_network_should_be_refused),
      cmocka_unit_test(a_checkpoint_of_another_arithmetic_should_be_refused),
      cmocka_unit_test(damaged_checkpoints_should_be_refused),
      cmocka_unit_test(attachments_should_travel_with_the_checkpoint),
      cmocka_unit_test(statistics_found_anew_should_be_those_of_the_batches),
      cmocka_unit_test(narrower_layers_should_take_the_leading_channels),
      cmocka_unit_test(every_failed_allocation_should_be_reported),
      cmocka_unit_test(checkpoints_should_survive_failing_memory),
      cmocka_unit_test(a_full_disk_should_be_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
