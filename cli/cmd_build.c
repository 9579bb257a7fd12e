/* cmd_build.c - micronets build: the stages of room run, then the report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "micronets/report.h"

mn_status mn_cli_build(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_build(result, &session->context, session->values[MN_GROUP_OWN], mn_report, error);
}
