/* stack.h - how deep a call goes (stack.S).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_STACK_H
#define MN_STACK_H

#include <stddef.h>
#include <stdint.h>

typedef void mn_any_function(void); /* stands for a function of up to three word arguments */

/* Bytes of stack that call(a, b, c) took, its own frame included; at most 16 KB are looked at. */
uint32_t mn_stack_used(mn_any_function *call, void *a, const void *b, size_t c);
extern uint32_t mn_stack_result; /* what the last such call returned */

#endif
