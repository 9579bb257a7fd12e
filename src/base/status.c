/* status.c - texts and exit codes of the one status list; error messages.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <stdio.h>
#include <string.h>

typedef struct status_row {
  mn_status status;
  int exit_code;
  const char *text;
} status_row;

static const status_row rows[] = {
#define X(name, value, exit_code, text) {MN_##name, exit_code, text},
    MN_STATUS_LIST(X)
#undef X
};

static const status_row *find(mn_status status) {
  for (size_t i = 0; i < MN_COUNT(rows); i++)
    if (rows[i].status == status) return &rows[i];
  return &rows[1];
}

const char *mn_status_text(mn_status status) {
  return find(status)->text;
}

int mn_status_exit_code(mn_status status) {
  return find(status)->exit_code;
}

bool mn_status_is_no(mn_status status) {
  return status == MN_ERR_BUDGET || status == MN_ERR_PARITY;
}

mn_status mn_error_set(mn_error *error, mn_status status, const char *format, ...) {
  if (error == NULL) return status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return status;
}

mn_status mn_error_prefix(mn_error *error, mn_status status, const char *format, ...) {
  if (error == NULL) return status;
  char old[sizeof error->text];
  memcpy(old, error->text, sizeof old);
  va_list arguments;
  va_start(arguments, format);
  int used = vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  if (used < 0 || (size_t)used >= sizeof error->text) return status;
  size_t room = sizeof error->text - (size_t)used;
  snprintf(error->text + used, room, ": %.*s", (int)room, old);
  return status;
}
