/* progress.c - draws what stages report, on standard error: one redrawn line on a terminal, after a
 * second, at most six times a second; else key=value lines, one per second at most and fewer
 * later on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

typedef enum mode { MODE_NONE, MODE_LINE, MODE_LINES } mode;

static struct {
  mn_monitor monitor;
  mode mode;
  mn_level level;      /* messages up to here are shown */
  bool drawn;          /* a line stands on the terminal */
  bool any;            /* something was reported */
  double opened, last; /* seconds */
  char stage[32];      /* of the last report */
  int64_t first_step;  /* of this stage: a resumed run must not count it as done in no time */
  int64_t last_step;   /* a stage that falls behind it has begun again: the next seed */
  double stage_began;
} state;

static void erase(void) {
  if (state.drawn) fputs("\r\033[K", stderr);
  state.drawn = false;
}

/* Seconds still to go, negative where nothing can be said. */
static double eta_seconds(const mn_progress *p, double now) {
  int64_t done = p->step - state.first_step;
  if (p->total <= 0 || done <= 0) return -1;
  return (now - state.stage_began) / (double)done * (double)(p->total - p->step);
}

static void draw_line(const mn_progress *p, double eta) {
  char text[512];
  int used = snprintf(text, sizeof text, "%s", p->stage);
  if (p->total > 0)
    used += snprintf(text + used, sizeof text - (size_t)used, " %lld/%lld (%d %%)",
                     (long long)p->step, (long long)p->total, (int)(100 * p->step / p->total));
  else
    used += snprintf(text + used, sizeof text - (size_t)used, " %lld", (long long)p->step);
  for (int i = 0; i < MN_PROGRESS_VALUES && p->name[i] != NULL && used < 400; i++)
    used += snprintf(text + used, sizeof text - (size_t)used, "  %s %.4g", p->name[i], p->value[i]);
  if (eta >= 0)
    used += snprintf(text + used, sizeof text - (size_t)used, "  %d:%02d left", (int)(eta / 60),
                     (int)eta % 60);
  struct winsize size = {0};
  int columns =
      ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 8 ? size.ws_col - 1 : 79;
  fprintf(stderr, "\r\033[K%.*s", columns, text);
  fflush(stderr);
  state.drawn = true;
}

static void draw_keys(const mn_progress *p, double now, double eta) {
  fprintf(stderr, "stage=%s step=%lld", p->stage, (long long)p->step);
  if (p->total > 0) fprintf(stderr, " total=%lld", (long long)p->total);
  for (int i = 0; i < MN_PROGRESS_VALUES && p->name[i] != NULL; i++)
    fprintf(stderr, " %s=%.6g", p->name[i], p->value[i]);
  fprintf(stderr, " seconds=%.1f", now - state.opened);
  if (eta >= 0) fprintf(stderr, " eta=%.0f", eta);
  fputc('\n', stderr);
}

static void on_progress(void *context, const mn_progress *p) {
  (void)context;
  double now = mn_seconds();
  bool new_stage = strcmp(state.stage, p->stage) != 0 || p->step < state.last_step;
  state.last_step = p->step;
  if (new_stage) {
    snprintf(state.stage, sizeof state.stage, "%s", p->stage);
    state.first_step = p->step;
    state.stage_began = now;
  }
  double pause = state.mode == MODE_LINE ? 1.0 / 6 : now - state.opened < 10 ? 1.0 : 5.0;
  bool due = now - state.last >= pause && (state.mode == MODE_LINES || now - state.opened >= 1);
  bool end = p->total > 0 && p->step >= p->total;
  if (!due && !((end || new_stage) && state.mode == MODE_LINES)) return;
  state.last = now;
  state.any = true;
  if (state.mode == MODE_LINE) draw_line(p, eta_seconds(p, now));
  if (state.mode == MODE_LINES) draw_keys(p, now, eta_seconds(p, now));
}

static void on_message(void *context, mn_level level, const char *text) {
  (void)context;
  if (level > state.level) return;
  erase();
  fprintf(stderr, "micronets: %s%s\n", level == MN_LEVEL_WARNING ? "warning: " : "", text);
}

static mode choose_mode(const mn_options_common *common) {
  if (common->quiet || strcmp(common->progress, "never") == 0) return MODE_NONE;
  if (strcmp(common->progress, "lines") == 0) return MODE_LINES;
  if (strcmp(common->progress, "always") == 0) return MODE_LINE;
  const char *terminal = getenv("TERM");
  bool can_redraw = terminal == NULL || strcmp(terminal, "dumb") != 0;
  return isatty(STDERR_FILENO) && can_redraw ? MODE_LINE : MODE_LINES;
}

const mn_monitor *mn_cli_monitor_open(const mn_options_common *common,
                                      const volatile sig_atomic_t *stop) {
  state.mode = choose_mode(common);
  state.level = common->quiet          ? MN_LEVEL_ERROR
                : common->verbose >= 2 ? MN_LEVEL_DEBUG
                : common->verbose == 1 ? MN_LEVEL_NOTE
                                       : MN_LEVEL_WARNING;
  state.opened = mn_seconds();
  state.last = state.opened - 1;
  state.monitor =
      (mn_monitor){state.mode != MODE_NONE ? on_progress : NULL, on_message, NULL, stop};
  return &state.monitor;
}

void mn_cli_monitor_close(void) {
  erase();
  if (state.mode == MODE_LINES && state.any) fputs("progress=end\n", stderr);
  state.any = false;
}
