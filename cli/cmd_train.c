/* cmd_train.c - micronets train.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_train(json_t **result, mn_session *session, mn_error *error) {
  return mn_run_train(result, &session->context, session->values[MN_GROUP_OWN], error);
}
