/* serial.h - a serial port: raw bytes out, lines with checksums in (firmware/io_serial.c).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_SERIAL_H
#define MN_BENCH_SERIAL_H

#include "micronets/base.h"

typedef struct mn_serial {
  const char *device;
  const mn_monitor *monitor; /* asked to stop: reading ends */
  mn_error *error;
  int file;
  char pending[4096]; /* what came behind the last line */
  size_t pending_size;
} mn_serial;

/* `port` is DEVICE or DEVICE:BAUD, 115200 where it says none. Errors: MN_ERR_USAGE for a baud rate that
 * is none; MN_ERR_IO naming the device. Close with mn_serial_close. */
mn_status mn_serial_open(mn_serial *serial, mn_arena *arena, const char *port,
                         const mn_monitor *monitor, mn_error *error) MN_MUST_CHECK;
void mn_serial_close(mn_serial *serial);
mn_status mn_serial_write(mn_serial *serial, const void *data, size_t size) MN_MUST_CHECK;

/* The next line without its checksum, at most `seconds` later; *whole is false where the checksum is
 * wrong or missing. Errors: MN_ERR_FAILED when nothing came in time; MN_ERR_INTERRUPTED. */
mn_status mn_serial_line(mn_serial *serial, char *line, size_t room, double seconds,
                         bool *whole) MN_MUST_CHECK;

#endif
