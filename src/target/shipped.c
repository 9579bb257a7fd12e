/* shipped.c - where the files that come with the tool lie: targets/, networks/, spaces/.
 *
 * Installed, they are in share/micronets beside the program's bin folder; in a build folder they
 * are those of the source tree, whose place the build wrote in; a tree that was moved is found from
 * the program's own place (build/<preset>/micronets). SPDX-License-Identifier: Apache-2.0 */
#include "micronets/target.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Folder of the running program, without a slash at the end; false where the system does not tell.
 */
static bool program_folder(char folder[PATH_MAX]) {
  ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
  if (length <= 0) return false;
  folder[length] = '\0';
  char *slash = strrchr(folder, '/');
  if (slash == NULL) return false;
  *slash = '\0';
  return true;
}

static const char *path_if_there(mn_arena *arena, const char *folder, const char *between,
                                 const char *path) {
  const char *full = mn_arena_text(arena, "%s%s/%s", folder, between, path);
  return full != NULL && mn_file_exists(full) ? full : NULL;
}

const char *mn_shipped_path(mn_arena *arena, const char *path) {
  static const char *const beside_program[] = {"/../share/micronets", "", "/../..", "/../../.."};
  char folder[PATH_MAX];
  const char *found = NULL;
  bool known = program_folder(folder);
  if (known) found = path_if_there(arena, folder, beside_program[0], path);
  if (found == NULL) found = path_if_there(arena, MN_SOURCE_FOLDER, "", path);
  for (size_t i = 1; known && found == NULL && i < MN_COUNT(beside_program); i++)
    found = path_if_there(arena, folder, beside_program[i], path);
  return found;
}
