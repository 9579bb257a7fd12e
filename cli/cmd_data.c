/* cmd_data.c - micronets data: the data set may be the argument; or a download.
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
  const mn_options_download *download = session->values[MN_GROUP_OWN];
  if (download->download != NULL)
    return mn_run_download(result, &session->context, download, error);
  if (download->mirror != NULL || download->table != NULL)
    return mn_error_set(error, MN_ERR_USAGE, "data: found --%s; expected --download NAME with it",
                        download->mirror != NULL ? "mirror" : "table");
  return mn_run_data(result, &session->context, error);
}
