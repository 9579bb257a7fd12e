/* support.c - see support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *join(const char *root, const char *path) {
  static char text[8][1024];
  static int next;
  char *to = text[next++ & 7];
  snprintf(to, sizeof text[0], "%s/%s", root, path);
  return to;
}

const char *test_shared(const char *path) {
  const char *root = getenv("MN_SHARED");
  struct stat info;
  if (root == NULL || stat(join(root, "golden"), &info) != 0) return NULL;
  return join(root, path);
}

void test_need_shared(void) {
  if (test_shared("") != NULL) return;
  printf("skipped: development data ($MN_SHARED) is absent\n");
  exit(77);
}

const char *test_source(const char *path) {
  const char *root = getenv("MN_SOURCE");
  return join(root != NULL ? root : ".", path);
}

/* ---- Temporary folders: removed when the program leaves, whether or not its tests passed -------------*/
typedef struct folder {
  struct folder *next;
  char name[512];
} folder;
static folder *folders;
static pid_t owner; /* a forked child that leaves removes nothing */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

static void remove_folders(void) {
  enum { OPEN_FOLDERS = 16 };
  if (getpid() != owner) return;
  for (folder *f = folders, *next; f != NULL; f = next) {
    next = f->next;
    nftw(f->name, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    free(f);
  }
}

const char *test_folder(void) {
  const char *root = getenv("TMPDIR");
  folder *made = malloc(sizeof *made);
  if (made == NULL) fail_msg("out of memory");
  snprintf(made->name, sizeof made->name, "%s/micronets-test-XXXXXX", root != NULL ? root : "/tmp");
  if (mkdtemp(made->name) == NULL) fail_msg("%s: no temporary folder", made->name);
  if (owner == 0) {
    owner = getpid();
    atexit(remove_folders);
  }
  made->next = folders;
  folders = made;
  return made->name;
}

mn_bytes test_read(mn_arena *arena, const char *path) {
  mn_bytes bytes = {0};
  mn_error error = {{0}};
  assert_ok(mn_file_read(&bytes, arena, path, 0, &error), &error);
  return bytes;
}

static void *fail_later(void *context, void *memory, size_t size) {
  int64_t *left = context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  return (*left)-- > 0 ? realloc(memory, size) : NULL;
}

mn_heap test_failing_heap(int64_t *left) {
  return (mn_heap){fail_later, left};
}
