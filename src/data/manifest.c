/* manifest.c - see manifest.h. SPDX-License-Identifier: Apache-2.0 */
#include "data/manifest.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FIELDS = 64 };

typedef struct columns {
  int32_t path, machine, group, count;
} columns;

static int by_path(const void *a, const void *b) {
  return strcmp(((const mn_manifest_row *)a)->path, ((const mn_manifest_row *)b)->path);
}

/* How many different values a column has, empty ones not counted. */
static int32_t distinct(const char **values, int32_t count) {
  int32_t found = 0;
  if (count > 0) qsort(values, (size_t)count, sizeof *values, mn_text_order);
  for (int32_t i = 0; i < count; i++)
    found += values[i][0] != '\0' && (i == 0 || strcmp(values[i - 1], values[i]) != 0);
  return found;
}

static mn_status choose_column(mn_manifest *m, mn_arena *arena, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(arena);
  const char **machine = mn_arena_array(arena, (size_t)m->count + 1, sizeof *machine),
             **group = mn_arena_array(arena, (size_t)m->count + 1, sizeof *group);
  if (machine == NULL || group == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", m->file);
  for (int32_t i = 0; i < m->count; i++) {
    machine[i] = m->rows[i].machine;
    group[i] = m->rows[i].group;
  }
  m->by_group = distinct(group, m->count) > distinct(machine, m->count);
  mn_arena_release(arena, mark);
  return MN_OK;
}

static columns find_columns(char **field, int32_t fields) {
  columns c = {-1, -1, -1, fields};
  for (int32_t i = 0; i < fields; i++) {
    if (strcmp(field[i], "path") == 0 || strcmp(field[i], "file") == 0) c.path = i;
    if (strcmp(field[i], "machine") == 0) c.machine = i;
    if (strcmp(field[i], "group") == 0) c.group = i;
  }
  return c;
}

static const char *field_at(char **field, int32_t index) {
  return index >= 0 ? field[index] : "";
}

static void add_row(mn_manifest *m, char **field, const columns *c) {
  const char *path = field[c->path];
  while (strncmp(path, "./", 2) == 0) path += 2;
  m->rows[m->count++] =
      (mn_manifest_row){path, field_at(field, c->machine), field_at(field, c->group), false};
}

static mn_status read_rows(mn_manifest *m, char *text, mn_error *error) {
  char *field[MOST_FIELDS];
  columns c = {0};
  int32_t number = 0;
  const char separator = memchr(text, ';', strcspn(text, "\n")) != NULL ? ';' : ',';
  for (char *line = text, *next; line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    number++;
    if (line[strspn(line, " \t\r")] == '\0') continue;
    int32_t fields = mn_fields(field, MOST_FIELDS, line, separator);
    if (c.count == 0) {
      c = find_columns(field, fields);
      m->tells_nothing = c.path < 0 || (c.machine < 0 && c.group < 0);
      if (m->tells_nothing) return MN_OK;
    } else if (fields != c.count) {
      return mn_error_set(error, MN_ERR_FORMAT, "%s:%d: found %d fields; expected %d as above",
                          m->file, (int)number, (int)fields, (int)c.count);
    } else {
      add_row(m, field, &c);
    }
  }
  if (m->count > 0) qsort(m->rows, (size_t)m->count, sizeof *m->rows, by_path);
  return MN_OK;
}

static mn_status read_manifest(mn_manifest *m, const mn_dataset *dataset, int32_t member,
                               mn_error *error) {
  mn_bytes bytes;
  MN_TRY(mn_source_text(&bytes, &dataset->source, dataset->arena, member, error));
  bytes = mn_text_unmarked(bytes);
  size_t lines = 1;
  for (size_t k = 0; k < bytes.size; k++) lines += bytes.data[k] == '\n';
  char *text = mn_arena_text(dataset->arena, "%.*s", (int)bytes.size, (const char *)bytes.data);
  m->rows = mn_arena_array(dataset->arena, lines, sizeof *m->rows);
  if (text == NULL || m->rows == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", m->file);
  MN_TRY(read_rows(m, text, error));
  return choose_column(m, dataset->arena, error);
}

mn_status mn_manifest_open(mn_manifest *m, const mn_dataset *dataset, mn_error *error) {
  const mn_source *source = &dataset->source;
  *m = (mn_manifest){0};
  for (int32_t i = 0; i < source->count; i++) {
    const char *path = source->members[i].path, *name = mn_base_name(path);
    if (source->members[i].is_folder || strcmp(name, "manifest.csv") != 0) continue;
    m->file = path;
    m->folder_size = (int32_t)(name - path);
    return read_manifest(m, dataset, i, error);
  }
  return MN_OK;
}

static mn_manifest_row *find_row(const mn_manifest *m, const char *path) {
  if (m->count == 0 || strncmp(path, m->file, (size_t)m->folder_size) != 0) return NULL;
  mn_manifest_row key = {.path = path + m->folder_size};
  return bsearch(&key, m->rows, (size_t)m->count, sizeof *m->rows, by_path);
}

const char *mn_manifest_machine(mn_manifest *m, const char *path) {
  if (m->file == NULL) return NULL;
  mn_manifest_row *row = find_row(m, path);
  if (row == NULL) {
    if (m->without++ == 0) m->first_without = path;
    return NULL;
  }
  row->used = true;
  const char *value = m->by_group ? row->group : row->machine;
  return value[0] != '\0' ? value : NULL;
}

mn_status mn_manifest_audit(const mn_manifest *m, mn_dataset *dataset) {
  int32_t used = 0;
  const char *unused = NULL;
  for (int32_t i = 0; i < m->count; i++) {
    used += m->rows[i].used;
    if (!m->rows[i].used && unused == NULL) unused = m->rows[i].path;
  }
  if (used == 0 && m->without == 0) return MN_OK; /* file names told all */
  if (m->tells_nothing)
    return mn_problem_add(dataset, m->file, "manifest",
                          "its first line names no columns path (or file) and machine (or group); "
                          "names of recordings tell the machine");
  if (m->without > 0)
    MN_TRY(mn_problem_add(dataset, m->file, "manifest",
                          "%d recordings have no row, %s first; their names tell the machine",
                          (int)m->without, m->first_without));
  if (unused != NULL)
    MN_TRY(mn_problem_add(dataset, m->file, "manifest", "%d rows name no recording, %s first",
                          (int)(m->count - used), unused));
  return MN_OK;
}
