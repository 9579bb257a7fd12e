/* stack.S - how deep a call goes: paints the stack below, calls, looks for the deepest change.
 * Thumb-1 only, so that one file serves every core. SPDX-License-Identifier: Apache-2.0 */
    .syntax unified
    .thumb
    .text
    .align 2

/* uint32_t mn_stack_used(void (*run)(void *), void *argument, uint32_t depth);
 * Bytes of stack that run(argument) took, its own frame included; at most `depth` (a multiple of 8). */
    .global mn_stack_used
    .type mn_stack_used, %function
mn_stack_used:
    push {r3, r4, r5, r6, r7, lr}
    mov r4, sp
    subs r5, r4, r2
    ldr r6, =0x5AC35AC3
    mov r3, r4
1:  subs r3, #4
    str r6, [r3]
    cmp r3, r5
    bhi 1b
    mov r3, r0
    mov r0, r1
    blx r3
2:  cmp r5, r4
    bhs 3f
    ldr r0, [r5]
    adds r5, #4
    cmp r0, r6
    beq 2b
    subs r5, #4
3:  subs r0, r4, r5
    pop {r3, r4, r5, r6, r7, pc}
    .size mn_stack_used, . - mn_stack_used
    .pool
