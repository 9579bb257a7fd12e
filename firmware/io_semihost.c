/* io_semihost.c - inputs from the file that the emulator's arguments name, lines to its console.
 * SPDX-License-Identifier: Apache-2.0 */
#include "io.h"
#include "semihost.h"

static int file = -1;

int mn_io_begin(void) {
  char path[128];
  if (mn_semihost_arguments(path, sizeof path)) file = mn_semihost_open(path);
  if (file < 0) mn_semihost_text("error=no_input_file\n");
  return file >= 0;
}

int mn_io_input(void *data, size_t size) {
  return mn_semihost_read(file, data, size) == size;
}

void mn_io_text(const char *line) {
  mn_semihost_text(line);
}

void mn_io_end(int status) {
  if (file >= 0) mn_semihost_close(file);
  mn_semihost_exit(status);
}
