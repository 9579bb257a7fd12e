/* labels.c - from class folders to labels. Without --classes: every folder, in byte order. With it:
 * the words in the order given, then `unknown` (all other folders, where there are any), then
 * `silence` (where background noise or a folder of that name is there).
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

/* Distinct folder names in byte order; heap memory. */
static mn_status list_folders(const char ***names, int32_t *count, const mn_dataset *dataset) {
  const char **all = mn_malloc(sizeof *all * ((size_t)dataset->count + 1));
  if (all == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < dataset->count; i++) all[i] = dataset->entries[i].class_text;
  qsort(all, (size_t)dataset->count, sizeof *all, mn_text_order);
  int32_t distinct = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    if (distinct == 0 || strcmp(all[distinct - 1], all[i]) != 0) all[distinct++] = all[i];
  }
  *names = all;
  *count = distinct;
  return MN_OK;
}

static int32_t find(const char *const *names, int32_t count, const char *name) {
  for (int32_t i = 0; i < count; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}

static bool means(const char *folder, const char *word) {
  size_t size = strlen(word);
  return strcmp(folder, word) == 0 || (folder[0] == '_' && strncmp(folder + 1, word, size) == 0 &&
                                       strcmp(folder + 1 + size, "_") == 0);
}

static bool means_any(const char *const *folders, int32_t count, const char *word) {
  for (int32_t i = 0; i < count; i++) {
    if (means(folders[i], word)) return true;
  }
  return false;
}

static mn_status read_classes(mn_dataset *dataset, const char *const *folders, int32_t folder_count,
                              mn_error *error) {
  for (const char *at = dataset->config.classes;; at++) {
    size_t size = strcspn(at, ",");
    const char *name = mn_arena_text(dataset->arena, "%.*s", (int)size, at);
    if (name == NULL) return mn_error_set(error, MN_ERR_MEMORY, "--classes: out of memory");
    if (size == 0)
      return mn_error_set(error, MN_ERR_USAGE,
                          "--classes: an empty name; expected words between commas");
    if (find(dataset->class_names, dataset->classes, name) >= 0)
      return mn_error_set(error, MN_ERR_USAGE, "--classes: \"%s\" stands there twice", name);
    if (find(folders, folder_count, name) < 0 && !means(name, MN_SILENCE) &&
        !means(name, MN_UNKNOWN)) {
      const char *near = mn_nearest(name, folders, (size_t)folder_count);
      return mn_error_set(error, MN_ERR_USAGE, "--classes: %s holds no folder \"%s\"; %s%s%s",
                          dataset->config.path, name,
                          near != NULL ? "did you mean \"" : "name one of its folders",
                          near != NULL ? near : "", near != NULL ? "\"?" : "");
    }
    if (!means(name, MN_SILENCE) && !means(name, MN_UNKNOWN))
      dataset->class_names[dataset->classes++] = name;
    at += size;
    if (*at == '\0') return MN_OK;
  }
}

static void label_items(mn_dataset *dataset, int32_t unknown) {
  for (int32_t i = 0; i < dataset->count; i++) {
    const char *folder = dataset->entries[i].class_text;
    int32_t label = find(dataset->class_names, dataset->classes, folder);
    if (label < 0) label = means(folder, MN_SILENCE) ? dataset->silence : unknown;
    dataset->items[i].label = label;
  }
}

static mn_status pick_classes(mn_dataset *dataset, const char *const *folders, int32_t count,
                              mn_error *error) {
  if (dataset->config.classes == NULL) {
    for (int32_t i = 0; i < count; i++) dataset->class_names[dataset->classes++] = folders[i];
    label_items(dataset, -1);
    return MN_OK;
  }
  MN_TRY(read_classes(dataset, folders, count, error));
  int32_t words = dataset->classes, others = 0, unknown = -1;
  for (int32_t i = 0; i < count; i++) {
    others += find(dataset->class_names, words, folders[i]) < 0 && !means(folders[i], MN_SILENCE);
  }
  if (others > 0) {
    unknown = dataset->classes;
    dataset->class_names[dataset->classes++] = MN_UNKNOWN;
  }
  if (dataset->noise_count > 0 || means_any(folders, count, MN_SILENCE)) {
    dataset->silence = dataset->classes;
    dataset->class_names[dataset->classes++] = MN_SILENCE;
  }
  label_items(dataset, unknown);
  return MN_OK;
}

mn_status mn_labels_assign(mn_dataset *dataset, mn_error *error) {
  const char **folders = NULL;
  int32_t count = 0;
  dataset->silence = -1;
  if (list_folders(&folders, &count, dataset) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->config.path);
  size_t room = (size_t)count + 3;
  for (const char *at = dataset->config.classes; at != NULL && *at != '\0'; at++)
    room += *at == ',';
  dataset->class_names = mn_arena_array(dataset->arena, room, sizeof *dataset->class_names);
  mn_status status =
      dataset->class_names == NULL
          ? mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->config.path)
          : pick_classes(dataset, folders, count, error);
  if (status == MN_OK && dataset->classes == 0)
    status =
        mn_error_set(error, MN_ERR_FORMAT, "%s: holds no example; expected two classes or more",
                     dataset->config.path);
  if (status == MN_OK && dataset->classes < 2)
    status = mn_error_set(error, MN_ERR_FORMAT,
                          "%s: holds one class, \"%s\"; a classifier needs two or more",
                          dataset->config.path, dataset->class_names[0]);
  mn_free(folders);
  return status;
}
