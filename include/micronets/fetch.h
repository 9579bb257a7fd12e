/* fetch.h - public data sets by name: a table of files, downloads that resume, sums that are checked.
 *
 * Never called unless the user asks for a download.
 * Reads     a table (datasets/table.txt says how it is written); http and https through libcurl
 * Writes    FOLDER/FILE.part while it comes, renamed to FOLDER/FILE once its bytes and sum are right
 * Resumes   a FILE.part by a range request; a server that sends everything again is obeyed
 * Errors    MN_ERR_FORMAT of the table; MN_ERR_IO of disk and net (FILE.part stays, but for a wrong sum);
 *           MN_ERR_INTERRUPTED (FILE.part stays)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_FETCH_H
#define MICRONETS_FETCH_H

#include "micronets/base.h"

typedef struct mn_fetch_file {
  const char *name, *url;
  const char *sum; /* "sha256:..." or "md5:..." in lower case; NULL: not published */
  int64_t bytes;   /* -1: not published */
} mn_fetch_file;

typedef struct mn_fetch_set {
  const char *name, *text; /* text: what it is, its licence */
  const mn_fetch_file *file;
  int32_t files;
} mn_fetch_set;

/* Everything in the arena. Errors name file and line. */
mn_status mn_fetch_table_read(const mn_fetch_set **sets, int32_t *count, mn_arena *arena,
                              const char *path, mn_error *error) MN_MUST_CHECK;
/* Errors: MN_ERR_USAGE naming the sets that there are. */
mn_status mn_fetch_set_find(const mn_fetch_set **set, const mn_fetch_set *sets, int32_t count,
                            const char *name, mn_error *error) MN_MUST_CHECK;

typedef struct mn_fetched {
  const char *state; /* "there", "resumed", "downloaded" */
  char sum[80];      /* computed: of the kind that the table names, else SHA-256 */
  int64_t bytes;
} mn_fetched;

/* mirror: NULL, or what stands in front of "/FILE" instead of the table's address. */
mn_status mn_fetch(mn_fetched *fetched, const mn_fetch_file *file, const char *folder,
                   const char *mirror, const mn_monitor *monitor, mn_error *error) MN_MUST_CHECK;

/* ---- Sums --------------------------------------------------------------------------------------*/
typedef enum mn_digest_kind { MN_DIGEST_MD5, MN_DIGEST_SHA256 } mn_digest_kind;
typedef struct mn_digest {
  mn_digest_kind kind;
  uint32_t state[8];
  uint8_t block[64];
  uint64_t bytes;
} mn_digest;
void mn_digest_start(mn_digest *digest, mn_digest_kind kind);
void mn_digest_add(mn_digest *digest, const void *data, size_t size);
/* "md5:" or "sha256:" and hexadecimal digits. Source: RFC 1321, FIPS 180-4. */
void mn_digest_text(char text[80], mn_digest *digest);

#endif
