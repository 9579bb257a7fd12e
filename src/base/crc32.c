/* crc32.c - eight bytes at a time, each through a table of its own (Kounavis and Berry 2005): caches and
 * checkpoints are many megabytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "micronets/base.h"

enum { AT_ONCE = 8 };
static uint32_t table[AT_ONCE][256]; /* [k]: of a byte with k zero bytes behind it */

static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    table[0][byte] = crc;
  }
  for (int k = 1; k < AT_ONCE; k++)
    for (int byte = 0; byte < 256; byte++)
      table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 255];
}

uint32_t mn_crc32(uint32_t crc, const void *data, size_t size) {
  static pthread_once_t filled = PTHREAD_ONCE_INIT;
  const uint8_t *p = data;
  pthread_once(&filled, fill_table);
  crc = ~crc;
  for (; size >= AT_ONCE; size -= AT_ONCE, p += AT_ONCE)
    crc = table[7][(crc ^ p[0]) & 255] ^ table[6][(crc >> 8 ^ p[1]) & 255] ^
          table[5][(crc >> 16 ^ p[2]) & 255] ^ table[4][(crc >> 24 ^ p[3]) & 255] ^ table[3][p[4]] ^
          table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
  for (; size > 0; size--, p++) crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
  return ~crc;
}
