/* io_serial.c - the bench program's side of a serial port. Lines go out as text with a checksum,
 * "key=value ~XXXXXXXX"; inputs come in as frames.
 *
 *   board  hello=1 model=XXXXXXXX   again and again until the host sends G
 *   board  want=SIZE                host: I, SIZE bytes, their CRC-32 (lowest byte first); or E: no more
 *   board  again=1                  the frame was damaged: the host sends it once more
 *   board  bye=STATUS               the end
 *
 * Cycles are those of the core's own counter (DWT), by mark.h's regions; a core without one counts 0.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "crc32.h"
#include "io.h"
#include "mark.h"

#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)
#define DEMCR_TRACE (1u << 24)

enum { REGIONS = 256, PATIENCE = 2000000 };

uint32_t mn_bench_armed;
static uint32_t cycles[REGIONS], current, since;

/* Called between layers: what went by belongs to the region so far. */
void mn_bench_mark(uint32_t region) {
  uint32_t now = DWT_CYCCNT;
  if (!mn_bench_armed) return;
  cycles[current] += now - since;
  current = region < REGIONS ? region : MN_REGION_OUTSIDE;
  since = DWT_CYCCNT;
}

/* ---- Bytes ----------------------------------------------------------------------------------*/

static uint8_t get(void) {
  int byte;
  do byte = mn_board_get();
  while (byte < 0);
  return (uint8_t)byte;
}

static void put_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) mn_board_put((uint8_t)text[i]);
}

void mn_io_text(const char *line) {
  size_t length = strcspn(line, "\n");
  uint32_t crc = mn_firmware_crc32(line, length);
  put_text(line, length);
  put_text(" ~", 2);
  for (int i = 28; i >= 0; i -= 4) mn_board_put((uint8_t)"0123456789abcdef"[crc >> i & 15]);
  mn_board_put('\n');
}

/* ---- Talking --------------------------------------------------------------------------------*/

static int host_is_there(void) {
  for (int32_t i = 0; i < PATIENCE; i++)
    if (mn_board_get() == 'G') return 1;
  return 0;
}

int mn_io_begin(void) {
  mn_board_start();
  DEMCR |= DEMCR_TRACE;
  DWT_CYCCNT = 0;
  DWT_CTRL |= 1;
  do {
    mn_line_number("hello", 1);
    mn_line_hex("model", MN_MODEL_ID);
    mn_line_end();
  } while (!host_is_there());
  return 1;
}

/* One frame behind its letter; 0: damaged. */
static int take_frame(uint8_t *data, size_t size) {
  uint32_t crc = 0;
  for (size_t i = 0; i < size; i++) data[i] = get();
  for (int i = 0; i < 32; i += 8) crc |= (uint32_t)get() << i;
  return crc == mn_firmware_crc32(data, size);
}

int mn_io_input(void *data, size_t size) {
  mn_line_number("want", (int32_t)size);
  mn_line_end();
  for (;;) {
    uint8_t letter = get();
    if (letter == 'E') return 0;
    if (letter == 'I' && take_frame(data, size)) return 1;
    if (letter != 'I') continue;
    mn_line_number("again", 1);
    mn_line_end();
  }
}

void mn_io_end(int status) {
  for (uint32_t i = 0; i < REGIONS; i++) {
    if (cycles[i] == 0) continue;
    mn_line_number("region", (int32_t)i);
    mn_line_hex("cycles", cycles[i]);
    mn_line_end();
  }
  mn_line_number("bye", status);
  mn_line_end();
  for (;;) {
  }
}
