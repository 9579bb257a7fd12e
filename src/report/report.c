/* report.c - see micronets/report.h. Text and tables only; nothing is fetched from anywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/report.h"

#include <string.h>

#include "run/json.h"

static void escape(const mn_sink *out, const char *text) {
  mn_status status = MN_OK;
  for (; *text != 0 && status == MN_OK; text++) {
    const char *entity = *text == '<'   ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '&' ? "&amp;"
                                        : NULL;
    status = entity != NULL ? mn_sink_printf(out, "%s", entity) : mn_sink_write(out, text, 1);
  }
  (void)status; /* a buffer out of memory stays so: checked once at the end */
}

static void cell(const mn_sink *out, const json_t *value) {
  char text[64];
  switch (json_typeof(value)) {
    case JSON_STRING: escape(out, json_string_value(value)); return;
    case JSON_INTEGER:
      snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
      break;
    case JSON_REAL: snprintf(text, sizeof text, "%.5g", json_real_value(value)); break;
    case JSON_TRUE: snprintf(text, sizeof text, "yes"); break;
    case JSON_FALSE: snprintf(text, sizeof text, "no"); break;
    case JSON_NULL: snprintf(text, sizeof text, "unknown"); break;
    case JSON_ARRAY: {
      size_t index;
      const json_t *item;
      json_array_foreach((json_t *)(uintptr_t)value, index, item) {
        if (index > 0) escape(out, " ");
        cell(out, item);
      }
      return;
    }
    case JSON_OBJECT: snprintf(text, sizeof text, "..."); break;
  }
  escape(out, text);
}

static void line(const mn_sink *out, const char *text) {
  if (mn_sink_write(out, text, strlen(text)) != MN_OK) return;
}

static bool is_table(const json_t *value) {
  return json_is_array(value) && json_object_size(json_array_get(value, 0)) > 0;
}

static void table(const mn_sink *out, const json_t *rows) {
  const char *key;
  const json_t *value, *row;
  size_t index;
  line(out, "<table><tr>");
  json_object_foreach(json_array_get(rows, 0), key, value) {
    if (strcmp(key, "text") == 0) continue;
    line(out, "<th>");
    escape(out, key);
    line(out, "</th>");
  }
  line(out, "</tr>\n");
  json_array_foreach((json_t *)(uintptr_t)rows, index, row) {
    line(out, "<tr>");
    json_object_foreach(json_array_get(rows, 0), key, value) {
      const json_t *item = json_object_get(row, key);
      if (strcmp(key, "text") == 0) continue;
      line(out, json_is_number(item) ? "<td class=n>" : "<td>");
      if (item != NULL) cell(out, item);
      line(out, "</td>");
    }
    line(out, "</tr>\n");
  }
  line(out, "</table>\n");
}

