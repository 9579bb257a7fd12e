/* tflm_head.c - the head of TFLM's arena with its reference kernels, as we compute it, for every file
 * named: tflm_head FILE... prints one number a line.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "micronets/tflite.h"
#include "plan/tflm_memory.h"

static mn_status head_of(int64_t *head, const char *path, mn_arena *arena, mn_error *error) {
  mn_bytes file;
  mn_model model;
  MN_TRY(mn_file_read(&file, arena, path, 0, error));
  MN_TRY(mn_tflite_read(&model, arena, file, error));
  return mn_tflm_head(head, arena, model.graph, MN_TFLM_REFERENCE, error);
}

int main(int count, char **arguments) {
  for (int i = 1; i < count; i++) {
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    int64_t head = 0;
    mn_status status = mn_arena_create(&arena);
    if (status == MN_OK) status = head_of(&head, arguments[i], arena, &error);
    mn_arena_destroy(arena);
    if (status != MN_OK) {
      fprintf(stderr, "%s: %s\n", arguments[i], error.text);
      return mn_status_exit_code(status);
    }
    printf("%lld\n", (long long)head);
  }
  return 0;
}
