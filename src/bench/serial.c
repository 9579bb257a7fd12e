/* serial.c - see serial.h. SPDX-License-Identifier: Apache-2.0 */
#include "bench/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const struct {
  long baud;
  speed_t speed;
} speeds[] = {{9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
              {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}};
enum { STANDARD_BAUD = 115200 };

/* Splits DEVICE:BAUD; a colon that no digit follows belongs to the device. */
static mn_status parse_port(const char **device, speed_t *speed, mn_arena *arena, const char *port,
                            mn_error *error) {
  const char *colon = strrchr(port, ':');
  char *rest = NULL;
  long baud = STANDARD_BAUD;
  bool has_baud = colon != NULL && colon[1] >= '0' && colon[1] <= '9';
  if (has_baud) baud = strtol(colon + 1, &rest, 10);
  *device = mn_arena_text(arena, "%.*s", (int)(has_baud ? colon - port : (long)strlen(port)), port);
  if (*device == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (size_t i = 0; i < MN_COUNT(speeds); i++) {
    if (speeds[i].baud != baud || (rest != NULL && *rest != '\0')) continue;
    *speed = speeds[i].speed;
    return MN_OK;
  }
  return mn_error_set(error, MN_ERR_USAGE,
                      "--port: \"%s\" found; expected DEVICE:BAUD with 9600 to 921600", port);
}

mn_status mn_serial_open(mn_serial *serial, mn_arena *arena, const char *port,
                         const mn_monitor *monitor, mn_error *error) {
  speed_t speed = B115200;
  struct termios settings;
  *serial = (mn_serial){.file = -1, .monitor = monitor, .error = error};
  MN_TRY(parse_port(&serial->device, &speed, arena, port, error));
  serial->file = open(serial->device, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (serial->file < 0)
    return mn_error_set(error, MN_ERR_IO, "%s: cannot be opened: %s", serial->device,
                        strerror(errno));
  if (tcgetattr(serial->file, &settings) == 0) {
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&settings, speed) == 0 && tcsetattr(serial->file, TCSANOW, &settings) == 0)
      return MN_OK;
  }
  mn_serial_close(serial);
  return mn_error_set(error, MN_ERR_IO, "%s: is no serial port: %s", serial->device,
                      strerror(errno));
}

void mn_serial_close(mn_serial *serial) {
  if (serial->file >= 0) close(serial->file);
  serial->file = -1;
}

/* Waits up to a tenth of a second for the port to be readable or writable. */
static mn_status wait_for(mn_serial *serial, short events) {
  struct pollfd wait = {.fd = serial->file, .events = events};
  (void)poll(&wait, 1, 100);
  if (mn_monitor_stopped(serial->monitor))
    return mn_error_set(serial->error, MN_ERR_INTERRUPTED, "interrupted");
  return MN_OK;
}

mn_status mn_serial_write(mn_serial *serial, const void *data, size_t size) {
  const uint8_t *at = data;
  while (size > 0) {
    ssize_t done = write(serial->file, at, size);
    if (done < 0 && errno != EAGAIN && errno != EINTR)
      return mn_error_set(serial->error, MN_ERR_IO, "%s: cannot be written: %s", serial->device,
                          strerror(errno));
    if (done <= 0) {
      MN_TRY(wait_for(serial, POLLOUT));
      continue;
    }
    at += done;
    size -= (size_t)done;
  }
  return MN_OK;
}

/* "text ~XXXXXXXX" loses its checksum; false where that is not the text's. */
static bool check_line(char *line) {
  size_t length = strlen(line);
  char *rest = NULL;
  if (length < 10 || memcmp(line + length - 10, " ~", 2) != 0) return false;
  unsigned long crc = strtoul(line + length - 8, &rest, 16);
  line[length - 10] = '\0';
  return *rest == '\0' && mn_crc32(0, line, length - 10) == crc;
}

/* Moves the first pending line into `line`, if there is a whole one. */
static bool take_line(mn_serial *serial, char *line, size_t room, bool *whole) {
  char *end = memchr(serial->pending, '\n', serial->pending_size);
  if (end == NULL && serial->pending_size < sizeof serial->pending) return false;
  size_t length = end != NULL ? (size_t)(end - serial->pending) : serial->pending_size;
  size_t taken = length + (end != NULL), kept = length < room ? length : room - 1;
  memcpy(line, serial->pending, kept);
  line[kept] = '\0';
  serial->pending_size -= taken;
  memmove(serial->pending, serial->pending + taken, serial->pending_size);
  *whole = kept == length && memchr(line, '\0', kept) == NULL && check_line(line);
  return true;
}

mn_status mn_serial_line(mn_serial *serial, char *line, size_t room, double seconds, bool *whole) {
  double start = mn_seconds();
  while (!take_line(serial, line, room, whole)) {
    ssize_t got = read(serial->file, serial->pending + serial->pending_size,
                       sizeof serial->pending - serial->pending_size);
    if (got > 0) {
      serial->pending_size += (size_t)got;
      continue;
    }
    bool gone = got < 0 && errno != EAGAIN && errno != EINTR;
    if (gone)
      return mn_error_set(serial->error, MN_ERR_IO, "%s: cannot be read: %s", serial->device,
                          strerror(errno));
    if (mn_seconds() - start > seconds)
      return mn_error_set(serial->error, MN_ERR_FAILED, "%s: nothing came for %.0f s",
                          serial->device, seconds);
    MN_TRY(wait_for(serial, POLLIN));
  }
  return MN_OK;
}
