/* semihost.c - see semihost.h. Operation numbers are those of Arm's semihosting specification.
 * SPDX-License-Identifier: Apache-2.0 */
#include "semihost.h"

#include <string.h>

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_READ = 6, SYS_GET_CMDLINE = 0x15 };
enum { SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };
enum { OPEN_READ_BINARY = 1, OPEN_WRITE = 4 };

static uintptr_t call(uintptr_t operation, const void *block) {
  register uintptr_t r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = block;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void mn_semihost_exit(int status) {
  uintptr_t block[2] = {APPLICATION_EXIT, (uintptr_t)status};
  call(SYS_EXIT_EXTENDED, block);
  for (;;) {
  }
}

static int open_file(const char *path, uintptr_t mode) {
  uintptr_t block[3] = {(uintptr_t)path, mode, strlen(path)};
  return (int)call(SYS_OPEN, block);
}

int mn_semihost_open(const char *path) {
  return open_file(path, OPEN_READ_BINARY);
}

size_t mn_semihost_read(int file, void *data, size_t size) {
  uintptr_t block[3] = {(uintptr_t)file, (uintptr_t)data, size};
  return size - call(SYS_READ, block); /* it returns the bytes that are missing */
}

void mn_semihost_close(int file) {
  uintptr_t block[1] = {(uintptr_t)file};
  call(SYS_CLOSE, block);
}

/* ":tt" is the console; opened for writing it is standard output. */
void mn_semihost_text(const char *text) {
  static int console = -1;
  if (console < 0) console = open_file(":tt", OPEN_WRITE);
  uintptr_t block[3] = {(uintptr_t)console, (uintptr_t)text, strlen(text)};
  call(SYS_WRITE, block);
}

int mn_semihost_arguments(char *text, size_t size) {
  uintptr_t block[2] = {(uintptr_t)text, size};
  text[0] = '\0';
  return call(SYS_GET_CMDLINE, block) == 0 && text[0] != '\0';
}
