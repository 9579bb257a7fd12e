/* window.c - how much a network hears at once, for words that last longer than the shipped second.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/window.h"

static const double fitting_share = 0.9; /* of the takes: the slowest are slower than people */
static const int32_t lengths_us[] = {1000000, 1500000, 2000000, 2500000, 3000000};

int32_t mn_window_for(double seconds) {
  size_t i = 0;
  while (i + 1 < MN_COUNT(lengths_us) && seconds * 1e6 > lengths_us[i]) i++;
  return lengths_us[i];
}

/* The text with its input line as `frontend` says. */
static mn_status with_frontend(mn_buffer *out, mn_bytes text, const mn_frontend *frontend,
                               const char *line, size_t length) {
  const mn_sink sink = mn_buffer_sink(out);
  const char *all = (const char *)text.data, *rest = line + length;
  MN_TRY(mn_buffer_append(out, all, (size_t)(line - all)));
  MN_TRY(mn_frontend_print(&sink, frontend));
  return mn_buffer_append(out, rest, text.size - (size_t)(rest - all));
}

/* Where the line that begins with "input" starts; NULL: nowhere. */
static const char *input_line(const char *text) {
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, "input ", 6) == 0) return line;
  }
  return NULL;
}

static mn_status widen(mn_buffer *out, mn_arena *arena, mn_bytes text, int32_t length_us,
                       mn_error *error) {
  char *copy = mn_arena_alloc(arena, text.size + 1);
  if (copy == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  memcpy(copy, text.data, text.size);
  copy[text.size] = 0;
  const char *line = input_line(copy);
  if (line == NULL) return mn_error_set(error, MN_ERR_FORMAT, "no input line");
  const size_t length = strcspn(line, "\n");
  const char *input = mn_arena_text(arena, "%.*s", (int)length, line);
  mn_frontend frontend;
  if (input == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(mn_frontend_parse(&frontend, input, error));
  frontend.length_us = length_us;

  return with_frontend(out, (mn_bytes){(const uint8_t *)copy, text.size}, &frontend, line, length);
}

mn_status mn_window_space(const char **path, const mn_run_context *context, const char *folder,
                          const mn_dataset *dataset, mn_error *error) {
  const double seconds = mn_dataset_spoken_seconds(dataset, fitting_share);
  const int32_t length_us = mn_window_for(seconds);
  if (length_us == lengths_us[0]) return MN_OK;
  const char *wider = mn_stage_path(context, folder, "space.net");
  mn_bytes text;
  if (wider == NULL) return mn_out_of_memory(context, error);
  MN_TRY(mn_file_read(&text, context->arena, *path, 1 << 20, error));
  mn_buffer out = {0};
  mn_status status = widen(&out, context->arena, text, length_us, error);
  if (status == MN_OK) status = mn_file_write(wider, out.data, out.size, error);
  mn_buffer_free(&out);
  if (status != MN_OK) return mn_error_prefix(error, status, "%s", *path);
  mn_monitor_message(context->monitor, MN_LEVEL_NOTE,
                     "one in ten of the spoken clips lasts longer than %.2f s: the network hears "
                     "%.1f s at once (%s)",
                     seconds, length_us * 1e-6, wider);
  *path = wider;
  return MN_OK;
}

void mn_window_warn(const mn_run_context *context, const mn_dataset *dataset,
                    const mn_frontend *frontend) {
  const double seconds = mn_dataset_spoken_seconds(dataset, fitting_share);
  if (seconds * 1e6 <= frontend->length_us) return;
  mn_monitor_message(context->monitor, MN_LEVEL_WARNING,
                     "one in ten of the spoken clips lasts longer than %.2f s; the network hears "
                     "%.1f s; write \"length %dms\" in its input line",
                     seconds, frontend->length_us * 1e-6, (int)(mn_window_for(seconds) / 1000));
}
