/* support.c - see support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

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

const char *test_folder(void) {
  static char name[64];
  snprintf(name, sizeof name, "/tmp/micronets-test-XXXXXX");
  if (mkdtemp(name) == NULL) fail_msg("no temporary folder");
  return name;
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
