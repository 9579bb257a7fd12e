/* test_eval_dataset.c - eval over a data set made here: every count against a plain loop, whatever
 * the threads; folders without a label; the threshold; AUC.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

#include "micronets/eval.h"
#include "micronets/exec.h"
#include "micronets/net.h"
#include "models.h"
#include "support.h"

enum { WORDS = 4, CLIPS = 30, CLASSES = 4 };
#define INPUT_LINE \
  "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10"

static const char *const words[WORDS] = {"low", "high", "hiss", "mystery"};
static char root[256];
static mn_dataset *dataset;
static mn_pool *pool;

static void write_clip(const char *path, int word, uint64_t seed) {
  SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  assert_non_null(file);
  mn_rng rng = mn_rng_seed(seed);
  double step = word == 0 ? 0.1 : word == 1 ? 0.6 : 0.3, noise = word == 2 ? 0.3 : 0.02;
  step *= mn_rng_range(&rng, 0.6, 1.4);
  for (int i = 0; i < 16000; i++) {
    float value = (float)((word == 2 ? 0.02 : 0.3) * sin(i * step) + noise * mn_rng_normal(&rng));
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
      const char *split = c < 6 ? "train" : c < 18 ? "val" : "test";
      snprintf(path, sizeof path, "%s/%s/%s", root, split, words[w]);
      if (mn_folder_make(path, &error) != MN_OK) return -1;
      snprintf(path, sizeof path, "%s/%s/%s/clip%d.wav", root, split, words[w], c);
      write_clip(path, w, (uint64_t)(1000 * w + c));
    }
  }
  if (mn_pool_create(&pool, 4) != MN_OK) return -1;
  const mn_data_config config = {.path = root, .seed = 1, .pool = pool};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  mn_dataset_close(dataset);
  mn_pool_destroy(pool);
  return 0;
}

/* A random network on the paper's features: it knows nothing, but its answers vary. */
static mn_model make_model(mn_arena *arena, const char *const *labels) {
  const mn_window stem = {10, 4, 4, 2, 1, 1, 1, MN_PADDING_SAME};
  model m = model_begin(arena, 11, MN_DTYPE_INT8, MN_DTYPE_INT8);
  mn_error error = {{0}};
  mn_tensor_id x = model_input(&m, "input", (mn_shape){4, {1, 49, 10, 1}});
  mn_tensor_id y = model_conv(&m, "conv1", x, 6, stem, MN_ACTIVATION_RELU);
  y = model_reshape(&m, "flatten2", y, (mn_shape){2, {1, 13 * 5 * 6}}, false);
  y = model_fully_connected(&m, "fc3", y, CLASSES, true, MN_ACTIVATION_NONE);
  y = model_softmax(&m, "softmax4", y);
  mn_model made = {.graph = model_freeze(&m, model_finish(&m, &x, 1, &y, 1)),
                   .labels = labels,
                   .label_count = CLASSES};
  assert_ok(mn_frontend_parse(&made.frontend, INPUT_LINE, &error), &error);
  return made;
}

static mn_eval_result evaluate(mn_arena *arena, const mn_model *model, unsigned splits,
                               mn_pool *with) {
  mn_eval_result result;
  mn_error error = {{0}};
  assert_ok(mn_eval(&result, arena, model, dataset, splits, with, &error), &error);
  return result;
}

/* One item after the other, with nothing shared with eval but feed and executor. */
static void count_plainly(int32_t confusion[CLASSES][CLASSES], mn_arena *arena,
                          const mn_model *model, const int32_t *label_of) {
  const mn_quantization *q = &model->graph->tensors[model->graph->inputs[0]].quantization;
  const mn_feed_config config = {.batch = 7};
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  int8_t input[490];
  assert_ok(
      mn_plan_make(&plan, arena, model->graph, NULL, &(mn_plan_options){.kernels = "ref"}, &error),
      &error);
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  assert_ok(mn_feed_open(&feed, dataset, MN_SPLIT_TEST, 0, 1, &model->frontend, &config, &error),
            &error);
  for (int32_t b = 0, index = 0; b < mn_feed_batches(feed); b++) {
    mn_batch batch;
    assert_ok(mn_feed_batch(feed, &batch, 0, b, &error), &error);
    for (int32_t i = 0; i < batch.items; i++, index++) {
      assert_ok(mn_feed_input(feed, input, index, q->scale[0], q->zero_point[0], &error), &error);
      memcpy(mn_exec_input(exec, 0), input, sizeof input);
      mn_exec_run(exec, NULL);
      const int8_t *output = mn_exec_output(exec, 0);
      int32_t best = 0;
      for (int32_t c = 1; c < CLASSES; c++)
        if (output[c] > output[best]) best = c;
      int32_t truth = label_of[mn_dataset_item(dataset, batch.item[i])->label];
      if (truth >= 0) confusion[truth][best]++;
    }
  }
  mn_feed_close(feed);
  mn_exec_destroy(exec);
}

static int32_t class_of(const char *name) {
  for (int32_t c = 0; c < mn_dataset_classes(dataset); c++)
    if (strcmp(mn_dataset_class(dataset, c), name) == 0) return c;
  fail_msg("the data has no class %s", name);
  return -1;
}

