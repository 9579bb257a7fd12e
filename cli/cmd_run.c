/* cmd_run.c - micronets run.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_run(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_run(result, &session->context, session->values[MN_GROUP_OWN], error);
}
