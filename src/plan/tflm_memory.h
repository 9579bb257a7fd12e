/* tflm_memory.h - TFLite Micro's arena, for the kernels that a choice of library brings along. The
 * public mn_tflm_memory_of is CMSIS-NN on a Cortex-M4; the reference kernels are here because the
 * tflite-micro package, which tests ask, has those.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_TFLM_MEMORY_H
#define MN_PLAN_TFLM_MEMORY_H

#include "micronets/plan.h"

typedef enum mn_tflm_kernels { MN_TFLM_CMSIS_M4, MN_TFLM_REFERENCE } mn_tflm_kernels;

/* The head alone: activations and scratch, in bytes. */
mn_status mn_tflm_head(int64_t *head, mn_arena *arena, const mn_graph *graph,
                       mn_tflm_kernels kernels, mn_error *error) MN_MUST_CHECK;
/* Interpreter and kernels in flash, and the deepest stack recorded for any model. */
int64_t mn_tflm_code_bytes(const mn_graph *graph);
enum { MN_TFLM_STACK_BYTES = 1348 };

#endif