static void counts_should_be_those_of_a_plain_loop_whatever_the_threads(void **state) {
  (void)state;
  static const char *const labels[CLASSES] = {"hiss", "unknown", "high", "low"};
  mn_arena *arena = NULL;
  mn_pool *alone = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_pool_create(&alone, 1), MN_OK);
  mn_model model = make_model(arena, labels);
  int32_t label_of[WORDS], confusion[CLASSES][CLASSES] = {{0}};
  label_of[class_of("hiss")] = 0;
  label_of[class_of("mystery")] = 1; /* no label: unknown */
  label_of[class_of("high")] = 2;
  label_of[class_of("low")] = 3;
  count_plainly(confusion, arena, &model, label_of);
  mn_pool *const pools[] = {pool, alone};
  for (size_t p = 0; p < MN_COUNT(pools); p++) {
    mn_eval_result result = evaluate(arena, &model, 1u << MN_SPLIT_TEST, pools[p]);
    assert_int_equal(result.items, 48);
    assert_int_equal(result.taken_as_unknown, 12);
    assert_int_equal(result.left_out, 0);
    assert_memory_equal(result.confusion, confusion, sizeof confusion);
    int32_t right = 0, answers = 0;
    for (int32_t c = 0; c < CLASSES; c++) right += confusion[c][c];
    for (int32_t c = 0; c < CLASSES; c++) answers += confusion[0][c] + confusion[2][c] > 0;
    assert_true(answers > 1); /* a model with one answer would prove nothing */
    assert_true(result.accuracy == right / 48.0);
    for (int32_t c = 0; c < CLASSES; c++)
      assert_true(result.per_class[c] == confusion[c][c] / 12.0);
    assert_true(result.threshold == -1 && result.recall == -1);
  }
  mn_pool_destroy(alone);
  mn_arena_destroy(arena);
}

static void folders_without_a_label_should_be_left_out_where_nothing_is_unknown(void **state) {
  (void)state;
  static const char *const labels[CLASSES] = {"hiss", "other", "high", "low"};
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_model model = make_model(arena, labels);
  mn_eval_result result = evaluate(arena, &model, 1u << MN_SPLIT_TEST | 1u << MN_SPLIT_VAL, pool);
  assert_int_equal(result.items, 72);
  assert_int_equal(result.left_out, 24);
  assert_int_equal(result.taken_as_unknown, 0);
  assert_true(result.per_class[1] == -1); /* no item of that kind */
  mn_arena_destroy(arena);
}

static void data_of_other_words_should_be_refused_by_name(void **state) {
  (void)state;
  static const char *const labels[CLASSES] = {"red", "green", "blue", "grey"};
  mn_arena *arena = NULL;
  mn_eval_result result;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_model model = make_model(arena, labels);
  assert_int_equal(mn_eval(&result, arena, &model, dataset, 1u << MN_SPLIT_TEST, pool, &error),
                   MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "red"));
  mn_arena_destroy(arena);
}

static double worth(const mn_eval_result *result) {
  return result->recall - 2 * result->false_accepts;
}

static void no_threshold_should_be_worth_more_than_the_calibrated_one(void **state) {
  (void)state;
  static const char *const labels[CLASSES] = {"hiss", "unknown", "high", "low"};
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  float threshold = -1;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_model model = make_model(arena, labels);
  assert_ok(mn_eval_calibrate(&threshold, &model, dataset, pool, &error), &error);
  assert_true(threshold >= 0 && threshold < 1);
  model.has_threshold = true;
  model.threshold = threshold;
  mn_eval_result best = evaluate(arena, &model, 1u << MN_SPLIT_VAL, pool);
  assert_float_equal(best.threshold, threshold, 0);
  double last_recall = 2, last_false = 2;
  for (int step = 0; step < 100; step += 7) {
    model.threshold = (float)(step / 100.0 + 0.001);
    mn_eval_result other = evaluate(arena, &model, 1u << MN_SPLIT_VAL, pool);
    assert_true(worth(&other) <= worth(&best) + 1e-9);
    assert_true(other.recall <= last_recall && other.false_accepts <= last_false);
    last_recall = other.recall;
    last_false = other.false_accepts;
  }
  mn_arena_destroy(arena);
}

static void auc_should_be_the_chance_that_a_positive_scores_higher(void **state) {
  (void)state;
  const double score[] = {0.1, 0.4, 0.35, 0.8}, ties[] = {1, 1, 1, 1};
  const bool positive[] = {false, false, true, true}, all[] = {true, true, true, true};
  mn_error error = {{0}};
  double area;
  assert_ok(mn_eval_auc(&area, score, positive, 4, &error), &error);
  assert_float_equal(area, 0.75, 1e-15);
  assert_ok(mn_eval_auc(&area, ties, positive, 4, &error), &error);
  assert_float_equal(area, 0.5, 1e-15);
  assert_ok(mn_eval_auc(&area, score, all, 4, &error), &error);
  assert_float_equal(area, -1, 0);
  mn_rng rng = mn_rng_seed(5);
  double random[200], wins = 0;
  bool kind[200];
  int pairs = 0;
  for (int i = 0; i < 200; i++) {
    kind[i] = i % 3 == 0;
    random[i] = (double)mn_rng_below(&rng, 40) + 6 * kind[i];
  }
  for (int i = 0; i < 200; i++) {
    for (int k = 0; k < 200; k++) {
      if (!kind[i] || kind[k]) continue;
      wins += random[i] > random[k] ? 1 : random[i] < random[k] ? 0 : 0.5;
      pairs++;
    }
  }
  assert_ok(mn_eval_auc(&area, random, kind, 200, &error), &error);
  assert_float_equal(area, wins / pairs, 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_should_be_those_of_a_plain_loop_whatever_the_threads),
      cmocka_unit_test(folders_without_a_label_should_be_left_out_where_nothing_is_unknown),
      cmocka_unit_test(data_of_other_words_should_be_refused_by_name),
      cmocka_unit_test(no_threshold_should_be_worth_more_than_the_calibrated_one),
      cmocka_unit_test(auc_should_be_the_chance_that_a_positive_scores_higher),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
