/* cmd_report.c - micronets report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "micronets/report.h"

mn_status mn_cli_report(json_t **result, mn_session *session, mn_error *error) {
  return mn_report(result, &session->context, session->arguments[0], error);
}
