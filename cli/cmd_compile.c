/* cmd_compile.c - micronets compile.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_compile(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_compile(result, &session->context, session->values[MN_GROUP_OWN], error);
}
