/* table.c - a result object for a person: names and values in two columns, lists of objects as tables.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "cli.h"

enum { MOST_COLUMNS = 12, MOST_ROWS = 400, CELL = 64 };

/* What the caller just typed or what only programs want. */
static bool hidden(const char *key) {
  static const char *const keys[] = {"micronets", "command", "text", "config"};
  for (size_t i = 0; i < MN_COUNT(keys); i++)
    if (strcmp(keys[i], key) == 0) return true;
  return false;
}

static void cell_text(char *to, size_t size, const json_t *value) {
  switch (json_typeof(value)) {
    case JSON_STRING: snprintf(to, size, "%s", json_string_value(value)); break;
    case JSON_INTEGER: snprintf(to, size, "%lld", (long long)json_integer_value(value)); break;
    case JSON_REAL:
      snprintf(to, size, fabs(json_real_value(value)) < 1000 ? "%.4g" : "%.0f",
               json_real_value(value));
      break;
    case JSON_TRUE: snprintf(to, size, "yes"); break;
    case JSON_FALSE: snprintf(to, size, "no"); break;
    case JSON_NULL: snprintf(to, size, "-"); break;
    case JSON_ARRAY: {
      size_t used = 0, index;
      const json_t *item;
      snprintf(to, size, "%s", json_array_size(value) == 0 ? "none" : "");
      json_array_foreach((json_t *)(uintptr_t)value, index, item) {
        char text[CELL];
        cell_text(text, sizeof text, item);
        int more = snprintf(to + used, size - used, "%s%s", index == 0 ? "" : " ", text);
        if (more < 0 || (size_t)more >= size - used) break;
        used += (size_t)more;
      }
      break;
    }
    case JSON_OBJECT: snprintf(to, size, "..."); break;
  }
}

static bool is_table(const json_t *value) {
  return json_is_array(value) && json_array_size(value) > 0 &&
         json_is_object(json_array_get(value, 0));
}

static bool is_matrix(const json_t *value) {
  return json_is_array(value) && json_is_array(json_array_get(value, 0));
}

static void print_matrix(FILE *out, const json_t *rows) {
  size_t r, c;
  const json_t *row, *value;
  json_array_foreach((json_t *)(uintptr_t)rows, r, row) {
    json_array_foreach((json_t *)(uintptr_t)row, c, value) {
      char text[CELL];
      cell_text(text, sizeof text, value);
      fprintf(out, "%6s", text);
    }
    fputc('\n', out);
  }
}

static bool is_number(const json_t *value) {
  return json_is_number(value) || json_is_null(value);
}

static size_t table_columns(const char **keys, const json_t *first) {
  size_t count = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)first, key, value) {
    if (!hidden(key) && !json_is_object(value) && count < MOST_COLUMNS) keys[count++] = key;
  }
  return count;
}

static void print_rows(FILE *out, const json_t *rows) {
  const char *keys[MOST_COLUMNS];
  int width[MOST_COLUMNS];
  size_t columns = table_columns(keys, json_array_get(rows, 0));
  size_t count = json_array_size(rows), shown = count < MOST_ROWS ? count : MOST_ROWS;
  char text[CELL];
  for (size_t c = 0; c < columns; c++) {
    width[c] = (int)strlen(keys[c]);
    for (size_t r = 0; r < shown; r++) {
      const json_t *value = json_object_get(json_array_get(rows, r), keys[c]);
      if (value == NULL) continue;
      cell_text(text, sizeof text, value);
      if ((int)strlen(text) > width[c]) width[c] = (int)strlen(text);
    }
  }
  for (size_t c = 0; c < columns; c++)
    fprintf(out, is_number(json_object_get(json_array_get(rows, 0), keys[c])) ? "  %*s" : "  %-*s",
            width[c], keys[c]);
  fputc('\n', out);
  for (size_t r = 0; r < shown; r++) {
    for (size_t c = 0; c < columns; c++) {
      const json_t *value = json_object_get(json_array_get(rows, r), keys[c]);
      *text = 0;
      if (value != NULL) cell_text(text, sizeof text, value);
      fprintf(out, value != NULL && is_number(value) ? "  %*s" : "  %-*s", width[c], text);
    }
    fputc('\n', out);
  }
  if (shown < count) fprintf(out, "  and %zu more (--json has all)\n", count - shown);
}

static bool is_flat(const json_t *object) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    if (json_is_object(value) || is_table(value)) return false;
  }
  return true;
}

/* {"arena": 1, "total": 2} on one line: arena 1, total 2 */
static void print_flat(FILE *out, const json_t *object) {
  const char *key;
  json_t *value;
  bool first = true;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    char text[512];
    if (hidden(key)) continue;
    cell_text(text, sizeof text, value);
    fprintf(out, "%s%s %s", first ? "" : ", ", key, text);
    first = false;
  }
  fputc('\n', out);
}

static void print_object(FILE *out, const json_t *object, int depth) {
  const char *key;
  json_t *value;
  int width = 0;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    if (!hidden(key) && (int)strlen(key) > width) width = (int)strlen(key);
  }
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    char text[512];
    if (hidden(key)) continue;
    if (is_table(value)) {
      fprintf(out, "%*s%s:\n", 2 * depth, "", key);
      print_rows(out, value);
    } else if (is_matrix(value)) {
      fprintf(out, "%*s%s:\n", 2 * depth, "", key);
      print_matrix(out, value);
    } else if (json_is_object(value) && !is_flat(value)) {
      fprintf(out, "%*s%s:\n", 2 * depth, "", key);
      print_object(out, value, depth + 1);
    } else if (json_is_object(value)) {
      fprintf(out, "%*s%-*s  ", 2 * depth, "", width, key);
      print_flat(out, value);
    } else {
      cell_text(text, sizeof text, value);
      fprintf(out, "%*s%-*s  %s\n", 2 * depth, "", width, key, text);
    }
  }
}

void mn_cli_table(FILE *out, const json_t *result) {
  print_object(out, result, 0);
}
