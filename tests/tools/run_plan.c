/* run_plan.c - runs a .tflite on raw input bytes and writes the outputs of all ops, one after another,
 * in op order: run_plan MODEL.tflite INPUT.bin OUTPUT.bin [FAMILY]. For oracle tests.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "micronets/exec.h"
#include "micronets/tflite.h"

static void append(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                   size_t bytes) {
  (void)op, (void)first_row, (void)rows;
  if (mn_buffer_append(context, data, bytes) != MN_OK) fprintf(stderr, "run_plan: out of memory\n");
}

static mn_status run(mn_arena *arena, char **arguments, const char *family, mn_error *error) {
  mn_bytes file, input;
  mn_model model;
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  mn_buffer outputs = {0};
  mn_plan_options options = {.kernels = family};
  MN_TRY(mn_file_read(&file, arena, arguments[1], 0, error));
  MN_TRY(mn_file_read(&input, arena, arguments[2], 0, error));
  MN_TRY(mn_tflite_read(&model, arena, file, error));
  MN_TRY(mn_plan_make(&plan, arena, model.graph, NULL, &options, error));
  size_t wanted = mn_tensor_bytes(&model.graph->tensors[model.graph->inputs[0]]);
  if (input.size != wanted)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: %zu bytes; the model takes %zu", arguments[2],
                        input.size, wanted);
  MN_TRY(mn_exec_create(&exec, plan, error));
  memcpy(mn_exec_input(exec, 0), input.data, input.size);
  mn_exec_run(exec, &(mn_watch){append, &outputs});
  mn_exec_destroy(exec);
  mn_status status = mn_file_write(arguments[3], outputs.data, outputs.size, error);
  mn_buffer_free(&outputs);
  return status;
}

int main(int count, char **arguments) {
  mn_error error = {{0}};
  mn_arena *arena = NULL;
  if (count < 4) {
    fprintf(stderr, "usage: run_plan MODEL.tflite INPUT.bin OUTPUT.bin [FAMILY]\n");
    return 2;
  }
  mn_status status = mn_arena_create(&arena);
  if (status == MN_OK) status = run(arena, arguments, count > 4 ? arguments[4] : NULL, &error);
  mn_arena_destroy(arena);
  if (status != MN_OK) fprintf(stderr, "run_plan: %s\n", error.text);
  return mn_status_exit_code(status);
}
