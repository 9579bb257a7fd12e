/* code_size.c - looks up measured code and stack bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "micronets/target.h"

static const mn_code_sizes *sizes_in_use = &mn_code_sizes_shipped;

void mn_target_code_sizes_use(const mn_code_sizes *sizes) {
  sizes_in_use = sizes != NULL ? sizes : &mn_code_sizes_shipped;
}

static const mn_code_size *row_of(const mn_code_size_table *table, const char *symbol) {
  for (int32_t i = 0; i < table->row_count; i++)
    if (strcmp(table->rows[i].symbol, symbol) == 0) return &table->rows[i];
  return NULL;
}

const mn_code_size *mn_target_code_size(const mn_target *target, const char *symbol) {
  const mn_code_size *largest = NULL;
  for (int32_t i = 0; i < sizes_in_use->table_count; i++) {
    const mn_code_size_table *table = &sizes_in_use->tables[i];
    const mn_code_size *row = row_of(table, symbol);
    if (strcmp(table->cpu_flags, target->cpu_flags) == 0) return row;
    if (row != NULL && (largest == NULL || row->text_bytes > largest->text_bytes)) largest = row;
  }
  return largest;
}
