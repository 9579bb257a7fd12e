/* layout.c - what the paths of a data set say: the class is the folder an example lies in, the
 * split is the folder above it (train, val, test) or comes from the lists of Speech Commands, the
 * speaker stands in the file name. SPDX-License-Identifier: Apache-2.0 */
#include "data/layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv.h"

/* A line of validation_list.txt: "word/file". */
typedef struct listed {
  const char *text;
  size_t size;
  mn_split split;
} listed;

typedef struct lists {
  listed *lines; /* sorted; in heap memory */
  int32_t count, capacity;
  bool any;
} lists;

static int by_text(const void *a, const void *b) {
  const listed *x = a, *y = b;
  int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
  return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static mn_status add_lines(lists *all, mn_bytes text, mn_split split) {
  const char *at = (const char *)text.data, *end = at + text.size;
  while (at < end) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (stop == NULL) stop = end;
    listed line = {at, (size_t)(stop - at), split};
    at = stop + 1;
    while (line.size > 0 && (line.text[line.size - 1] == '\r' || line.text[line.size - 1] == ' '))
      line.size--;
    if (line.size == 0) continue;
    if (all->count == all->capacity) {
      int32_t capacity = all->capacity > 0 ? 2 * all->capacity : 1024;
      listed *lines = mn_realloc(all->lines, sizeof *lines * (size_t)capacity);
      if (lines == NULL) return MN_ERR_MEMORY;
      all->lines = lines;
      all->capacity = capacity;
    }
    all->lines[all->count++] = line;
  }
  return MN_OK;
}

static mn_status read_lists(lists *all, const mn_dataset *dataset, mn_error *error) {
  const mn_source *source = &dataset->source;
  for (int32_t i = 0; i < source->count; i++) {
    const char *name = mn_base_name(source->members[i].path);
    bool val = strcmp(name, "validation_list.txt") == 0;
    if (source->members[i].is_folder || (!val && strcmp(name, "testing_list.txt") != 0)) continue;
    mn_bytes text;
    MN_TRY(mn_source_text(&text, source, dataset->arena, i, error));
    if (add_lines(all, text, val ? MN_SPLIT_VAL : MN_SPLIT_TEST) != MN_OK)
      return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", source->root);
    all->any = true;
  }
  if (all->count > 0) qsort(all->lines, (size_t)all->count, sizeof *all->lines, by_text);
  return MN_OK;
}

/* The last `parts` parts of a path. */
static const char *tail(const char *path, int parts) {
  const char *at = path + strlen(path);
  while (at > path) {
    if (at[-1] == '/' && --parts == 0) break;
    at--;
  }
  return at;
}

static mn_split listed_split(const lists *all, const char *path) {
  const char *text = tail(path, 2);
  listed key = {text, strlen(text), MN_SPLIT_TRAIN};
  const listed *found =
      all->count > 0 ? bsearch(&key, all->lines, (size_t)all->count, sizeof *all->lines, by_text)
                     : NULL;
  return found != NULL ? found->split : MN_SPLIT_TRAIN;
}

mn_split mn_layout_folder_split(const char *name, size_t size) {
  static const struct {
    const char *name;
    mn_split split;
  } words[] = {{"train", MN_SPLIT_TRAIN}, {"training", MN_SPLIT_TRAIN}, {"val", MN_SPLIT_VAL},
               {"valid", MN_SPLIT_VAL},   {"validation", MN_SPLIT_VAL}, {"dev", MN_SPLIT_VAL},
               {"test", MN_SPLIT_TEST},   {"testing", MN_SPLIT_TEST},   {"eval", MN_SPLIT_TEST}};
  for (size_t i = 0; i < MN_COUNT(words); i++) {
    if (strlen(words[i].name) == size && strncasecmp(words[i].name, name, size) == 0)
      return words[i].split;
  }
  return MN_SPLIT_COUNT;
}

