/* read.c - target files: INI sections as in targets/, every key in one table.
 *
 * inih splits the lines; the table below checks units and places the values. Lines are counted by
 * the reader, because the library's handler is not told which line it is called for.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <ini.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/target.h"

typedef enum key_unit { UNIT_TEXT, UNIT_BYTES, UNIT_HZ, UNIT_REAL } key_unit;

/* section, key, field, unit, required */
#define TARGET_KEYS(X)                                     \
  X("board", "description", description, TEXT, false)      \
  X("board", "core", core, TEXT, true)                     \
  X("board", "flash", flash_bytes, BYTES, true)            \
  X("board", "sram", sram_bytes, BYTES, true)              \
  X("board", "clock", clock_hz, HZ, true)                  \
  X("build", "cpu_flags", cpu_flags, TEXT, true)           \
  X("build", "kernels", kernels, TEXT, true)               \
  X("emulator", "machine", machine, TEXT, false)           \
  X("emulator", "linker", linker, TEXT, false)             \
  X("serial", "board", serial_board, TEXT, false)          \
  X("serial", "linker", serial_linker, TEXT, false)        \
  X("energy", "active_watts", active_watts, REAL, false)   \
  X("energy", "source", active_watts_source, TEXT, false)  \
  X("cycles", "factor", cycle_factor, REAL, false)         \
  X("cycles", "source", cycle_factor_source, TEXT, false)  \
  X("cycles", "error_percent", error_percent, REAL, false) \
  X("cycles", "error_basis", error_basis, TEXT, false)

typedef struct key_row {
  const char *section, *key;
  key_unit unit;
  size_t offset;
  bool required;
} key_row;

