/* cmd_data.c - micronets data: the data set may be the argument.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

mn_status mn_cli_data(json_t **result, mn_session *session, mn_error *error) {
  mn_options_data *data = session->values[MN_GROUP_DATA];
  if (session->argument_count == 1) {
    if (data->data != NULL)
      return mn_error_set(error, MN_ERR_USAGE,
                          "data: found both \"%s\" and --data; expected one of them",
                          session->arguments[0]);
    data->data = session->arguments[0];
  }
  return mn_run_data(result, &session->context, error);
}