/* "speaker_nohash_3.wav" of Speech Commands, or "class_speaker_3.wav" of spoken digits. */
static mn_status find_speaker(const char **speaker, mn_arena *arena, const char *path,
                              const char *class_text) {
  const char *name = mn_base_name(path), *mark = strstr(name, "_nohash_");
  size_t class_size = strlen(class_text), size = 0;
  *speaker = NULL;
  if (mark == NULL && strncmp(name, class_text, class_size) == 0 && name[class_size] == '_') {
    name += class_size + 1;
    mark = strrchr(name, '_');
  }
  if (mark == NULL) return MN_OK;
  size = (size_t)(mark - name);
  if (size == 0) return MN_OK;
  *speaker = mn_arena_text(arena, "%.*s", (int)size, name);
  return *speaker != NULL ? MN_OK : MN_ERR_MEMORY;
}

static mn_status add_item(mn_dataset *dataset, const lists *all, int32_t member) {
  const char *path = dataset->source.members[member].path;
  const char *folder = tail(path, 2), *above = tail(path, 3);
  size_t folder_size = (size_t)(mn_base_name(path) - folder);
  if (folder_size < 2)
    return mn_problem_add(dataset, path, "no_class", "lies in no class folder; left out");
  const char *class_text = mn_arena_text(dataset->arena, "%.*s", (int)folder_size - 1, folder);
  if (class_text == NULL) return MN_ERR_MEMORY;
  mn_item *item = &dataset->items[dataset->count];
  *item = (mn_item){.file = path, .split = MN_SPLIT_COUNT};
  if (all->any)
    item->split = listed_split(all, path);
  else if (above < folder)
    item->split = mn_layout_folder_split(above, (size_t)(folder - above) - 1);
  if (!dataset->images) MN_TRY(find_speaker(&item->speaker, dataset->arena, path, class_text));
  dataset->entries[dataset->count++] =
      (mn_entry){.origin = MN_ORIGIN_FILE, .index = member, .class_text = class_text};
  return MN_OK;
}

static bool in_background(const char *path) {
  const char *folder = tail(path, 2);
  size_t size = strlen(MN_BACKGROUND);
  return strncmp(folder, MN_BACKGROUND, size) == 0 && folder[size] == '/';
}

static bool is_example(const mn_dataset *dataset, const char *path) {
  if (dataset->tables) return mn_is_csv(path) && strcmp(mn_base_name(path), "manifest.csv") != 0;
  return dataset->images ? mn_is_image(path) : mn_is_audio(path);
}

static mn_status take_member(mn_dataset *dataset, const lists *all, int32_t member) {
  const mn_member *m = &dataset->source.members[member];
  if (m->trouble != NULL && (m->is_folder || is_example(dataset, m->path))) {
    return mn_problem_add(dataset, m->path, "unreadable", "%s; left out", m->trouble);
  }
  if (m->is_folder || !is_example(dataset, m->path)) return MN_OK;
  if (!in_background(m->path)) return add_item(dataset, all, member);
  dataset->noises[dataset->noise_count++] = member;
  return MN_OK;
}

static bool holds_examples(const mn_dataset *dataset, int32_t folder) {
  const mn_source *source = &dataset->source;
  size_t size = strlen(source->members[folder].path);
  for (int32_t i = 0; i < source->count; i++) {
    const char *path = source->members[i].path;
    if (strncmp(path, source->members[folder].path, size) == 0 && path[size] == '/' &&
        !source->members[i].is_folder && is_example(dataset, path)) {
      return true;
    }
  }
  return false;
}

/* Folders beside class folders that hold no example. */
static mn_status name_empty_classes(mn_dataset *dataset) {
  const mn_source *source = &dataset->source;
  if (dataset->count == 0) return MN_OK;
  for (int32_t i = 0; i < source->count; i++) {
    const char *path = source->members[i].path, *name = mn_base_name(path);
    if (!source->members[i].is_folder || name[0] == '.' || strcmp(name, MN_BACKGROUND) == 0)
      continue;
    const char *beside = NULL; /* a class folder with the same parent */
    size_t parent = (size_t)(name - path);
    for (int32_t k = 0; k < dataset->count && beside == NULL; k++) {
      const char *file = dataset->items[k].file;
      if ((size_t)(tail(file, 2) - file) == parent && strncmp(file, path, parent) == 0)
        beside = file;
    }
    if (beside == NULL || holds_examples(dataset, i)) continue;
    MN_TRY(mn_problem_add(dataset, path, "empty_class", "holds no %s; no class is made of it",
                          dataset->images ? "photo" : "recording"));
  }
  return MN_OK;
}

