/* table.c - reads a table of data sets: "set NAME: text", then "FILE BYTES SUM ADDRESS" lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/fetch.h"

enum { MOST_BYTES = 1 << 20 };

typedef struct table {
  const char *path;
  int32_t line;
  mn_fetch_set *set;
  mn_fetch_file *file;
  int32_t sets, files;
} table;

static mn_status bad(const table *t, mn_error *error, const char *found, const char *expected) {
  return mn_error_set(error, MN_ERR_FORMAT, "%s:%d: found \"%s\"; expected %s", t->path,
                      (int)t->line, found, expected);
}

static char *next_word(char **text) {
  char *word = *text + strspn(*text, " \t");
  const size_t length = strcspn(word, " \t");
  *text = word + length + (word[length] != 0);
  word[length] = 0;
  return word;
}

/* A name becomes a file of the folder that the user named, and of no other. */
static bool is_file_name(const char *name) {
  return *name != 0 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
         strcmp(name, "..") != 0;
}

static bool is_sum(const char *sum) {
  const size_t digits = strncmp(sum, "sha256:", 7) == 0 ? 64
                        : strncmp(sum, "md5:", 4) == 0  ? 32
                                                        : 0;
  const char *first = strchr(sum, ':');
  return digits > 0 && strlen(first + 1) == digits &&
         strspn(first + 1, "0123456789abcdef") == digits;
}

static bool is_address(const char *url) {
  return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

static mn_status read_file(table *t, char *text, mn_error *error) {
  if (t->sets == 0) return bad(t, error, text, "a line \"set NAME: what it is\" first");
  const char *name = next_word(&text), *bytes = next_word(&text), *sum = next_word(&text),
             *url = next_word(&text), *more = next_word(&text);
  char *end = NULL;
  mn_fetch_file file = {.name = name, .url = url, .sum = sum, .bytes = -1};
  if (!is_file_name(name)) return bad(t, error, name, "the name of a file");
  if (strcmp(bytes, "-") != 0) {
    file.bytes = strtoll(bytes, &end, 10);
    if (end == bytes || *end != 0 || file.bytes < 0)
      return bad(t, error, bytes, "a number of bytes or \"-\"");
  }
  if (strcmp(sum, "-") == 0) file.sum = NULL;
  if (file.sum != NULL && !is_sum(sum))
    return bad(t, error, sum, "sha256: or md5: with digits in lower case, or \"-\"");
  if (!is_address(url)) return bad(t, error, url, "an address of http or https");
  if (*more != 0) return bad(t, error, more, "FILE BYTES SUM ADDRESS and nothing behind");
  t->file[t->files++] = file;
  t->set[t->sets - 1].files++;
  return MN_OK;
}

static mn_status read_set(table *t, char *text, mn_error *error) {
  char *colon = strchr(text, ':');
  if (colon == NULL || colon == text) return bad(t, error, text, "\"set NAME: what it is\"");
  *colon++ = 0;
  for (int32_t i = 0; i < t->sets; i++) {
    if (strcmp(t->set[i].name, text) == 0) return bad(t, error, text, "a name only once");
  }
  t->set[t->sets++] =
      (mn_fetch_set){.name = text, .text = colon + strspn(colon, " "), .file = t->file + t->files};
  return MN_OK;
}

static mn_status read_line(table *t, char *text, mn_error *error) {
  text += strspn(text, " \t");
  size_t length = strlen(text);
  while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) text[--length] = 0;
  if (*text == 0 || *text == '#') return MN_OK;
  if (strncmp(text, "set ", 4) == 0) return read_set(t, text + 4 + strspn(text + 4, " "), error);
  return read_file(t, text, error);
}

mn_status mn_fetch_table_read(const mn_fetch_set **sets, int32_t *count, mn_arena *arena,
                              const char *path, mn_error *error) {
  mn_bytes bytes;
  MN_TRY(mn_file_read(&bytes, arena, path, MOST_BYTES, error));
  char *text = mn_arena_alloc(arena, bytes.size + 1);
  size_t lines = 1;
  for (size_t i = 0; i < bytes.size; i++) lines += bytes.data[i] == '\n';
  table t = {.path = path,
             .set = mn_arena_array(arena, lines, sizeof(mn_fetch_set)),
             .file = mn_arena_array(arena, lines, sizeof(mn_fetch_file))};
  if (text == NULL || t.set == NULL || t.file == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  memcpy(text, bytes.data, bytes.size);
  text[bytes.size] = 0;
  for (char *line = text; line != NULL;) {
    char *next = strchr(line, '\n');
    if (next != NULL) *next++ = 0;
    t.line++;
    MN_TRY(read_line(&t, line, error));
    line = next;
  }
  for (int32_t i = 0; i < t.sets; i++)
    if (t.set[i].files == 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: set %s names no file; expected FILE BYTES SUM ADDRESS", path,
                          t.set[i].name);
  if (t.sets == 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: found no set; expected \"set NAME: what it is\"",
                        path);
  *sets = t.set;
  *count = t.sets;
  return MN_OK;
}

mn_status mn_fetch_set_find(const mn_fetch_set **set, const mn_fetch_set *sets, int32_t count,
                            const char *name, mn_error *error) {
  char known[400] = "";
  size_t used = 0;
  for (int32_t i = 0; i < count; i++) {
    if (strcmp(sets[i].name, name) == 0) {
      *set = &sets[i];
      return MN_OK;
    }
    if (used + strlen(sets[i].name) + 2 < sizeof known)
      used += (size_t)snprintf(known + used, sizeof known - used, " %s", sets[i].name);
  }
  return mn_error_set(error, MN_ERR_USAGE, "--download: found \"%s\"; expected one of%s", name,
                      known);
}
