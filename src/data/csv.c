/* csv.c - see csv.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/csv.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_COLUMNS = 65, MOST_CELL = 63 };
#define STANDARD_SCALE 8192.0
#define MOST_PAUSE 5.0 /* steps of time, in means of them: the clock of a logger is not even */

typedef struct reader {
  const char *at, *end, *name;
  mn_error *error;
  int32_t line, columns, time; /* time: column of times; -1 none */
  char separator;              /* 0: not known yet */
  double time_unit, rate, scale, first, last;
  double longest; /* the longest step of time, in units of the file */
  int32_t longest_line;
  mn_csv *csv;
  int64_t room;
} reader;

bool mn_is_csv(const char *path) {
  size_t size = strlen(path);
  return size > 4 && strcasecmp(path + size - 4, ".csv") == 0;
}

static mn_status bad(const reader *r, const char *found, const char *expected) {
  return mn_error_set(r->error, MN_ERR_FORMAT, "%s:%d: found \"%.40s\"; expected %s", r->name,
                      (int)r->line, found, expected);
}

/* One separator for the whole file: where there are semicolons or tabs, a comma is none. */
static char find_separator(const char *line, const char *end) {
  const size_t size = (size_t)(end - line);
  return memchr(line, ';', size) != NULL ? ';' : memchr(line, '\t', size) != NULL ? '\t' : ',';
}

/* Cells of the line at hand, blanks and quotes around them cut off; -1: too many, or one too long. */
static int32_t cut(char cell[][MOST_CELL + 1], const char *line, const char *end, char separator) {
  int32_t count = 0;
  for (const char *at = line; at <= end; count++) {
    const char *stop = memchr(at, separator, (size_t)(end - at));
    if (stop == NULL) stop = end;
    const char *first = at, *last = stop;
    while (first < last && isspace((unsigned char)*first)) first++;
    while (last > first && isspace((unsigned char)last[-1])) last--;
    if (last - first > 1 && *first == '"' && last[-1] == '"') first++, last--;
    if (count == MOST_COLUMNS || last - first > MOST_CELL) return -1;
    memcpy(cell[count], first, (size_t)(last - first));
    cell[count][last - first] = '\0';
    at = stop + 1;
  }
  return count;
}

static bool is_number(const char *text, double *value) {
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value);
}

static bool ends_in(const char *text, const char *tail) {
  size_t size = strlen(text), length = strlen(tail);
  return size >= length && strcasecmp(text + size - length, tail) == 0;
}

static void take_names(reader *r, char cell[][MOST_CELL + 1], int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    bool time = strncasecmp(cell[i], "time", 4) == 0 || strcasecmp(cell[i], "t") == 0;
    if (!time || r->time >= 0) continue;
    r->time = i;
    r->time_unit = ends_in(cell[i], "ms") ? 1e-3 : ends_in(cell[i], "us") ? 1e-6 : 1;
  }
}

/* Hertz in a word of a remark; 0: no such unit. */
static double unit_of(const char *text) {
  if (strcasecmp(text, "kHz") == 0) return 1000;
  return text[0] == '\0' || strcasecmp(text, "Hz") == 0 ? 1 : 0;
}

/* "# rate 200Hz", "# scale 8192"; other remarks are left alone. */
static mn_status take_remark(reader *r, const char *line, const char *end) {
  char text[80], key[16], unit[16] = "";
  snprintf(text, sizeof text, "%.*s", (int)(end - line < 79 ? end - line : 79), line);
  double value;
  if (sscanf(text, "# %15s %lf %15s", key, &value, unit) < 2) return MN_OK;
  bool rate = strcmp(key, "rate") == 0;
  if (!rate && strcmp(key, "scale") != 0) return MN_OK;
  if (!(value > 0 && value < 1e9)) return bad(r, text, "a positive number");
  if (rate && unit_of(unit) == 0) return bad(r, text, "Hz or kHz");
  if (rate)
    r->rate = value * unit_of(unit);
  else
    r->scale = value;
  return MN_OK;
}

static int16_t to_s16(double value) {
  return (int16_t)lrint(fmin(32767, fmax(-32768, value)));
}

