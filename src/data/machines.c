/* machines.c - data sets of anomaly detection: which machine or state a recording shows, and whether
 * it is known to be anomalous. DCASE/MIMII says both in the file name ("normal_id_00_00000012.wav"),
 * folders `normal` and `anomaly` say the second; a manifest.csv may name the machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/manifest.h"

typedef enum verdict { VERDICT_NONE, VERDICT_NORMAL, VERDICT_ANOMALY } verdict;

/* A word that stands alone: "normal_id_00", "anomaly", not "abnormality". */
static verdict verdict_of(const char *text, size_t size) {
  static const struct {
    const char *word;
    verdict verdict;
  } words[] = {{"normal", VERDICT_NORMAL},
               {"anomaly", VERDICT_ANOMALY},
               {"abnormal", VERDICT_ANOMALY},
               {"anomalous", VERDICT_ANOMALY},
               {"anomalies", VERDICT_ANOMALY}};
  for (size_t i = 0; i < MN_COUNT(words); i++) {
    size_t length = strlen(words[i].word);
    if (size >= length && strncmp(text, words[i].word, length) == 0 &&
        (size == length || !isalnum((unsigned char)text[length])))
      return words[i].verdict;
  }
  return VERDICT_NONE;
}

/* Of the file's name, else of the nearest folder that says it. */
static verdict verdict_of_path(const char *path) {
  const char *name = mn_base_name(path);
  verdict found = verdict_of(name, strlen(name));
  while (found == VERDICT_NONE && name > path) {
    const char *end = name - 1, *start = end;
    while (start > path && start[-1] != '/') start--;
    found = verdict_of(start, (size_t)(end - start));
    name = start;
  }
  return found;
}

static mn_split split_of_path(const char *path) {
  const char *name = mn_base_name(path);
  while (name > path) {
    const char *end = name - 1, *start = end;
    while (start > path && start[-1] != '/') start--;
    mn_split split = mn_layout_folder_split(start, (size_t)(end - start));
    if (split != MN_SPLIT_COUNT) return split;
    name = start;
  }
  return MN_SPLIT_COUNT;
}

bool mn_machines_detect(const mn_dataset *dataset) {
  bool any = false;
  for (int32_t i = 0; i < dataset->count; i++) {
    verdict found = verdict_of_path(dataset->items[i].file);
    if (found == VERDICT_NONE) return false;
    any = any || found == VERDICT_NORMAL;
  }
  return any;
}

/* ---- Identity ----------------------------------------------------------------------------------*/
/* "id_00" in the file name. */
static const char *id_in_name(mn_arena *arena, const char *name) {
  for (const char *at = strstr(name, "id_"); at != NULL; at = strstr(at + 1, "id_")) {
    size_t digits = strspn(at + 3, "0123456789");
    bool alone = at == name || !isalnum((unsigned char)at[-1]);
    if (alone && digits > 0) return mn_arena_text(arena, "%.*s", (int)(3 + digits), at);
  }
  return NULL;
}

/* The name without label word, ending and trailing number; "machine" where nothing is left. */
static const char *stem_of(mn_arena *arena, const char *name) {
  size_t size = strcspn(name, ".");
  const char *dot = strrchr(name, '.');
  if (dot != NULL) size = (size_t)(dot - name);
  size_t end = size;
  while (end > 0 && isdigit((unsigned char)name[end - 1])) end--;
  if (end < size && (end == 0 || strchr("-_ .", name[end - 1]) != NULL))
    size = end > 0 ? end - 1 : 0;
  if (verdict_of(name, size) != VERDICT_NONE) {
    size_t word = 0;
    while (word < size && isalpha((unsigned char)name[word])) word++;
    while (word < size && strchr("-_ .", name[word]) != NULL) word++;
    name += word;
    size -= word;
  }
  return size > 0 ? mn_arena_text(arena, "%.*s", (int)size, name) : "machine";
}

static const char *identity_of(const mn_dataset *dataset, mn_manifest *m, const char *path) {
  const char *name = mn_base_name(path), *found = id_in_name(dataset->arena, name);
  if (found == NULL) found = mn_manifest_machine(m, path);
  return found != NULL ? found : stem_of(dataset->arena, name);
}

static mn_status read_item(mn_dataset *dataset, mn_manifest *m, int32_t index) {
  mn_item *item = &dataset->items[index];
  item->identity = identity_of(dataset, m, item->file);
  if (item->identity == NULL) return MN_ERR_MEMORY;
  item->anomalous = verdict_of_path(item->file) == VERDICT_ANOMALY;
  item->speaker = NULL;
  item->split = split_of_path(item->file);
  dataset->entries[index].class_text = item->identity;
  if (!item->anomalous || item->split == MN_SPLIT_TEST) return MN_OK;
  bool moved = item->split != MN_SPLIT_COUNT;
  item->split = MN_SPLIT_TEST;
  return !moved ? MN_OK
                : mn_problem_add(dataset, item->file, "anomaly_in_training",
                                 "is anomalous; training is of normal recordings only, so it is "
                                 "taken for test");
}

mn_status mn_machines_read(mn_dataset *dataset, mn_error *error) {
  mn_manifest manifest;
  mn_status status = MN_OK;
  MN_TRY(mn_manifest_open(&manifest, dataset, error));
  for (int32_t i = 0; i < dataset->count && status == MN_OK; i++)
    status = read_item(dataset, &manifest, i);
  if (status == MN_OK) status = mn_manifest_audit(&manifest, dataset);
  return status == MN_OK ? MN_OK
                         : mn_error_set(error, status, "%s: out of memory", dataset->config.path);
}

static int32_t find_class(const mn_dataset *dataset, const char *identity) {
  for (int32_t c = 0; c < dataset->classes; c++)
    if (strcmp(dataset->class_names[c], identity) == 0) return c;
  return -1;
}

/* Classes are what training shows, in byte order. */
mn_status mn_machines_label(mn_dataset *dataset, mn_error *error) {
  const char **names = mn_arena_array(dataset->arena, (size_t)dataset->count + 1, sizeof *names);
  if (names == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->config.path);
  int32_t count = 0;
  for (int32_t i = 0; i < dataset->count; i++)
    if (dataset->items[i].split == MN_SPLIT_TRAIN) names[count++] = dataset->items[i].identity;
  if (count == 0)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: holds no normal recording to train on; expected some in train/normal "
                        "or named normal_id_00_0001.wav",
                        dataset->config.path);
  qsort(names, (size_t)count, sizeof *names, mn_text_order);
  dataset->class_names = names;
  for (int32_t i = 0; i < count; i++)
    if (dataset->classes == 0 || strcmp(names[dataset->classes - 1], names[i]) != 0)
      names[dataset->classes++] = names[i];
  for (int32_t i = 0; i < dataset->count; i++)
    dataset->items[i].label = find_class(dataset, dataset->items[i].identity);
  return MN_OK;
}
