/* fields.c - texts: their order, their mark, and a line of CSV cut into its fields (RFC 4180 without line
 * breaks in fields).
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "micronets/base.h"

int mn_text_order(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

mn_bytes mn_text_unmarked(mn_bytes text) {
  const bool marked = text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
  return marked ? (mn_bytes){text.data + 3, text.size - 3} : text;
}

/* Takes the quotes from a field at `at`; returns what follows the closing one. */
static char *unquote(char *at) {
  char *to = at, *from = at + 1;
  while (*from != '\0' && (*from != '"' || from[1] == '"')) {
    if (*from == '"') from++;
    *to++ = *from++;
  }
  char *rest = *from == '"' ? from + 1 : from;
  if (to < rest) *to = '\0';
  return rest;
}

static void trim_end(char *text, char *end) {
  while (end > text && isspace((unsigned char)end[-1])) end--;
  *end = '\0';
}

int32_t mn_fields(char **field, int32_t room, char *line, char separator) {
  int32_t count = 0;
  for (char *at = line; at != NULL; count++) {
    if (count == room) return -1;
    while (isspace((unsigned char)*at) && *at != separator) at++;
    bool quoted = *at == '"';
    char *rest = quoted ? unquote(at) : at;
    char *end = strchr(rest, separator);
    field[count] = at;
    char *next = end != NULL ? end + 1 : NULL;
    if (!quoted) trim_end(at, end != NULL ? end : at + strlen(at));
    at = next;
  }
  return count;
}
