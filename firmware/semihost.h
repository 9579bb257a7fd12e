/* semihost.h - files, text and exit through the debugger or emulator (Arm semihosting, 2.0).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEMIHOST_H
#define MN_SEMIHOST_H

#include <stddef.h>
#include <stdint.h>

void mn_semihost_exit(int status)
    __attribute__((noreturn));           /* becomes the emulator's own exit code */
void mn_semihost_text(const char *text); /* to standard output */
/* Words that the emulator was started with, in one line. Returns 0 when there are none. */
int mn_semihost_arguments(char *text, size_t size);

int mn_semihost_open(const char *path);                     /* for reading; negative: failed */
size_t mn_semihost_read(int file, void *data, size_t size); /* bytes read */
void mn_semihost_close(int file);

#endif
