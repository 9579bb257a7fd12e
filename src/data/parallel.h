/* parallel.h - items through the pool in portions, with progress and a look at the stop flag
 * between. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_PARALLEL_H
#define MN_DATA_PARALLEL_H

#include "data/dataset.h"

/* work(context, item, thread) for every item; thread < mn_data_threads. Errors: MN_ERR_INTERRUPTED.
 */
mn_status mn_data_parallel(const mn_dataset *dataset, const char *stage, mn_work *work,
                           void *context, int32_t items, mn_error *error) MN_MUST_CHECK;
int32_t mn_data_threads(const mn_dataset *dataset);

/* Reads dataset's cache folder: false where there is none, or the file is absent or broken (then it
 * is made again). A file is: "MNC1", crc32 of the payload, key, payload size, payload
 * (little-endian). */
bool mn_cache_read(mn_bytes *payload, mn_arena *arena, const mn_dataset *dataset, const char *kind,
                   uint64_t key);
/* A cache that cannot be written is a warning, never a failure. */
void mn_cache_write(const mn_dataset *dataset, const char *kind, uint64_t key, const void *payload,
                    size_t size);

#endif
