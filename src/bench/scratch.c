/* scratch.c - see scratch.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mn_status mn_scratch_make(const char **folder, mn_arena *arena, mn_error *error) {
  const char *root = getenv("TMPDIR");
  if (root == NULL || root[0] == '\0') root = P_tmpdir;
  char *name = mn_arena_text(arena, "%s/micronets-XXXXXX", root);
  if (name == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  if (mkdtemp(name) == NULL)
    return mn_error_set(error, MN_ERR_IO, "%s: no folder can be made there: %s", root,
                        strerror(errno));
  *folder = name;
  return MN_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

void mn_scratch_remove(const char *folder) {
  enum { OPEN_FOLDERS = 16 };
  if (folder != NULL) nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
