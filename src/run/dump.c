/* dump.c - see dump.h. SPDX-License-Identifier: Apache-2.0 */
#include "run/dump.h"

#include <string.h>

static size_t bytes_of(const mn_graph *graph, int32_t op) {
  return mn_tensor_bytes(&graph->tensors[graph->ops[op].output]);
}

mn_status mn_dump_open(mn_dump *dump, const mn_run_context *context, const mn_graph *graph,
                       mn_error *error) {
  mn_arena *arena = context->arena;
  *dump = (mn_dump){graph, mn_arena_array(arena, (size_t)graph->op_count, sizeof *dump->tensor)};
  if (dump->tensor == NULL) return mn_out_of_memory(context, error);
  for (int32_t op = 0; op < graph->op_count; op++) {
    dump->tensor[op] = mn_arena_alloc(arena, bytes_of(graph, op));
    if (dump->tensor[op] == NULL) return mn_out_of_memory(context, error);
  }
  return MN_OK;
}

static void take_rows(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                      size_t bytes) {
  mn_dump *dump = context;
  size_t row = rows > 0 ? bytes / (size_t)rows : 0;
  memcpy(dump->tensor[op] + (size_t)first_row * row, data, bytes);
}

mn_watch mn_dump_watch(mn_dump *dump) {
  return (mn_watch){take_rows, dump};
}

mn_status mn_dump_append(mn_buffer *file, const mn_dump *dump) {
  for (int32_t op = 0; op < dump->graph->op_count; op++)
    MN_TRY(mn_buffer_append(file, dump->tensor[op], bytes_of(dump->graph, op)));
  return MN_OK;
}
