/* tflite_rewrite.c - reads a .tflite and writes it back: tflite_rewrite IN OUT. Prints one line with
 * both sizes. Exit codes are those of the program (docs/exit-codes.md). For oracle tests.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "micronets/tflite.h"

static mn_status rewrite(const char *from, const char *to, mn_arena *arena, mn_error *error) {
  mn_bytes file;
  mn_model model;
  mn_buffer out = {0};
  size_t size = 0;
  MN_TRY(mn_file_read(&file, arena, from, 0, error));
  MN_TRY(mn_tflite_read(&model, arena, file, error));
  MN_TRY(mn_tflite_size(&size, &model, error));
  mn_sink sink = mn_buffer_sink(&out);
  mn_status status = mn_tflite_write(&sink, &model, error);
  if (status == MN_OK && out.size != size)
    status = mn_error_set(error, MN_ERR_FAILED, "wrote %zu bytes; mn_tflite_size said %zu",
                          out.size, size);
  if (status == MN_OK) status = mn_file_write(to, out.data, out.size, error);
  if (status == MN_OK) printf("bytes_before=%zu bytes_after=%zu\n", file.size, out.size);
  mn_buffer_free(&out);
  return status;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: tflite_rewrite IN.tflite OUT.tflite\n");
    return 2;
  }
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_status status = mn_arena_create(&arena);
  if (status == MN_OK) status = rewrite(arguments[1], arguments[2], arena, &error);
  if (status != MN_OK) fprintf(stderr, "%s: %s\n", arguments[1], error.text);
  mn_arena_destroy(arena);
  return mn_status_exit_code(status);
}
