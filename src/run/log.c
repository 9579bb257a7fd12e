/* log.c - see log.h. A log that cannot be written is no reason to lose a run: later failures are
 * ignored.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/log.h"

#include <errno.h>
#include <string.h>

static void on_message(void *context, mn_level level, const char *text) {
  static const char *const words[] = {"error", "warning", "note", "debug"};
  mn_run_log *log = context;
  fprintf(log->file, "%.1f %s: %s\n", mn_seconds() - log->began, words[level], text);
  fflush(log->file);
  mn_monitor_message(log->behind, level, "%s", text);
}

static void on_progress(void *context, const mn_progress *p) {
  mn_run_log *log = context;
  double now = mn_seconds();
  mn_monitor_progress(log->behind, p);
  if (now - log->last < 1 && !(p->total > 0 && p->step >= p->total)) return;
  log->last = now;
  fprintf(log->file, "%.1f stage=%s step=%lld total=%lld", now - log->began, p->stage,
          (long long)p->step, (long long)p->total);
  for (int i = 0; i < MN_PROGRESS_VALUES && p->name[i] != NULL; i++)
    fprintf(log->file, " %s=%.6g", p->name[i], p->value[i]);
  fputc('\n', log->file);
  fflush(log->file);
}

mn_status mn_run_log_open(mn_run_log *log, const mn_run_context *context, const char *folder,
                          bool going_on, mn_error *error) {
  const char *path = mn_stage_path(context, folder, "log.txt");
  if (path == NULL) return mn_out_of_memory(context, error);
  *log =
      (mn_run_log){.began = context->began, .last = context->began - 1, .behind = context->monitor};
  log->file = fopen(path, going_on ? "a" : "w");
  if (log->file == NULL) return mn_error_set(error, MN_ERR_IO, "%s: %s", path, strerror(errno));
  const volatile sig_atomic_t *stop = context->monitor != NULL ? context->monitor->stop : NULL;
  log->monitor = (mn_monitor){on_progress, on_message, log, stop};
  fprintf(log->file, "micronets %s: %s\n", MICRONETS_VERSION, context->command_line);
  return MN_OK;
}

void mn_run_log_close(mn_run_log *log, const char *last_line) {
  if (log->file == NULL) return;
  fprintf(log->file, "%.1f %s\n", mn_seconds() - log->began, last_line);
  fclose(log->file);
  log->file = NULL;
}
