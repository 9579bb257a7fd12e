/* startup.c - from reset to main on a bare Cortex-M: memory, coprocessors, faults.
 *
 * One file for every core from M0 to M55: cores without an FPU or low-overhead loops ignore the two
 * register writes that switch those on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "io.h"

/* From the linker script. */
extern uint32_t mn_data_load[], mn_data_start[], mn_data_end[], mn_bss_start[], mn_bss_end[];
extern uint32_t mn_stack_top[];

int main(void);
void mn_reset(void);
void mn_fault(void);

#define SCB_CCR (*(volatile uint32_t *)0xE000ED14u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CCR_LOW_OVERHEAD_LOOPS (1u << 19) /* Armv8.1-M */
#define CPACR_FPU_AND_MVE (0xFu << 20)    /* CP10 and CP11, full access */

void mn_reset(void) {
  SCB_CPACR |= CPACR_FPU_AND_MVE;
  SCB_CCR |= CCR_LOW_OVERHEAD_LOOPS;
  __asm volatile("dsb\n\tisb" ::: "memory");
  const uint32_t *from = mn_data_load;
  for (uint32_t *to = mn_data_start; to < mn_data_end; to++) *to = *from++;
  for (uint32_t *to = mn_bss_start; to < mn_bss_end; to++) *to = 0;
  mn_io_end(main());
}

void mn_fault(void) {
  mn_io_text("fault=1\n");
  mn_io_end(99);
}

/* Initial stack, then handlers: every exception but reset ends the program. */
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)mn_stack_top, (uintptr_t)mn_reset, (uintptr_t)mn_fault, (uintptr_t)mn_fault,
    (uintptr_t)mn_fault,     (uintptr_t)mn_fault, (uintptr_t)mn_fault, (uintptr_t)mn_fault,
    (uintptr_t)mn_fault,     (uintptr_t)mn_fault, (uintptr_t)mn_fault, (uintptr_t)mn_fault,
    (uintptr_t)mn_fault,     (uintptr_t)mn_fault, (uintptr_t)mn_fault, (uintptr_t)mn_fault,
};
