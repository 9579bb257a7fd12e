/* log.h - log.txt of a run folder: every message and, once a second, progress; passed on to the
 * monitor behind it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_LOG_H
#define MN_RUN_LOG_H

#include <stdio.h>

#include "run/stage.h"

typedef struct mn_run_log {
  FILE *file;
  double began, last;
  const mn_monitor *behind; /* may be NULL */
  mn_monitor monitor;       /* what stages get */
} mn_run_log;

/* Appends where `going_on`, else starts anew. The log must not move while its monitor is in use. */
mn_status mn_run_log_open(mn_run_log *log, const mn_run_context *context, const char *folder,
                          bool going_on, mn_error *error) MN_MUST_CHECK;
void mn_run_log_close(mn_run_log *log, const char *last_line);

#endif
