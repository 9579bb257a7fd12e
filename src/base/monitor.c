/* monitor.c - the way progress and messages leave a stage, and the clock of reports.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <stdio.h>
#include <time.h>

void mn_monitor_progress(const mn_monitor *monitor, const mn_progress *progress) {
  if (monitor != NULL && monitor->progress != NULL) monitor->progress(monitor->context, progress);
}

void mn_monitor_message(const mn_monitor *monitor, mn_level level, const char *format, ...) {
  if (monitor == NULL || monitor->message == NULL) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  monitor->message(monitor->context, level, text);
}

bool mn_monitor_stopped(const mn_monitor *monitor) {
  return monitor != NULL && monitor->stop != NULL && *monitor->stop != 0;
}

double mn_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
