/* split.c - splits for items whose data set brings none: one in ten for validation, one in ten
 * for test, by a stable hash of the speaker where names tell, else of the file. Few speakers or
 * files are dealt out by rank of their hash, so that no split stays empty.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

/* What is never torn apart: all items of a speaker, or one file. */
typedef struct unit {
  uint64_t hash;
  const char *name;
  int32_t item;
} unit;

static int by_hash(const void *a, const void *b) {
  const unit *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->item > y->item) - (x->item < y->item);
}

static bool same_unit(const unit *a, const unit *b) {
  return a->hash == b->hash && strcmp(a->name, b->name) == 0;
}

static mn_split split_of(uint64_t hash) {
  uint64_t percent = hash % 100;
  return percent < 10 ? MN_SPLIT_VAL : percent < 20 ? MN_SPLIT_TEST : MN_SPLIT_TRAIN;
}

static void assign(mn_dataset *dataset, const unit *units, int32_t count) {
  for (int32_t i = 0; i < count; i++) dataset->items[units[i].item].split = split_of(units[i].hash);
}

/* Anomalies are all in the test split, which says nothing of the others. */
static bool has_split(const mn_dataset *dataset, mn_split split) {
  for (int32_t i = 0; i < dataset->count; i++) {
    const mn_item *item = &dataset->items[i];
    if (item->split == split && !item->anomalous) return true;
  }
  return false;
}

/* By rank: a tenth, at least one unit, each for validation and test. */
static void assign_by_rank(mn_dataset *dataset, const unit *units, int32_t count,
                           int32_t distinct) {
  int32_t share = distinct / 10 > 0 ? distinct / 10 : 1, rank = 0;
  for (int32_t i = 0; i < count; i++) {
    if (i > 0 && !same_unit(&units[i - 1], &units[i])) rank++;
    mn_split split = rank < share       ? MN_SPLIT_VAL
                     : rank < 2 * share ? MN_SPLIT_TEST
                                        : MN_SPLIT_TRAIN;
    dataset->items[units[i].item].split = split;
  }
}

/* Those of the items of one split; MN_SPLIT_COUNT: of no split yet. */
static int32_t list_units(unit *units, const mn_dataset *dataset, mn_split split, bool by_speaker) {
  int32_t count = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    if (dataset->items[i].split != split) continue;
    const char *speaker = dataset->items[i].speaker, *name = dataset->items[i].file;
    if (by_speaker && speaker != NULL) name = speaker;
    units[count++] = (unit){mn_hash64(0, name, strlen(name)), name, i};
  }
  qsort(units, (size_t)count, sizeof *units, by_hash);
  return count;
}

static int32_t count_distinct(const unit *units, int32_t count) {
  int32_t distinct = count > 0;
  for (int32_t i = 1; i < count; i++) distinct += !same_unit(&units[i - 1], &units[i]);
  return distinct;
}

/* A data set that brings train and test but no val gives a tenth of train to val, by hash; where that is
 * nothing though there are enough items, the unit of the lowest hash. */
static void carve_val(mn_dataset *dataset, unit *units) {
  enum { ENOUGH = 20 };
  int32_t count = list_units(units, dataset, MN_SPLIT_TRAIN, true);
  if (count_distinct(units, count) < 2) count = list_units(units, dataset, MN_SPLIT_TRAIN, false);
  bool any = false;
  for (int32_t i = 0; i < count; i++) any = any || units[i].hash % 10 == 0;
  if (!any && (count < ENOUGH || count_distinct(units, count) < 2)) return;
  for (int32_t i = 0; i < count; i++)
    if (any ? units[i].hash % 10 == 0 : same_unit(&units[i], &units[0]))
      dataset->items[units[i].item].split = MN_SPLIT_VAL;
}

mn_status mn_split_assign(mn_dataset *dataset, mn_error *error) {
  enum { FEWEST = 3 };
  unit *units = mn_malloc(sizeof *units * ((size_t)dataset->count + 1));
  if (units == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->config.path);
  int32_t count = list_units(units, dataset, MN_SPLIT_COUNT, true),
          distinct = count_distinct(units, count);
  bool brought = has_split(dataset, MN_SPLIT_TRAIN) || has_split(dataset, MN_SPLIT_VAL) ||
                 has_split(dataset, MN_SPLIT_TEST);
  if (count > 0 && !brought && distinct < FEWEST) {
    count = list_units(units, dataset, MN_SPLIT_COUNT, false);
    distinct = count_distinct(units, count);
  }
  assign(dataset, units, count);
  if (!brought && distinct >= FEWEST &&
      !(has_split(dataset, MN_SPLIT_TRAIN) && has_split(dataset, MN_SPLIT_VAL) &&
        has_split(dataset, MN_SPLIT_TEST)))
    assign_by_rank(dataset, units, count, distinct);
  if (brought && !has_split(dataset, MN_SPLIT_VAL)) carve_val(dataset, units);
  mn_free(units);
  return MN_OK;
}
