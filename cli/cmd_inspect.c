/* cmd_inspect.c - micronets inspect.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_inspect(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_inspect(result, &session->context, session->values[MN_GROUP_OWN], error);
}