static const key_row key_table[] = {
#define X(section, key, field, unit, required) \
  {section, key, UNIT_##unit, offsetof(mn_target, field), required},
    TARGET_KEYS(X)
#undef X
};
#define KEY_COUNT MN_COUNT(key_table)

/* One pass over a file. */
typedef struct parse {
  const char *path;
  const char *text, *end; /* what is still to be read */
  int32_t line;
  mn_target *target;
  mn_arena *arena;
  mn_error *error;
  mn_status status;        /* the first thing that went wrong */
  int32_t seen[KEY_COUNT]; /* line of each key, 0 not yet */
} parse;

/* Keeps the first failure, with the line it happened on. */
static MN_PRINTF(3, 4) mn_status fail(parse *p, mn_status status, const char *format, ...) {
  if (p->status != MN_OK) return p->status;
  char text[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  p->status = mn_error_set(p->error, status, "%s:%d: %s", p->path, p->line, text);
  return p->status;
}

/* fgets over memory. A line that does not fit is an error, not two lines. */
static char *next_line(char *line, int size, void *context) {
  parse *p = context;
  if (p->text == p->end || p->status != MN_OK) return NULL;
  const char *newline = memchr(p->text, '\n', (size_t)(p->end - p->text));
  size_t length = newline != NULL ? (size_t)(newline - p->text) + 1 : (size_t)(p->end - p->text);
  p->line++;
  if (length >= (size_t)size) {
    fail(p, MN_ERR_FORMAT, "the line has %zu characters; expected fewer than %d; shorten it",
         length, size);
    return NULL;
  }
  memcpy(line, p->text, length);
  line[length] = '\0';
  p->text += length;
  return line;
}

/* "512K", "180MHz", "0.161": a positive number and its unit. */
static bool parse_number(double *value, const char *text, key_unit unit) {
  char *rest = NULL;
  double number = strtod(text, &rest);
  if (rest == text || !isfinite(number) || number <= 0.0 || number > 1e15) return false;
  static const struct {
    key_unit unit;
    const char *suffix;
    double factor;
  } suffixes[] = {
      {UNIT_BYTES, "", 1.0}, {UNIT_BYTES, "K", 1024.0}, {UNIT_BYTES, "M", 1048576.0},
      {UNIT_HZ, "Hz", 1.0},  {UNIT_HZ, "kHz", 1e3},     {UNIT_HZ, "MHz", 1e6},
      {UNIT_HZ, "GHz", 1e9}, {UNIT_REAL, "", 1.0},
  };
  for (size_t i = 0; i < MN_COUNT(suffixes); i++) {
    if (suffixes[i].unit != unit || strcmp(suffixes[i].suffix, rest) != 0) continue;
    *value = number * suffixes[i].factor;
    return true;
  }
  return false;
}

static mn_status store(parse *p, const key_row *row, const char *text) {
  static const char *const expected[] = {
      [UNIT_BYTES] = "bytes such as 512K or 1M",
      [UNIT_HZ] = "a frequency such as 180MHz",
      [UNIT_REAL] = "a positive number",
  };
  char *field = (char *)p->target + row->offset;
  double value = 0.0;
  if (*text == '\0') return fail(p, MN_ERR_FORMAT, "key \"%s\" has no value; give one", row->key);
  if (row->unit == UNIT_TEXT) {
    const char *copy = mn_arena_text(p->arena, "%s", text);
    if (copy == NULL) return fail(p, MN_ERR_MEMORY, "out of memory");
    memcpy(field, &copy, sizeof copy);
    return MN_OK;
  }
  if (!parse_number(&value, text, row->unit))
    return fail(p, MN_ERR_FORMAT, "\"%s\" found; expected %s", text, expected[row->unit]);
  int64_t bytes = (int64_t)value;
  if (row->unit == UNIT_BYTES)
    memcpy(field, &bytes, sizeof bytes);
  else
    memcpy(field, &value, sizeof value);
  return MN_OK;
}

/* The nearest section, or the nearest key of a section, for "did you mean". */
static const char *nearest_name(const char *word, const char *section) {
  const char *names[KEY_COUNT];
  size_t count = 0;
  for (size_t i = 0; i < KEY_COUNT; i++) {
    if (section != NULL && strcmp(section, key_table[i].section) != 0) continue;
    names[count++] = section != NULL ? key_table[i].key : key_table[i].section;
  }
  return mn_nearest(word, names, count);
}

static void fail_unknown_section(parse *p, const char *section) {
  const char *near = nearest_name(section, NULL);
  if (near != NULL)
    fail(p, MN_ERR_FORMAT, "unknown section [%s]; did you mean [%s]?", section, near);
  else
    fail(p, MN_ERR_FORMAT, "unknown section [%s]; see the files of targets/", section);
}

static void fail_unknown_key(parse *p, const char *section, const char *key) {
  const char *near = nearest_name(key, section);
  if (near != NULL)
    fail(p, MN_ERR_FORMAT, "unknown key \"%s\" in [%s]; did you mean \"%s\"?", key, section, near);
  else
    fail(p, MN_ERR_FORMAT, "unknown key \"%s\" in [%s]; see the files of targets/", key, section);
}

/* inih's handler: 1 goes on, 0 says that this line is wrong. */
static int handle_key(void *context, const char *section, const char *key, const char *value) {
  parse *p = context;
  bool section_known = false;
  for (size_t i = 0; i < KEY_COUNT; i++) {
    const key_row *row = &key_table[i];
    if (strcmp(section, row->section) != 0) continue;
    section_known = true;
    if (strcmp(key, row->key) != 0) continue;
    if (p->seen[i] != 0) {
      fail(p, MN_ERR_FORMAT, "key \"%s\" again; it stands on line %d", key, p->seen[i]);
      return 0;
    }
    p->seen[i] = p->line;
    return store(p, row, value) == MN_OK;
  }
  if (section_known)
    fail_unknown_key(p, section, key);
  else
    fail_unknown_section(p, section);
  return 0;
}

/* What has to be there, and figures that must name their source. */
static mn_status check_complete(const parse *p) {
  const mn_target *t = p->target;
  for (size_t i = 0; i < KEY_COUNT; i++) {
    if (!key_table[i].required || p->seen[i] != 0) continue;
    return mn_error_set(p->error, MN_ERR_FORMAT, "%s: key \"%s\" of [%s] is missing; add it",
                        p->path, key_table[i].key, key_table[i].section);
  }
  if (t->active_watts > 0.0 && t->active_watts_source == NULL)
    return mn_error_set(p->error, MN_ERR_FORMAT, "%s: [energy] names no source; add one", p->path);
  if (t->cycle_factor > 0.0 && t->cycle_factor_source == NULL)
    return mn_error_set(p->error, MN_ERR_FORMAT, "%s: [cycles] names no source; add one", p->path);
  if ((t->error_percent > 0.0) != (t->error_basis != NULL))
    return mn_error_set(p->error, MN_ERR_FORMAT,
                        "%s: [cycles] needs both error_percent and error_basis, or neither",
                        p->path);
  if ((t->machine != NULL) != (t->linker != NULL))
    return mn_error_set(p->error, MN_ERR_FORMAT, "%s: [emulator] needs both machine and linker",
                        p->path);
  if ((t->serial_board != NULL) != (t->serial_linker != NULL))
    return mn_error_set(p->error, MN_ERR_FORMAT, "%s: [serial] needs both board and linker",
                        p->path);
  return MN_OK;
}

/* "folder/nucleo-f446re.ini" -> "nucleo-f446re" */
static const char *base_name(mn_arena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  int length = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
  return mn_arena_text(arena, "%.*s", length, name);
}

mn_status mn_target_parse(const mn_target **target, mn_arena *arena, const char *path,
                          mn_bytes text, mn_error *error) {
  mn_target *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  made->path = mn_arena_text(arena, "%s", path);
  made->name = base_name(arena, path);
  if (made->path == NULL || made->name == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  if (memchr(text.data, 0, text.size) != NULL)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: holds zero bytes; expected a text file", path);

  const char *start = (const char *)text.data;
  parse p = {.path = path,
             .text = start,
             .end = start + text.size,
             .target = made,
             .arena = arena,
             .error = error};
  int bad_line = ini_parse_stream(next_line, &p, handle_key, &p);
  MN_TRY(p.status);
  if (bad_line != 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s:%d: expected [section] or key = value", path,
                        bad_line > 0 ? bad_line : 1);
  MN_TRY(check_complete(&p));
  *target = made;
  return MN_OK;
}

/* ---- By name --------------------------------------------------------------------------------*/

/* Names of the shipped targets, for "did you mean"; sorted, so that the message does not vary. */
const char *const *mn_target_names(mn_arena *arena, int32_t *count) {
  enum { MOST = 256 };
  *count = 0;
  const char *folder = mn_shipped_path(arena, "targets");
  const char **names = mn_arena_array(arena, MOST, sizeof *names);
  DIR *open = folder != NULL && names != NULL ? opendir(folder) : NULL;
  if (open == NULL) return NULL;
  const struct dirent *entry;
  while (*count < MOST && (entry = readdir(open)) != NULL) {
    size_t length = strlen(entry->d_name);
    if (length < 5 || strcmp(entry->d_name + length - 4, ".ini") != 0) continue;
    names[*count] = mn_arena_text(arena, "%.*s", (int)(length - 4), entry->d_name);
    if (names[*count] != NULL) (*count)++;
  }
  closedir(open);
  qsort(names, (size_t)*count, sizeof *names, mn_text_order);
  return names;
}

static mn_status unknown_target(mn_arena *arena, const char *name, mn_error *error) {
  int32_t count = 0;
  const char *const *names = mn_target_names(arena, &count);
  const char *near = names != NULL ? mn_nearest(name, names, (size_t)count) : NULL;
  if (near != NULL)
    return mn_error_set(error, MN_ERR_USAGE, "unknown target \"%s\"; did you mean \"%s\"?", name,
                        near);
  return mn_error_set(
      error, MN_ERR_USAGE,
      "unknown target \"%s\"; expected a name of targets/ or the path of an .ini file", name);
}

mn_status mn_target_read(const mn_target **target, mn_arena *arena, const char *name_or_path,
                         mn_error *error) {
  size_t length = strlen(name_or_path);
  bool is_path = strchr(name_or_path, '/') != NULL ||
                 (length > 4 && strcmp(name_or_path + length - 4, ".ini") == 0);
  const char *path = name_or_path;
  if (!is_path) {
    const char *shipped = mn_arena_text(arena, "targets/%s.ini", name_or_path);
    if (shipped == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
    path = mn_shipped_path(arena, shipped);
    if (path == NULL) return unknown_target(arena, name_or_path, error);
  }
  mn_bytes text = {0};
  MN_TRY(mn_file_read(&text, arena, path, 1 << 20, error));
  return mn_target_parse(target, arena, path, text, error);
}
