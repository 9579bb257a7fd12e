/* line.c - lines of keys and values, see io.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

static char line[192];
static size_t line_length;

static void put(const char *text) {
  while (*text != '\0' && line_length < sizeof line - 2) line[line_length++] = *text++;
}

void mn_line_word(const char *key, const char *value) {
  if (line_length > 0) put(" ");
  put(key);
  put("=");
  put(value);
}

void mn_line_number(const char *key, int32_t value) {
  char digits[12];
  char *at = digits + sizeof digits - 1;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  *at = '\0';
  do {
    *--at = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *--at = '-';
  mn_line_word(key, at);
}

void mn_line_hex(const char *key, uint32_t value) {
  char digits[9] = {0};
  for (int i = 0; i < 8; i++) digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  mn_line_word(key, digits);
}

void mn_line_end(void) {
  line[line_length] = '\n';
  line[line_length + 1] = '\0';
  line_length = 0;
  mn_io_text(line);
}
