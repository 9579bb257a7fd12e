/* board_nucleo_f446re.c - NUCLEO-F446RE: 180 MHz from the internal oscillator, flash accelerator on,
 * USART2 (PA2, PA3), which its ST-LINK shows as a serial port.
 * Register addresses and bits: ST RM0390; 5 wait states and over-drive at 180 MHz.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define RCC_CR REGISTER(0x40023800u)
#define RCC_PLLCFGR REGISTER(0x40023804u)
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_APB1ENR REGISTER(0x40023840u)
#define PWR_CR REGISTER(0x40007000u)
#define PWR_CSR REGISTER(0x40007004u)
#define FLASH_ACR REGISTER(0x40023C00u)
#define GPIOA_MODER REGISTER(0x40020000u)
#define GPIOA_AFRL REGISTER(0x40020020u)
#define USART2_SR REGISTER(0x40004400u)
#define USART2_DR REGISTER(0x40004404u)
#define USART2_BRR REGISTER(0x40004408u)
#define USART2_CR1 REGISTER(0x4000440Cu)

enum { APB1_HZ = 45000000, BAUD = 115200 };

static void wait_for(volatile uint32_t *reg, uint32_t bits) {
  while ((*reg & bits) != bits) {
  }
}

/* 16 MHz / 8 * 180 / 2 = 180 MHz; APB1 a quarter, APB2 half of it. */
static void start_clock(void) {
  RCC_APB1ENR |= 1u << 28;   /* power interface */
  PWR_CR |= 3u << 14;        /* regulator scale 1 */
  RCC_PLLCFGR = 8u | 180u << 6 | 0u << 16 | 8u << 24 | 2u << 28;
  RCC_CR |= 1u << 24;        /* PLL on */
  wait_for(&RCC_CR, 1u << 25);
  PWR_CR |= 1u << 16;        /* over-drive */
  wait_for(&PWR_CSR, 1u << 16);
  PWR_CR |= 1u << 17;
  wait_for(&PWR_CSR, 1u << 17);
  FLASH_ACR = 5u | 7u << 8;  /* wait states; prefetch, instruction and data cache */
  RCC_CFGR = 5u << 10 | 4u << 13;
  RCC_CFGR |= 2u;            /* the PLL drives the core */
  wait_for(&RCC_CFGR, 2u << 2);
}

void mn_board_start(void) {
  start_clock();
  RCC_AHB1ENR |= 1u;         /* port A */
  RCC_APB1ENR |= 1u << 17;   /* USART2 */
  GPIOA_MODER = (GPIOA_MODER & ~0xF0u) | 0xA0u;      /* PA2, PA3: alternate function */
  GPIOA_AFRL = (GPIOA_AFRL & ~0xFF00u) | 0x7700u;    /* which is USART2 */
  USART2_BRR = (APB1_HZ + BAUD / 2) / BAUD;
  USART2_CR1 = 1u << 13 | 3u << 2; /* on; both ways */
}

void mn_board_put(uint8_t byte) {
  wait_for(&USART2_SR, 1u << 7);
  USART2_DR = byte;
}

int mn_board_get(void) {
  return (USART2_SR & 1u << 5) != 0 ? (int)(USART2_DR & 0xFF) : -1;
}
