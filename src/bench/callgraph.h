/* callgraph.h - the deepest stack below a function: frames from the compiler (-fstack-usage), calls
 * from the objects' relocations.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_CALLGRAPH_H
#define MN_BENCH_CALLGRAPH_H

#include "bench/emulator.h"

/* What a function of the compiler's own libraries (memcpy, division) is taken to need. */
enum { MN_LIBRARY_STACK_BYTES = 64 };

typedef struct mn_callgraph mn_callgraph;
mn_status mn_callgraph_read(mn_callgraph **graph, mn_workshop *shop,
                            const mn_objects *objects) MN_MUST_CHECK;
/* Bytes of stack that a call of `function` can take; -1: no bound (recursion, or a frame of unknown
 * size) or no such function. */
int64_t mn_callgraph_depth(mn_callgraph *graph, const char *function);

#endif
