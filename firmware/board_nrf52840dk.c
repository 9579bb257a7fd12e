/* board_nrf52840dk.c - nRF52840 DK: 64 MHz, instruction cache on, UART 0 (P0.06, P0.08), which its
 * debugger shows as a serial port.
 * Register addresses and bits: Nordic nRF52840 Product Specification (CLOCK, NVMC, UART, P0).
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLOCK_TASKS_HFCLKSTART REGISTER(0x40000000u)
#define CLOCK_EVENTS_HFCLKSTARTED REGISTER(0x40000100u)
#define NVMC_ICACHECNF REGISTER(0x4001E540u)
#define P0_OUTSET REGISTER(0x50000508u)
#define P0_DIRSET REGISTER(0x50000518u)
#define P0_PIN_CNF_8 REGISTER(0x50000720u)
#define UART_TASKS_STARTRX REGISTER(0x40002000u)
#define UART_TASKS_STARTTX REGISTER(0x40002008u)
#define UART_EVENTS_RXDRDY REGISTER(0x40002108u)
#define UART_EVENTS_TXDRDY REGISTER(0x4000211Cu)
#define UART_ENABLE REGISTER(0x40002500u)
#define UART_PSELTXD REGISTER(0x4000250Cu)
#define UART_PSELRXD REGISTER(0x40002514u)
#define UART_RXD REGISTER(0x40002518u)
#define UART_TXD REGISTER(0x4000251Cu)
#define UART_BAUDRATE REGISTER(0x40002524u)

enum { PIN_OUT = 6, PIN_IN = 8, ENABLE_UART = 4, BAUD_115200 = 0x01D7E000 };

void mn_board_start(void) {
  NVMC_ICACHECNF = 1;
  CLOCK_TASKS_HFCLKSTART = 1; /* the crystal: the port's clock has to be exact */
  while (CLOCK_EVENTS_HFCLKSTARTED == 0) {
  }
  P0_OUTSET = 1u << PIN_OUT;
  P0_DIRSET = 1u << PIN_OUT;
  P0_PIN_CNF_8 = 0; /* an input */
  UART_PSELTXD = PIN_OUT;
  UART_PSELRXD = PIN_IN;
  UART_BAUDRATE = BAUD_115200;
  UART_ENABLE = ENABLE_UART;
  UART_TASKS_STARTTX = 1;
  UART_TASKS_STARTRX = 1;
}

void mn_board_put(uint8_t byte) {
  UART_EVENTS_TXDRDY = 0;
  UART_TXD = byte;
  while (UART_EVENTS_TXDRDY == 0) {
  }
}

int mn_board_get(void) {
  if (UART_EVENTS_RXDRDY == 0) return -1;
  UART_EVENTS_RXDRDY = 0;
  return (int)(UART_RXD & 0xFF);
}
