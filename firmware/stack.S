/* stack.S - paints the stack below, calls, looks for the deepest change; see stack.h.
 * Thumb-1 only, so that one file serves every core. SPDX-License-Identifier: Apache-2.0 */
    .syntax unified
    .thumb

    .bss
    .align 2
    .global mn_stack_result
mn_stack_result:
    .space 4

    .text
    .align 2
    .equ PAINTED, 16384

/* uint32_t mn_stack_used(mn_any_function *call, void *a, const void *b, size_t c); */
    .global mn_stack_used
    .type mn_stack_used, %function
mn_stack_used:
    push {r3, r4, r5, r6, r7, lr}
    mov r4, sp
    /* Paint from here down to r5. */
    ldr r6, =PAINTED
    subs r5, r4, r6
    ldr r6, =0x5AC35AC3
    mov r7, r4
1:  subs r7, #4
    str r6, [r7]
    cmp r7, r5
    bhi 1b
    /* Call with the arguments moved up by one. */
    mov r7, r0
    mov r0, r1
    mov r1, r2
    mov r2, r3
    blx r7
    ldr r1, =mn_stack_result
    str r0, [r1]
    /* The lowest word that lost its paint. */
2:  cmp r5, r4
    bhs 3f
    ldr r0, [r5]
    adds r5, #4
    cmp r0, r6
    beq 2b
    subs r5, #4
3:  subs r0, r4, r5
    pop {r3, r4, r5, r6, r7, pc}
    .pool
    .size mn_stack_used, . - mn_stack_used
