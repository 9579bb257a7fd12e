/* pending.c - commands whose rooms are not linked yet refuse themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/run.h"

static mn_status pending(const mn_run_context *context, mn_error *error) {
  return mn_error_set(error, MN_ERR_USAGE, "%s: this command is not built yet", context->command);
}

mn_status mn_run_data(json_t **result, const mn_run_context *context, mn_error *error) {
  (void)result;
  return pending(context, error);
}

#define PENDING(name)                                                                                    \
  mn_status mn_run_##name(json_t **result, const mn_run_context *context, const mn_options_##name *options, \
                          mn_error *error) {                                                             \
    (void)result;                                                                                        \
    (void)options;                                                                                       \
    return pending(context, error);                                                                      \
  }

PENDING(space)
PENDING(search)
PENDING(train)
PENDING(eval)
PENDING(run)
PENDING(inspect)
PENDING(compile)
PENDING(bench)

mn_status mn_run_build(json_t **result, const mn_run_context *context, const mn_options_build *options,
                       mn_run_reporter *report, mn_error *error) {
  (void)result;
  (void)options;
  (void)report;
  return pending(context, error);
}
