/* dataset.c - a data set is opened, measured and split once; after that it only answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/augment.h"

const char *mn_split_text(mn_split split) {
  static const char *const texts[MN_SPLIT_COUNT] = {"train", "val", "test"};
  return split < MN_SPLIT_COUNT ? texts[split] : "none";
}

const char *mn_task_text(mn_task task) {
  static const char *const texts[] = {"auto", "kws", "vww", "ad", "ic"};
  return (size_t)task < MN_COUNT(texts) ? texts[task] : "none";
}

mn_status mn_problem_add(mn_dataset *dataset, const char *file, const char *kind,
                         const char *format, ...) {
  mn_problems *list = &dataset->problems;
  if (list->count == list->capacity) {
    int32_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
    mn_problem *items = mn_realloc(list->items, sizeof *items * (size_t)capacity);
    if (items == NULL) return MN_ERR_MEMORY;
    list->items = items;
    list->capacity = capacity;
  }
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const char *copy = mn_arena_text(dataset->arena, "%s", text);
  if (copy == NULL) return MN_ERR_MEMORY;
  list->items[list->count++] = (mn_problem){file, kind, copy};
  return MN_OK;
}

/* Texts of the caller may go away: they are copied. */
static mn_status copy_config(mn_dataset *dataset, const mn_data_config *config) {
  const char **texts[] = {&dataset->config.path,         &dataset->config.words,
                          &dataset->config.classes,      &dataset->config.language,
                          &dataset->config.cache_folder, &dataset->config.unknown_words};
  dataset->config = *config;
  for (size_t i = 0; i < MN_COUNT(texts); i++) {
    if (*texts[i] == NULL) continue;
    *texts[i] = mn_arena_text(dataset->arena, "%s", *texts[i]);
    if (*texts[i] == NULL) return MN_ERR_MEMORY;
  }
  return MN_OK;
}

static uint64_t hash_text(uint64_t sum, const char *text) {
  return mn_hash64(sum, text, strlen(text));
}

uint64_t mn_entry_hash(uint64_t sum, const mn_entry *entry) {
  const int32_t square[] = {entry->crop.left, entry->crop.top, entry->crop.side};
  sum = mn_hash64(sum, &entry->hash, sizeof entry->hash);
  return entry->crop.side > 0 ? mn_hash64(sum, square, sizeof square) : sum;
}

static void hash_dataset(mn_dataset *dataset) {
  uint64_t sum = dataset->config.seed;
  for (int32_t i = 0; i < dataset->classes; i++) sum = hash_text(sum, dataset->class_names[i]);
  for (int32_t i = 0; i < dataset->noise_count; i++) {
    uint64_t content = 0;
    if (mn_source_hash(&content, &dataset->source, dataset->noises[i]))
      sum = mn_hash64(sum, &content, sizeof content);
  }
  for (int32_t i = 0; i < dataset->count; i++) {
    int32_t numbers[2] = {dataset->items[i].label, (int32_t)dataset->items[i].split};
    sum = hash_text(sum, dataset->items[i].file);
    sum = mn_hash64(sum, numbers, sizeof numbers);
    sum = mn_entry_hash(sum, &dataset->entries[i]);
  }
  dataset->hash = sum;
}

/* Machines first, for files are told apart by their names; classes are what training shows. */
static mn_status open_machines(mn_dataset *dataset, mn_error *error) {
  dataset->task = MN_TASK_AD;
  if (dataset->images)
    return mn_error_set(error, MN_ERR_USAGE, "--task ad: %s holds photos; expected recordings",
                        dataset->config.path);
  MN_TRY(mn_machines_read(dataset, error));
  MN_TRY(mn_split_assign(dataset, error));
  MN_TRY(mn_audit(dataset, error));
  return mn_machines_label(dataset, error);
}

static mn_status open_classes(mn_dataset *dataset, mn_error *error) {
  MN_TRY(mn_labels_assign(dataset, error));
  MN_TRY(mn_split_assign(dataset, error));
  MN_TRY(mn_audit(dataset, error));
  MN_TRY(mn_audit_classes(dataset, error));
  return mn_silence_add(dataset, error);
}