/* Depth is that of our own result files: bounded, so this recursion is too. */
static void object(const mn_sink *out, const json_t *from, int depth) {
  const char *key;
  const json_t *value;
  line(out, "<dl>\n");
  json_object_foreach((json_t *)(uintptr_t)from, key, value) {
    if (strcmp(key, "micronets") == 0 || strcmp(key, "command") == 0 || strcmp(key, "text") == 0)
      continue;
    line(out, "<dt>");
    escape(out, key);
    line(out, "</dt><dd>");
    if (is_table(value))
      table(out, value);
    else if (json_is_object(value) && depth < 6)
      object(out, value, depth + 1);
    else
      cell(out, value);
    line(out, "</dd>\n");
  }
  line(out, "</dl>\n");
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>MicroNets run</title>\n<style>\n"
    "body{font:15px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}\n"
    "h2{border-bottom:1px solid #bbb;margin-top:2em}dl{display:grid;grid-template-columns:max-content 1fr;"
    "gap:.2em 1em;margin:0}\ndt{color:#555}dd{margin:0;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;margin:.3em 0}td,th{padding:.1em .6em;border:1px solid #ccc;text-align:left}\n"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}pre{background:#f4f4f4;padding:1em}\n"
    "</style></head><body>\n<h1>MicroNets run</h1>\n";

static mn_status section(const mn_sink *out, mn_arena *arena, const char *folder, const char *name,
                         const char *title, bool *any, mn_error *error) {
  const char *path = mn_arena_text(arena, "%s/%s", folder, name);
  if (path == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", folder);
  if (!mn_file_exists(path)) return MN_OK;
  json_t *from;
  MN_TRY(mn_run_read_json(&from, arena, path, error));
  line(out, "<h2>");
  escape(out, title);
  line(out, "</h2>\n");
  if (json_is_array(from))
    table(out, from);
  else
    object(out, from, 0);
  json_decref(from);
  *any = true;
  return MN_OK;
}

static mn_status network(const mn_sink *out, mn_arena *arena, const char *folder, mn_error *error) {
  const char *path = mn_arena_text(arena, "%s/arch.net", folder);
  mn_bytes text;
  if (path == NULL || !mn_file_exists(path)) return MN_OK;
  MN_TRY(mn_file_read(&text, arena, path, 1 << 20, error));
  line(out, "<h2>The network</h2>\n<pre>");
  escape(out, (const char *)text.data);
  line(out, "</pre>\n");
  return MN_OK;
}

/* The one sentence that says what came out, at the top. */
static mn_status summary(const mn_sink *out, mn_arena *arena, const char *folder, mn_error *error) {
  const char *path = mn_arena_text(arena, "%s/run.json", folder);
  json_t *run;
  if (path == NULL || !mn_file_exists(path)) return MN_OK;
  MN_TRY(mn_run_read_json(&run, arena, path, error));
  const char *command = json_string_value(json_object_get(run, "command_line"));
  const char *text = json_string_value(json_object_get(run, "summary"));
  if (text != NULL) {
    line(out, "<p><b>");
    escape(out, text);
    line(out, "</b></p>\n");
  }
  if (command != NULL) {
    line(out, "<pre>");
    escape(out, command);
    line(out, "</pre>\n");
  }
  json_decref(run);
  return MN_OK;
}

static mn_status page(mn_buffer *buffer, mn_arena *arena, const char *folder, mn_error *error) {
  static const struct {
    const char *file, *title;
  } sections[] = {{"data.json", "Data"},      {"search.json", "Search"},
                  {"train.json", "Training"}, {"compile.json", "Firmware"},
                  {"bench.json", "Bench"},    {"run.json", "The run"}};
  enum { SEARCH = 1 };
  mn_sink out = mn_buffer_sink(buffer);
  bool any = false;
  line(&out, head);
  MN_TRY(summary(&out, arena, folder, error));
  for (size_t i = 0; i < MN_COUNT(sections); i++) {
    MN_TRY(section(&out, arena, folder, sections[i].file, sections[i].title, &any, error));
    if (i == SEARCH) MN_TRY(network(&out, arena, folder, error));
  }
  if (!any)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found no run.json or other result; expected a run folder", folder);
  if (mn_sink_printf(&out, "<p>micronets %s</p></body></html>\n", MICRONETS_VERSION) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", folder);
  return MN_OK;
}

mn_status mn_report(json_t **result, const mn_run_context *context, const char *folder,
                    mn_error *error) {
  double began = mn_seconds();
  const char *path = context->common->out != NULL && strcmp(context->command, "report") == 0
                         ? context->common->out
                         : mn_arena_text(context->arena, "%s/report.html", folder);
  if (path == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", folder);
  mn_buffer buffer = {0};
  mn_status status = page(&buffer, context->arena, folder, error);
  if (status == MN_OK) status = mn_file_write(path, buffer.data, buffer.size, error);
  mn_buffer_free(&buffer);
  MN_TRY(status);
  *result = json_pack("{s:s,s:s,s:o,s:f}", "micronets", MICRONETS_VERSION, "command", "report",
                      "file", mn_json_text(path), "seconds", mn_seconds() - began);
  return *result != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", folder);
}
