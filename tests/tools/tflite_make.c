/* tflite_make.c - writes the small models of tests/models.c as .tflite files: tflite_make FOLDER.
 * Prints their names, one a line. For oracle tests and as seeds of the fuzzer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "micronets/tflite.h"
#include "models.h"

static mn_status make(const char *folder, int32_t index, mn_arena *arena, mn_error *error) {
  static const char *const labels[] = {"up", "down", "left", "right", "unknown"};
  mn_model made = {.graph = model_make(arena, index, NULL), .description = "made for tests"};
  if (index == 0) {
    made.labels = labels;
    made.label_count = 5;
    made.threshold = 0.75f;
    made.has_threshold = true;
    made.trained_on = "random numbers";
  }
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  mn_status status = mn_tflite_write(&sink, &made, error);
  if (status == MN_OK)
    status = mn_file_write(mn_arena_text(arena, "%s/%s.tflite", folder, model_names[index]),
                           out.data, out.size, error);
  mn_buffer_free(&out);
  return status;
}

int main(int count, char **arguments) {
  mn_error error = {{0}};
  if (count != 2) {
    fprintf(stderr, "usage: tflite_make FOLDER\n");
    return 2;
  }
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = NULL;
    mn_status status = mn_arena_create(&arena);
    if (status == MN_OK) status = make(arguments[1], i, arena, &error);
    mn_arena_destroy(arena);
    if (status != MN_OK) {
      fprintf(stderr, "%s: %s\n", model_names[i], error.text);
      return mn_status_exit_code(status);
    }
    printf("%s\n", model_names[i]);
  }
  return 0;
}
