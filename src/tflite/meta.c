/* meta.c - see meta.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"

#define FIRST_LINE "micronets 1"
enum { MN_META_MAX_BYTES = 1 << 20 };

bool mn_meta_needed(const mn_model *model) {
  return model->frontend.kind != MN_FRONTEND_NONE || model->label_count > 0 ||
         model->has_threshold || model->score_kind != NULL || model->trained_on != NULL;
}

int32_t mn_model_label(const mn_model *model, const char *name) {
  for (int32_t i = 0; i < model->label_count; i++)
    if (strcmp(model->labels[i], name) == 0) return i;
  return -1;
}

static mn_status print_line(const mn_sink *out, const char *key, const char *value,
                            mn_error *error) {
  if (value[0] == 0 || strpbrk(value, "\r\n") != NULL)
    return mn_error_set(error, MN_ERR_ARGUMENT,
                        "%s \"%s\": empty or more than one line; a .tflite keeps it on one line",
                        key, value);
  return mn_sink_printf(out, "%s %s\n", key, value);
}

/* One line, whether the printer ends it or not. */
static mn_status print_frontend(const mn_sink *out, const mn_frontend *frontend) {
  mn_buffer line = {0};
  mn_sink sink = mn_buffer_sink(&line);
  mn_status status = mn_frontend_print(&sink, frontend);
  while (line.size > 0 && line.data[line.size - 1] == '\n') line.size--;
  if (status == MN_OK) status = mn_sink_write(out, line.data, line.size);
  if (status == MN_OK) status = mn_sink_printf(out, "\n");
  mn_buffer_free(&line);
  return status;
}

mn_status mn_meta_print(const mn_sink *out, const mn_model *model, mn_error *error) {
  MN_TRY(mn_sink_printf(out, FIRST_LINE "\n"));
  if (model->frontend.kind != MN_FRONTEND_NONE) MN_TRY(print_frontend(out, &model->frontend));
  for (int32_t i = 0; i < model->label_count; i++)
    MN_TRY(print_line(out, "label", model->labels[i], error));
  if (model->has_threshold)
    MN_TRY(mn_sink_printf(out, "threshold %.9f\n", (double)model->threshold));
  if (model->score_kind != NULL)
    MN_TRY(
        mn_sink_printf(out, "score %s %.9e\n", model->score_kind, (double)model->score_threshold));
  return model->trained_on != NULL ? print_line(out, "trained_on", model->trained_on, error)
                                   : MN_OK;
}

/* ---- Parsing -------------------------------------------------------------------------------*/
typedef struct meta_parser {
  mn_model *model;
  const char **labels;
  bool seen_input, seen_trained;
  mn_error *error;
} meta_parser;

static mn_status bad_line(meta_parser *parser, const char *line, const char *expected) {
  return mn_error_set(parser->error, MN_ERR_FORMAT,
                      "metadata \"micronets\": line \"%.60s\"; expected %s", line, expected);
}

/* The value behind "key ", or NULL where the line has another key. */
static const char *value_of(const char *line, const char *key) {
  size_t length = strlen(key);
  bool fits = strncmp(line, key, length) == 0 && line[length] == ' ' && line[length + 1] != 0;
  return fits ? line + length + 1 : NULL;
}

static mn_status parse_threshold(meta_parser *parser, const char *line, const char *value) {
  char *end = NULL;
  float threshold = strtof(value, &end);
  if (*end != 0 || !(threshold >= 0 && threshold <= 1))
    return bad_line(parser, line, "a threshold from 0 to 1");
  parser->model->threshold = threshold;
  parser->model->has_threshold = true;
  return MN_OK;
}

static mn_status parse_score(meta_parser *parser, const char *line, char *value) {
  char *space = strchr(value, ' '), *end = value;
  float threshold = space != NULL ? strtof(space + 1, &end) : 0;
  if (space == NULL || space == value || *end != 0 || !isfinite(threshold))
    return bad_line(parser, line, "a kind of score and its threshold");
  *space = 0;
  parser->model->score_kind = value;
  parser->model->score_threshold = threshold;
  return MN_OK;
}

static mn_status parse_line(meta_parser *parser, char *line) {
  mn_model *model = parser->model;
  const char *value;
  if (value_of(line, "input") != NULL && !parser->seen_input) {
    parser->seen_input = true;
    mn_status status = mn_frontend_parse(&model->frontend, line, parser->error);
    return status == MN_OK
               ? MN_OK
               : mn_error_prefix(parser->error, MN_ERR_FORMAT, "metadata \"micronets\"");
  }
  if ((value = value_of(line, "label")) != NULL) {
    parser->labels[model->label_count++] = value;
    return MN_OK;
  }
  if ((value = value_of(line, "threshold")) != NULL && !model->has_threshold)
    return parse_threshold(parser, line, value);
  if ((value = value_of(line, "score")) != NULL && model->score_kind == NULL)
    return parse_score(parser, line, line + (value - line));
  if ((value = value_of(line, "trained_on")) != NULL && !parser->seen_trained) {
    parser->seen_trained = true;
    model->trained_on = value;
    return MN_OK;
  }
  return bad_line(parser, line, "input, label, threshold, score or trained_on, each with a value");
}

static size_t count_lines(const char *text) {
  size_t lines = 0;
  for (; *text != 0; text++) lines += *text == '\n';
  return lines;
}

mn_status mn_meta_parse(mn_model *model, mn_arena *arena, mn_bytes bytes, mn_error *error) {
  if (bytes.size == 0 || bytes.size > MN_META_MAX_BYTES ||
      memchr(bytes.data, 0, bytes.size) != NULL)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "metadata \"micronets\" of %zu bytes; expected up to 1 MiB of text",
                        bytes.size);
  char *text = mn_arena_alloc(arena, bytes.size + 1); /* zeroed: ends itself */
  if (text == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while reading metadata");
  memcpy(text, bytes.data, bytes.size);
  meta_parser parser = {.model = model, .error = error};
  parser.labels = mn_arena_array(arena, count_lines(text) + 1, sizeof *parser.labels);
  if (parser.labels == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while reading metadata");
  bool first = true;
  for (char *line = text; *line != 0; first = false) {
    char *end = strchr(line, '\n');
    if (end == NULL) return bad_line(&parser, line, "an end of line");
    *end = 0;
    if (first && strcmp(line, FIRST_LINE) != 0)
      return bad_line(&parser, line, "\"" FIRST_LINE "\" first");
    if (!first) MN_TRY(parse_line(&parser, line));
    line = end + 1;
  }
  model->labels = parser.labels;
  return MN_OK;
}