static mn_status reserve(reader *r) {
  mn_csv *csv = r->csv;
  if ((csv->frames + 1) * csv->channels <= r->room) return MN_OK;
  int64_t room = 2 * r->room + 4096 * csv->channels;
  int16_t *pcm = mn_realloc(csv->pcm, sizeof *pcm * (size_t)room);
  if (pcm == NULL) return mn_error_set(r->error, MN_ERR_MEMORY, "%s: out of memory", r->name);
  csv->pcm = pcm;
  r->room = room;
  return MN_OK;
}

static mn_status take_time(reader *r, const char *text, double value) {
  if (r->csv->frames == 0) r->first = r->last = value;
  double step = value - r->last;
  if (step < 0) return bad(r, text, "a time not before that of the line above");
  if (step > r->longest) {
    r->longest = step;
    r->longest_line = r->line;
  }
  r->last = value;
  return MN_OK;
}

static mn_status take_sample(reader *r, char cell[][MOST_CELL + 1], int32_t count) {
  mn_csv *csv = r->csv;
  if (r->columns == 0) r->columns = count;
  csv->channels = r->columns - (r->time >= 0);
  if (count != r->columns || csv->channels < 1) return bad(r, cell[0], "as many columns as before");
  MN_TRY(reserve(r));
  int16_t *to = csv->pcm + csv->frames * csv->channels;
  for (int32_t i = 0; i < count; i++) {
    double value;
    if (!is_number(cell[i], &value)) return bad(r, cell[i], "a number");
    if (i == r->time)
      MN_TRY(take_time(r, cell[i], value));
    else
      *to++ = to_s16(value * r->scale);
  }
  csv->frames++;
  return MN_OK;
}

static mn_status take_line(reader *r, const char *line, const char *end) {
  char cell[MOST_COLUMNS][MOST_CELL + 1];
  if (line == end) return MN_OK;
  if (*line == '#') return take_remark(r, line, end);
  if (r->separator == '\0') r->separator = find_separator(line, end);
  int32_t count = cut(cell, line, end, r->separator);
  if (count < 0) return bad(r, "a long line", "up to 64 channels of numbers");
  if (r->csv->frames == 0 && r->columns == 0 &&
      (cell[0][0] == 0 || strchr("+-.0123456789", cell[0][0]) == NULL)) {
    r->columns = count;
    take_names(r, cell, count);
    return MN_OK;
  }
  return take_sample(r, cell, count);
}

static mn_status find_rate(reader *r) {
  if (r->csv->frames == 0)
    return mn_error_set(r->error, MN_ERR_FORMAT, "%s: holds no samples", r->name);
  double span = (r->last - r->first) * r->time_unit;
  if (r->longest * r->time_unit * (double)(r->csv->frames - 1) > MOST_PAUSE * span)
    return mn_error_set(r->error, MN_ERR_FORMAT,
                        "%s:%d: found a pause of %g s; expected samples of one rate", r->name,
                        (int)r->longest_line, r->longest * r->time_unit);
  if (r->rate <= 0 && r->time >= 0 && span > 0) r->rate = (double)(r->csv->frames - 1) / span;
  if (r->rate >= 1 && r->rate <= 768000) {
    r->csv->rate_hz = (int32_t)lrint(r->rate);
    return MN_OK;
  }
  return mn_error_set(r->error, MN_ERR_FORMAT,
                      "%s: found no rate; expected a line \"# rate 200Hz\" or a column \"time\"",
                      r->name);
}

mn_status mn_csv_read(mn_csv *csv, mn_bytes text, const char *name, mn_error *error) {
  mn_csv made = {0};
  text = mn_text_unmarked(text);
  reader r = {.at = (const char *)text.data,
              .end = (const char *)text.data + text.size,
              .name = name,
              .error = error,
              .time = -1,
              .time_unit = 1,
              .scale = STANDARD_SCALE,
              .csv = &made};
  mn_status status = MN_OK;
  while (status == MN_OK && r.at < r.end) {
    const char *stop = memchr(r.at, '\n', (size_t)(r.end - r.at));
    const char *end = stop != NULL ? stop : r.end;
    r.line++;
    status = take_line(&r, r.at, end > r.at && end[-1] == '\r' ? end - 1 : end);
    r.at = stop != NULL ? stop + 1 : r.end;
  }
  if (status == MN_OK) status = find_rate(&r);
  if (status == MN_OK)
    *csv = made;
  else
    mn_free(made.pcm);
  return status;
}
