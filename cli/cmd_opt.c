/* cmd_opt.c - micronets opt.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_opt(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_opt(result, &session->context, session->values[MN_GROUP_OWN], error);
}