static mn_status open_source(mn_dataset *dataset, mn_error *error) {
  MN_TRY(mn_source_open(&dataset->source, dataset->arena, dataset->config.path, error));
  MN_TRY(mn_layout_read(dataset, error));
  if (dataset->tables) {
    dataset->parsed =
        mn_arena_array(dataset->arena, (size_t)dataset->source.count, sizeof *dataset->parsed);
    if (dataset->parsed == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  }
  bool machines = !dataset->images && dataset->config.task == MN_TASK_AUTO
                      ? mn_machines_detect(dataset)
                      : dataset->config.task == MN_TASK_AD;
  MN_TRY((machines ? open_machines : open_classes)(dataset, error));
  dataset->rate_hz = dataset->entries[0].info.rate_hz;
  dataset->trained_on =
      mn_arena_text(dataset->arena, "%s of %s", dataset->images ? "photos" : "recordings",
                    mn_base_name(dataset->config.path));
  return dataset->trained_on != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "out of memory");
}

/* Two classes, one of them persons: visual wake words. */
static mn_task task_of(const mn_dataset *dataset) {
  if (dataset->task == MN_TASK_AD) return MN_TASK_AD;
  if (dataset->config.task != MN_TASK_AUTO) return dataset->config.task;
  if (!dataset->images) return MN_TASK_KWS;
  bool person = false;
  for (int32_t i = 0; i < dataset->classes; i++)
    person = person || strcmp(dataset->class_names[i], "person") == 0;
  return person && dataset->classes == 2 ? MN_TASK_VWW : MN_TASK_IC;
}

static mn_status open_dataset(mn_dataset *dataset, mn_error *error) {
  const mn_data_config *config = &dataset->config;
  if (config->words != NULL && config->task != MN_TASK_AUTO && config->task != MN_TASK_KWS)
    return mn_error_set(error, MN_ERR_USAGE, "--task %s: found --words; expected --data",
                        mn_task_text(config->task));
  dataset->silence = -1;
  MN_TRY(config->words != NULL ? mn_dataset_open_words(dataset, error)
                               : open_source(dataset, error));
  dataset->task = task_of(dataset);
  hash_dataset(dataset);
  return MN_OK;
}

mn_status mn_dataset_open(mn_dataset **dataset, const mn_data_config *config, mn_error *error) {
  assert((config->path != NULL) != (config->words != NULL));
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  mn_dataset *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) {
    mn_arena_destroy(arena);
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  }
  made->arena = arena;
  mn_status status = copy_config(made, config);
  if (status != MN_OK) mn_error_set(error, status, "out of memory");
  if (status == MN_OK) status = open_dataset(made, error);
  if (status == MN_OK)
    *dataset = made;
  else
    mn_dataset_close(made);
  return status;
}

void mn_dataset_close(mn_dataset *dataset) {
  if (dataset == NULL) return;
  for (int32_t i = 0; dataset->parsed != NULL && i < dataset->source.count; i++)
    mn_recording_forget(dataset->parsed[i]);
  assert(dataset->sets == NULL && "feeds are closed before their data set");
  mn_free(dataset->problems.items);
  mn_arena_destroy(dataset->arena);
}

const mn_monitor *mn_dataset_monitor(const mn_dataset *dataset) {
  return dataset->config.monitor;
}

mn_task mn_dataset_task(const mn_dataset *dataset) {
  return dataset->task;
}
int32_t mn_dataset_classes(const mn_dataset *dataset) {
  return dataset->classes;
}
const char *mn_dataset_class(const mn_dataset *dataset, int32_t index) {
  assert(index >= 0 && index < dataset->classes);
  return dataset->class_names[index];
}
int32_t mn_dataset_items(const mn_dataset *dataset) {
  return dataset->count;
}
const mn_item *mn_dataset_item(const mn_dataset *dataset, int32_t index) {
  assert(index >= 0 && index < dataset->count);
  return &dataset->items[index];
}
int32_t mn_dataset_sample_rate(const mn_dataset *dataset) {
  return dataset->rate_hz;
}
void mn_dataset_image_size(const mn_dataset *dataset, int32_t *width, int32_t *height) {
  *width = dataset->images ? dataset->entries[0].image.width : 0;
  *height = dataset->images ? dataset->entries[0].image.height : 0;
}
int32_t mn_dataset_problems(const mn_dataset *dataset) {
  return dataset->problems.count;
}
const mn_problem *mn_dataset_problem(const mn_dataset *dataset, int32_t index) {
  assert(index >= 0 && index < dataset->problems.count);
  return &dataset->problems.items[index];
}
const char *mn_dataset_trained_on(const mn_dataset *dataset) {
  return dataset->trained_on;
}
const char *mn_dataset_engines(const mn_dataset *dataset) {
  return dataset->engines;
}
uint64_t mn_dataset_hash(const mn_dataset *dataset) {
  return dataset->hash;
}
