/* parallel.c - see parallel.h: portions of work, and files of the cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/parallel.h"

#include <stdio.h>
#include <string.h>

enum { PORTION = 128, HEAD_BYTES = 24 };
static const char magic[4] = {'M', 'N', 'C', '1'};

typedef struct portion {
  mn_work *work;
  void *context;
  int32_t first;
} portion;

static void run_portion(void *context, int32_t item, int32_t thread) {
  const portion *p = context;
  p->work(p->context, p->first + item, thread);
}

int32_t mn_data_threads(const mn_dataset *dataset) {
  return dataset->config.pool != NULL ? mn_pool_threads(dataset->config.pool) : 1;
}

mn_status mn_data_parallel(const mn_dataset *dataset, const char *stage, mn_work *work,
                           void *context, int32_t items, mn_error *error) {
  for (int32_t first = 0; first < items; first += PORTION) {
    int32_t count = items - first < PORTION ? items - first : PORTION;
    portion p = {work, context, first};
    if (mn_monitor_stopped(dataset->config.monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "interrupted after %d of %d items (%s)", first,
                          items, stage);
    if (dataset->config.pool != NULL) mn_pool_run(dataset->config.pool, run_portion, &p, count);
    for (int32_t i = 0; dataset->config.pool == NULL && i < count; i++) run_portion(&p, i, 0);
    mn_progress progress = {.stage = stage, .step = first + count, .total = items};
    mn_monitor_progress(dataset->config.monitor, &progress);
  }
  return MN_OK;
}

static const char *cache_path(mn_arena *arena, const mn_dataset *dataset, const char *kind,
                              uint64_t key) {
  return mn_arena_text(arena, "%s/%s-%016llx.mnc", dataset->config.cache_folder, kind,
                       (unsigned long long)key);
}

bool mn_cache_read(mn_bytes *payload, mn_arena *arena, const mn_dataset *dataset, const char *kind,
                   uint64_t key) {
  if (dataset->config.cache_folder == NULL) return false;
  const char *path = cache_path(arena, dataset, kind, key);
  mn_bytes file;
  if (path == NULL || !mn_file_exists(path) ||
      mn_file_read(&file, arena, path, (size_t)8 << 30, NULL) != MN_OK)
    return false;
  bool sound = file.size >= HEAD_BYTES && memcmp(file.data, magic, sizeof magic) == 0 &&
               mn_load_u64(file.data + 8) == key &&
               mn_load_u64(file.data + 16) == file.size - HEAD_BYTES;
  mn_bytes rest = {file.data + HEAD_BYTES, file.size - HEAD_BYTES};
  sound = sound && mn_load_u32(file.data + 4) == mn_crc32(0, rest.data, rest.size);
  if (!sound) {
    mn_monitor_message(dataset->config.monitor, MN_LEVEL_WARNING,
                       "%s: a broken cache file; it is made again", path);
    return false;
  }
  *payload = rest;
  return true;
}

void mn_cache_write(const mn_dataset *dataset, const char *kind, uint64_t key, const void *payload,
                    size_t size) {
  if (dataset->config.cache_folder == NULL) return;
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  if (mn_arena_create(&arena) != MN_OK) return;
  const char *path = cache_path(arena, dataset, kind, key);
  uint8_t *file = mn_malloc(HEAD_BYTES + size);
  if (path != NULL && file != NULL) {
    memcpy(file, magic, sizeof magic);
    mn_store_u32(file + 4, mn_crc32(0, payload, size));
    mn_store_u64(file + 8, key);
    mn_store_u64(file + 16, size);
    memcpy(file + HEAD_BYTES, payload, size);
    mn_status status = mn_folder_make(dataset->config.cache_folder, &error);
    if (status == MN_OK) status = mn_file_write(path, file, HEAD_BYTES + size, &error);
    if (status != MN_OK)
      mn_monitor_message(dataset->config.monitor, MN_LEVEL_WARNING,
                         "%s; going on without this cache file", error.text);
  }
  mn_free(file);
  mn_arena_destroy(arena);
}
