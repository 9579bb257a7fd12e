/* source.h - the files of a data set, wherever they lie: a folder, or an archive in any format that
 * libarchive knows, read once from front to back with its examples kept in memory as they are compressed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_SOURCE_H
#define MN_DATA_SOURCE_H

#include "micronets/base.h"
#include "micronets/data.h"

/* An archive member above this size is named and left out: only a folder can be read in pieces. */
#define MN_MEMBER_LIMIT ((int64_t)64 << 20)
/* All members of one archive. */
#define MN_ARCHIVE_LIMIT ((int64_t)4 << 30)

typedef struct mn_member {
  const char *path;    /* relative to the folder or inside the archive */
  const uint8_t *data; /* NULL: on disk, or left out */
  int64_t size;
  bool is_folder;
  const char *trouble; /* why it cannot be read; NULL: it can */
} mn_member;

typedef struct mn_source {
  const char *root;
  bool on_disk;
  mn_member *members; /* sorted by path */
  int32_t count;
} mn_source;

/* Members and bytes live in `arena`. Errors: MN_ERR_FORMAT naming path and reason. */
mn_status mn_source_open(mn_source *source, mn_arena *arena, const char *path,
                         mn_error *error) MN_MUST_CHECK;
/* Content key of a member; false where it cannot be read. */
bool mn_source_hash(uint64_t *hash, const mn_source *source, int32_t member);
/* A text member, whole (at most 64 MB). */
mn_status mn_source_text(mn_bytes *text, const mn_source *source, mn_arena *arena, int32_t member,
                         mn_error *error) MN_MUST_CHECK;

bool mn_is_audio(const char *path);
bool mn_is_image(const char *path);
const char *mn_base_name(const char *path); /* behind the last slash */

#endif
