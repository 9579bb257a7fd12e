/* io.h - how the bench program gets inputs and says results: through the debugger or emulator
 * (io_semihost.c) or a serial port (io_serial.c). Exactly one of the two is linked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_IO_H
#define MN_IO_H

#include <stddef.h>
#include <stdint.h>

/* Before anything else; 0: there is nobody to talk to. */
int mn_io_begin(void);
/* The next input tensor of `size` bytes; 0: there is none left. */
int mn_io_input(void *data, size_t size);
void mn_io_text(const char *line); /* one whole line, with its end */
void mn_io_end(int status) __attribute__((noreturn));

/* One "key=value key=value" line at a time (line.c). A line that is too long is cut. */
void mn_line_word(const char *key, const char *value);
void mn_line_number(const char *key, int32_t value);
void mn_line_hex(const char *key, uint32_t value); /* eight digits */
void mn_line_end(void);

#endif
