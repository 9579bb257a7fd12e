/* cmd_eval.c - micronets eval.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_eval(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_eval(result, &session->context, session->values[MN_GROUP_OWN], error);
}
