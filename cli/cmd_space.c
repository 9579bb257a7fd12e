/* cmd_space.c - micronets space.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_space(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_space(result, &session->context, session->values[MN_GROUP_OWN], error);
}
