/* cmd_search.c - micronets search.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_search(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_search(result, &session->context, session->values[MN_GROUP_OWN], error);
}
