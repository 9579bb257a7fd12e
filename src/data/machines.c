/* machines.c - data sets of anomaly detection: which machine or state a recording shows, and whether
 * it is known to be anomalous. DCASE/MIMII says both in the file name ("normal_id_00_00000012.wav"),
 * folders `normal` and `anomaly` say the second; a manifest.csv may name the machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"

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

/* ---- manifest.csv ------------------------------------------------------------------------------*/
typedef struct row {
  const char *path, *machine, *group;
} row;

typedef struct manifest {
  const char *folder; /* "a/b/" in front of its paths */
  size_t folder_size;
  row *rows; /* sorted by path */
  int32_t count;
  bool by_group; /* column group tells more than column machine */
} manifest;

static int by_path(const void *a, const void *b) {
  return strcmp(((const row *)a)->path, ((const row *)b)->path);
}

/* Cuts a line at its commas; plain fields, as such manifests have them. */
static int32_t cut_fields(char **field, int32_t room, char *line) {
  int32_t count = 0;
  for (char *at = line; at != NULL && count < room;) {
    char *comma = strchr(at, ',');
    field[count++] = at;
    if (comma != NULL) *comma++ = '\0';
    at = comma;
  }
  return count;
}

static int32_t distinct(const manifest *m, bool group) {
  int32_t found = 0;
  for (int32_t i = 0; i < m->count; i++) {
    const char *value = group ? m->rows[i].group : m->rows[i].machine;
    bool seen = value[0] == '\0';
    for (int32_t k = 0; k < i && !seen && found < 64; k++)
      seen = strcmp(group ? m->rows[k].group : m->rows[k].machine, value) == 0;
    found += !seen;
  }
  return found;
}

static void read_rows(manifest *m, char *text) {
  enum { MOST_FIELDS = 32 };
  char *field[MOST_FIELDS];
  int32_t path = -1, machine = -1, group = -1;
  for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    line[strcspn(line, "\r")] = '\0';
    int32_t fields = cut_fields(field, MOST_FIELDS, line);
    if (line == text) {
      for (int32_t i = 0; i < fields; i++) {
        if (strcmp(field[i], "path") == 0 || strcmp(field[i], "file") == 0) path = i;
        if (strcmp(field[i], "machine") == 0) machine = i;
        if (strcmp(field[i], "group") == 0) group = i;
      }
    } else if (path >= 0 && path < fields) {
      m->rows[m->count++] =
          (row){field[path], machine >= 0 && machine < fields ? field[machine] : "",
                group >= 0 && group < fields ? field[group] : ""};
    }
  }
  if (m->count > 0) qsort(m->rows, (size_t)m->count, sizeof *m->rows, by_path);
  m->by_group = distinct(m, true) > distinct(m, false);
}

static mn_status open_manifest(manifest *m, const mn_dataset *dataset, mn_error *error) {
  const mn_source *source = &dataset->source;
  *m = (manifest){0};
  for (int32_t i = 0; i < source->count; i++) {
    const char *path = source->members[i].path, *name = mn_base_name(path);
    if (source->members[i].is_folder || strcmp(name, "manifest.csv") != 0) continue;
    mn_bytes bytes;
    MN_TRY(mn_source_text(&bytes, source, dataset->arena, i, error));
    size_t lines = 1;
    for (size_t k = 0; k < bytes.size; k++) lines += bytes.data[k] == '\n';
    char *text = mn_arena_text(dataset->arena, "%.*s", (int)bytes.size, (const char *)bytes.data);
    m->rows = mn_arena_array(dataset->arena, lines, sizeof *m->rows);
    if (text == NULL || m->rows == NULL)
      return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
    m->folder = path;
    m->folder_size = (size_t)(name - path);
    read_rows(m, text);
    return MN_OK;
  }
  return MN_OK;
}

static const char *manifest_identity(const manifest *m, const char *path) {
  if (m->count == 0 || strncmp(path, m->folder, m->folder_size) != 0) return NULL;
  row key = {path + m->folder_size, NULL, NULL};
  const row *found = bsearch(&key, m->rows, (size_t)m->count, sizeof *m->rows, by_path);
  if (found == NULL) return NULL;
  const char *value = m->by_group ? found->group : found->machine;
  return value[0] != '\0' ? value : NULL;
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

static const char *identity_of(const mn_dataset *dataset, const manifest *m, const char *path) {
  const char *name = mn_base_name(path), *found = id_in_name(dataset->arena, name);
  if (found == NULL) found = manifest_identity(m, path);
  return found != NULL ? found : stem_of(dataset->arena, name);
}

static mn_status read_item(mn_dataset *dataset, const manifest *m, int32_t index) {
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
  manifest m;
  MN_TRY(open_manifest(&m, dataset, error));
  for (int32_t i = 0; i < dataset->count; i++) {
    mn_status status = read_item(dataset, &m, i);
    if (status != MN_OK)
      return mn_error_set(error, status, "%s: out of memory", dataset->config.path);
  }
  return MN_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
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
  qsort(names, (size_t)count, sizeof *names, by_name);
  dataset->class_names = names;
  for (int32_t i = 0; i < count; i++)
    if (dataset->classes == 0 || strcmp(names[dataset->classes - 1], names[i]) != 0)
      names[dataset->classes++] = names[i];
  for (int32_t i = 0; i < dataset->count; i++)
    dataset->items[i].label = find_class(dataset, dataset->items[i].identity);
  return MN_OK;
}
