/* report.h - one self-contained HTML page of text and tables from a run folder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_REPORT_H
#define MICRONETS_REPORT_H

#include "micronets/run.h"

/* Reads the JSON files of `folder` and leaves report.html there. *result: {"file": ...} and the
 * keys every command has. Errors: MN_ERR_FORMAT where the folder holds no run. */
mn_status mn_report(json_t **result, const mn_run_context *context, const char *folder,
                    mn_error *error) MN_MUST_CHECK;

#endif
