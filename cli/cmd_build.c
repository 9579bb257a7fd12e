/* cmd_build.c - micronets build: the stages of room run, then the report. A person gets the figures that
 * matter; --json and the folder have them all.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "micronets/report.h"

/* Line of the digest: name, then the path of keys to its value. */
static const struct {
  const char *name, *path[3];
} lines[] = {
    {"classes", {"data", "classes"}},
    {"network_ops", {"search", "best", "ops"}},
    {"network_params", {"search", "best", "params"}},
    {"budget_met", {"search", "budget_met"}},
    {"int8_val", {"train", "int8", "val"}},
    {"int8_test", {"train", "int8", "test"}},
    {"calibration", {"train", "calibration"}},
    {"flash", {"bench", "flash"}},
    {"sram", {"bench", "sram"}},
    {"instructions", {"bench", "instructions"}},
    {"ms_modelled", {"bench", "ms_modelled"}},
    {"mj_modelled", {"bench", "mj_modelled"}},
    {"parity", {"bench", "parity"}},
    {"trained_on", {"trained_on"}},
    {"report", {"report"}},
    {"summary", {"summary"}},
    {"seconds", {"seconds"}},
};

static json_t *value_at(json_t *object, const char *const *path) {
  for (int i = 0; i < 3 && path[i] != NULL; i++) object = json_object_get(object, path[i]);
  return object;
}

static json_t *digest(json_t *full) {
  json_t *object = json_object();
  for (size_t i = 0; i < MN_COUNT(lines); i++) {
    json_t *value = value_at(full, lines[i].path);
    if (value != NULL) json_object_set(object, lines[i].name, value);
  }
  return object;
}

mn_status mn_cli_build(json_t **result, mn_session *session, mn_error *error) {
  mn_status status =
      mn_run_build(result, &session->context, session->values[MN_GROUP_OWN], mn_report, error);
  if (*result == NULL || session->context.common->json) return status;
  json_t *full = *result;
  *result = digest(full);
  json_decref(full);
  return status;
}
