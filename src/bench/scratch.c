/* scratch.c - see scratch.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mn_status mn_scratch_make(const char **folder, mn_arena *arena, mn_error *error) {
  char name[] = P_tmpdir "/micronets-XXXXXX";
  if (mkdtemp(name) == NULL)
    return mn_error_set(error, MN_ERR_IO, "%s: no folder can be made there: %s", P_tmpdir,
                        strerror(errno));
  *folder = mn_arena_copy(arena, name, sizeof name);
  return *folder != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "out of memory");
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

void mn_scratch_remove(const char *folder) {
  enum { OPEN_FOLDERS = 16 };
  if (folder != NULL) nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