static mn_status nothing_found(const mn_dataset *dataset, mn_error *error) {
  return mn_error_set(
      error, MN_ERR_FORMAT,
      dataset->images ? "%s: holds no photo in a class folder; expected class/photo.jpg (JPEG, PNG)"
                      : "%s: holds no recording in a class folder; expected word/clip.wav (WAV, "
                        "FLAC, Opus ...)",
      dataset->source.root);
}

/* Photos where the task says so, or where the files are photos and none is sound. */
static bool holds_images(const mn_dataset *dataset) {
  int32_t images = 0, sounds = 0;
  mn_task task = dataset->config.task;
  if (task != MN_TASK_AUTO) return task == MN_TASK_VWW || task == MN_TASK_IC;
  for (int32_t i = 0; i < dataset->source.count; i++) {
    images += mn_is_image(dataset->source.members[i].path);
    sounds += mn_is_audio(dataset->source.members[i].path);
  }
  return images > 0 && sounds == 0;
}

/* Recordings as text, where there is nothing to hear or see beside them. */
static bool holds_tables(const mn_dataset *dataset) {
  mn_task task = dataset->config.task;
  if (task != MN_TASK_AUTO && task != MN_TASK_AD) return false;
  bool tables = false;
  for (int32_t i = 0; i < dataset->source.count; i++) {
    const char *path = dataset->source.members[i].path;
    if (mn_is_image(path) || mn_is_audio(path)) return false;
    tables = tables || (mn_is_csv(path) && strcmp(mn_base_name(path), "manifest.csv") != 0);
  }
  return tables;
}

static mn_status read_folders(mn_dataset *dataset, mn_error *error) {
  size_t room = (size_t)dataset->source.count + 1;
  dataset->images = holds_images(dataset);
  dataset->tables = !dataset->images && holds_tables(dataset);
  MN_TRY(mn_layout_grow(dataset, dataset->source.count, error));
  dataset->noises = mn_arena_array(dataset->arena, room, sizeof *dataset->noises);
  if (dataset->noises == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->source.root);
  lists all = {0};
  mn_status status = read_lists(&all, dataset, error);
  mn_status added = MN_OK;
  for (int32_t i = 0; status == MN_OK && added == MN_OK && i < dataset->source.count; i++) {
    added = take_member(dataset, &all, i);
  }
  mn_free(all.lines);
  if (status == MN_OK && added == MN_OK) added = name_empty_classes(dataset);
  if (status == MN_OK && added != MN_OK)
    status = mn_error_set(error, added, "%s: out of memory", dataset->source.root);
  if (status == MN_OK && dataset->count == 0) status = nothing_found(dataset, error);
  return status;
}

mn_status mn_layout_grow(mn_dataset *dataset, int64_t count, mn_error *error) {
  if (count > INT32_MAX / 2)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: holds too many examples", dataset->source.root);
  size_t room = (size_t)count + 1, held = (size_t)dataset->count;
  mn_item *items = mn_arena_array(dataset->arena, room, sizeof *items);
  mn_entry *entries = mn_arena_array(dataset->arena, room, sizeof *entries);
  if (items == NULL || entries == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->source.root);
  if (held > 0) {
    memcpy(items, dataset->items, sizeof *items * held);
    memcpy(entries, dataset->entries, sizeof *entries * held);
  }
  dataset->items = items;
  dataset->entries = entries;
  return MN_OK;
}

mn_status mn_layout_read(mn_dataset *dataset, mn_error *error) {
  static const mn_layout *const layouts[] = {&mn_layout_idx, &mn_layout_cifar, &mn_layout_coco};
  mn_task task = dataset->config.task;
  bool images = task == MN_TASK_AUTO || task == MN_TASK_VWW || task == MN_TASK_IC;
  for (size_t i = 0; images && i < MN_COUNT(layouts); i++) {
    if (!layouts[i]->found(&dataset->source)) continue;
    dataset->images = true;
    return layouts[i]->read(dataset, error);
  }
  return read_folders(dataset, error);
}
