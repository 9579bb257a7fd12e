/* host.c - the calls of semihost.h that the front-end test needs, on the host.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "io.h"
#include "semihost.h"

static FILE *opened;

int mn_semihost_open(const char *path) {
  opened = fopen(path, "rb");
  return opened != NULL ? 0 : -1;
}
size_t mn_semihost_read(int file, void *data, size_t size) {
  (void)file;
  return fread(data, 1, size, opened);
}
void mn_semihost_close(int file) {
  (void)file;
  fclose(opened);
}
void mn_line_number(const char *key, int32_t value) {
  printf("%s=%d ", key, value);
}
void mn_line_hex(const char *key, uint32_t value) {
  printf("%s=%08x ", key, value);
}
void mn_line_end(void) {
  printf("\n");
}
