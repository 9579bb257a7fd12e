/* dataset_dump.c - opens a data set and prints what is in it, and the speed of its feeds:
 * dataset_dump PATH|words:W CLASSES|- CACHE|- [AUGMENT]
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/data.h"

static int fail(const mn_error *error) {
  fprintf(stderr, "%s\n", error->text);
  return 3;
}

static void message(void *context, mn_level level, const char *text) {
  (void)context;
  fprintf(stderr, "level=%d %s\n", (int)level, text);
}

static int feed_speed(const mn_dataset *dataset, mn_split split, const mn_feed_config *config) {
  mn_error error = {{0}};
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_feed *feed = NULL;
  double start = mn_seconds();
  if (mn_feed_open(&feed, dataset, split, 0, 1, &frontend, config, &error) != MN_OK)
    return fail(&error);
  double opened = mn_seconds(), sum = 0;
  for (int32_t epoch = 0; epoch < 2; epoch++) {
    for (int32_t i = 0; i < mn_feed_batches(feed); i++) {
      mn_batch batch;
      if (mn_feed_batch(feed, &batch, epoch, i, &error) != MN_OK) return fail(&error);
      for (int32_t k = 0; k < batch.items * 490; k++) sum += (double)batch.x[k];
    }
  }
  printf("%s: %d items, opened in %.2f s, %.4f s an epoch, sum %.6f\n", mn_split_text(split),
         mn_feed_items(feed), opened - start, (mn_seconds() - opened) / 2, sum);
  mn_feed_close(feed);
  return 0;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  bool words = strncmp(arguments[1], "words:", 6) == 0;
  mn_monitor monitor = {.message = message};
  mn_data_config config = {.seed = 1, .monitor = &monitor};
  if (words)
    config.words = arguments[1] + 6;
  else
    config.path = arguments[1];
  if (strcmp(arguments[2], "-") != 0) config.classes = arguments[2];
  if (strcmp(arguments[3], "-") != 0) config.cache_folder = arguments[3];
  mn_error error = {{0}};
  mn_dataset *dataset = NULL;
  if (mn_pool_create(&config.pool, 0) != MN_OK) return 1;
  double start = mn_seconds();
  mn_status status = mn_dataset_open(&dataset, &config, &error);
  if (status != MN_OK) return fail(&error);
  printf("opened in %.2f s, %d items, %d Hz, hash %016llx, %s\n", mn_seconds() - start,
         mn_dataset_items(dataset), mn_dataset_sample_rate(dataset),
         (unsigned long long)mn_dataset_hash(dataset), mn_dataset_trained_on(dataset));
  for (int32_t c = 0; c < mn_dataset_classes(dataset); c++) {
    int32_t items[MN_SPLIT_COUNT] = {0};
    for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
      const mn_item *item = mn_dataset_item(dataset, i);
      if (item->label == c) items[item->split]++;
    }
    printf("%-12s %5d %5d %5d\n", mn_dataset_class(dataset, c), items[0], items[1], items[2]);
  }
  for (int32_t i = 0; i < mn_dataset_problems(dataset) && i < 20; i++) {
    const mn_problem *problem = mn_dataset_problem(dataset, i);
    printf("%s: %s: %s\n", problem->file, problem->kind, problem->text);
  }
  printf("%d problems\n", mn_dataset_problems(dataset));
  mn_feed_config train = mn_feed_defaults(dataset), clean = {.batch = 100};
  if (count > 4) feed_speed(dataset, MN_SPLIT_TRAIN, &train);
  int code = feed_speed(dataset, MN_SPLIT_TEST, &clean);
  mn_dataset_close(dataset);
  mn_pool_destroy(config.pool);
  return code;
}
