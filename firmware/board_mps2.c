/* board_mps2.c - UART 0 of Arm's MPS2 images (a CMSDK UART), as QEMU emulates it: a board to try the
 * serial port with. SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#define UART_DATA (*(volatile uint32_t *)0x40004000u)
#define UART_STATE (*(volatile uint32_t *)0x40004004u)
#define UART_CTRL (*(volatile uint32_t *)0x40004008u)
#define UART_BAUDDIV (*(volatile uint32_t *)0x40004010u)

enum { STATE_FULL_OUT = 1, STATE_FULL_IN = 2, CTRL_BOTH_WAYS = 3, CLOCK_HZ = 25000000, BAUD = 115200 };

void mn_board_start(void) {
  UART_BAUDDIV = CLOCK_HZ / BAUD;
  UART_CTRL = CTRL_BOTH_WAYS;
}

void mn_board_put(uint8_t byte) {
  while (UART_STATE & STATE_FULL_OUT) {
  }
  UART_DATA = byte;
}

int mn_board_get(void) {
  return (UART_STATE & STATE_FULL_IN) != 0 ? (int)(UART_DATA & 0xFF) : -1;
}
