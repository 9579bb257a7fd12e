/* embedded.c - see embedded.h; the table itself is made by the build.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/embedded.h"

#include <string.h>

const mn_embedded_file *mn_embedded_find(const char *name) {
  for (int32_t i = 0; i < mn_embedded_file_count; i++)
    if (strcmp(mn_embedded_files[i].name, name) == 0) return &mn_embedded_files[i];
  return NULL;
}
