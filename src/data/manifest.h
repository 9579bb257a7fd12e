/* manifest.h - a manifest.csv beside the recordings: which machine each of them shows.
 *
 * The first line names the columns: `path` (or `file`), from the manifest's own folder, and `machine`, `group`
 * or both; others are left alone. Of the two the one counts that has more different values.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_MANIFEST_H
#define MN_DATA_MANIFEST_H

#include "data/dataset.h"

typedef struct mn_manifest_row {
  const char *path, *machine, *group; /* "" where there is none */
  bool used;
} mn_manifest_row;

typedef struct mn_manifest {
  const char *file;      /* its own path; NULL: there is none */
  int32_t folder_size;   /* bytes of `file` before its name */
  mn_manifest_row *rows; /* [count], sorted by path */
  int32_t count;
  bool by_group, tells_nothing; /* tells_nothing: it lacks the columns */
  int32_t without;              /* recordings that were looked for and have no row */
  const char *first_without;
} mn_manifest;

/* Reads the data set's manifest.csv, if any; everything lives in the data set's arena.
 * Errors: MN_ERR_FORMAT with its line. */
mn_status mn_manifest_open(mn_manifest *manifest, const mn_dataset *dataset,
                           mn_error *error) MN_MUST_CHECK;
/* The machine of a recording (path as in mn_item), or NULL. Remembers what was not found. */
const char *mn_manifest_machine(mn_manifest *manifest, const char *path);
/* Names recordings without a row and rows without a recording, once all have been looked for. */
mn_status mn_manifest_audit(const mn_manifest *manifest, mn_dataset *dataset) MN_MUST_CHECK;

#endif
