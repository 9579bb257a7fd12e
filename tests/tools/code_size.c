/* code_size.c - measures code sizes for the shipped targets and prints
 * src/target/code_size_table.c. Usage: code_size FOLDER > src/target/code_size_table.c
 * (scripts/code_size.sh) SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "micronets/bench.h"

static mn_status write_stdout(void *context, const void *data, size_t size) {
  (void)context;
  return fwrite(data, 1, size, stdout) == size ? MN_OK : MN_ERR_IO;
}

/* One target of each set of compiler flags. */
static int32_t choose(const mn_target **chosen, mn_arena *arena, mn_error *error) {
  int32_t count = 0, made = 0;
  const char *const *names = mn_target_names(arena, &count);
  for (int32_t i = 0; i < count; i++) {
    const mn_target *target = NULL;
    if (mn_target_read(&target, arena, names[i], error) != MN_OK) return -1;
    bool known = target->machine == NULL;
    for (int32_t k = 0; k < made; k++)
      known = known || strcmp(chosen[k]->cpu_flags, target->cpu_flags) == 0;
    if (!known) chosen[made++] = target;
  }
  return made;
}

int main(int argc, char **argv) {
  const mn_target *targets[64];
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_code_sizes sizes;
  mn_sink out = {write_stdout, NULL};
  if (argc != 2 || mn_arena_create(&arena) != MN_OK) return 2;
  int32_t count = choose(targets, arena, &error);
  mn_status status = count > 0
                         ? mn_bench_code_sizes(&sizes, arena, targets, count, argv[1], NULL, &error)
                         : MN_ERR_FAILED;
  if (status == MN_OK) status = mn_bench_code_sizes_print(&out, &sizes);
  if (status != MN_OK) fprintf(stderr, "code_size: %s\n", error.text);
  mn_arena_destroy(arena);
  return status == MN_OK ? 0 : 1;
}
