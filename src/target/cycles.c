/* cycles.c - looks up the cycle table of a core.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/target.h"

const mn_cycle_row *mn_target_cycle_row(const mn_target *target, const char *symbol) {
  for (int32_t t = 0; t < mn_cycle_tables_shipped.table_count; t++) {
    const mn_cycle_table *table = &mn_cycle_tables_shipped.tables[t];
    if (strcmp(table->core, target->core) != 0) continue;
    for (int32_t i = 0; i < table->row_count; i++)
      if (strcmp(table->rows[i].symbol, symbol) == 0) return &table->rows[i];
  }
  return NULL;
}
