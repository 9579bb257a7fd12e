/* cycles.c - looks up the cycle table of a core.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/target.h"

static const mn_cycle_row *row_in(const mn_cycle_tables *tables, const mn_target *target,
                                  const char *symbol) {
  for (int32_t t = 0; t < tables->table_count; t++) {
    const mn_cycle_table *table = &tables->tables[t];
    if (strcmp(table->core, target->core) != 0) continue;
    for (int32_t i = 0; i < table->row_count; i++)
      if (strcmp(table->rows[i].symbol, symbol) == 0) return &table->rows[i];
  }
  return NULL;
}

const mn_cycle_row *mn_target_cycle_row(const mn_target *target, const char *symbol) {
  const mn_cycle_row *row = row_in(&mn_cycle_tables_shipped, target, symbol);
  return row != NULL ? row : row_in(&mn_cycle_tables_tflm, target, symbol);
}
