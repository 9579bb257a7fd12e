/* cycle_table.c - measures the cycle tables for the shipped targets and prints
 * src/target/cycle_table.c (scripts/cycle_table.sh), or holds one row against other layers.
 * Usage: cycle_table FOLDER > src/target/cycle_table.c
 *        cycle_table FOLDER TARGET SYMBOL SEED
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/bench.h"

static mn_status write_stdout(void *context, const void *data, size_t size) {
  (void)context;
  return fwrite(data, 1, size, stdout) == size ? MN_OK : MN_ERR_IO;
}

static void say(void *context, mn_level level, const char *text) {
  (void)context;
  if (level <= MN_LEVEL_NOTE) fprintf(stderr, "%s\n", text);
}

/* One target of each core that is emulated. */
static int32_t choose(const mn_target **chosen, mn_arena *arena, mn_error *error) {
  int32_t count = 0, made = 0;
  const char *const *names = mn_target_names(arena, &count);
  for (int32_t i = 0; i < count; i++) {
    const mn_target *target = NULL;
    if (mn_target_read(&target, arena, names[i], error) != MN_OK) return -1;
    bool known = target->machine == NULL;
    for (int32_t k = 0; k < made; k++) known = known || strcmp(chosen[k]->core, target->core) == 0;
    if (!known) chosen[made++] = target;
  }
  return made;
}

static mn_status make(mn_arena *arena, const char *folder, mn_error *error) {
  const mn_target *targets[64];
  mn_cycle_tables tables;
  mn_sink out = {write_stdout, NULL};
  mn_monitor monitor = {.message = say};
  int32_t count = choose(targets, arena, error);
  if (count <= 0) return MN_ERR_FAILED;
  MN_TRY(mn_bench_cycles(&tables, arena, targets, count, folder, &monitor, error));
  return mn_bench_cycles_print(&out, &tables);
}

static mn_status hold(mn_arena *arena, char **argv, mn_error *error) {
  const mn_target *target = NULL;
  double mean = 0, worst = 0;
  int32_t layers = 0;
  MN_TRY(mn_target_read(&target, arena, argv[2], error));
  MN_TRY(mn_bench_cycles_error(&mean, &worst, &layers, arena, target, argv[3],
                               strtoull(argv[4], NULL, 10), argv[1], error));
  printf("core=%s symbol=%s layers=%d mean_percent=%.2f worst_percent=%.2f\n", target->core,
         argv[3], layers, 100 * mean, 100 * worst);
  return MN_OK;
}

int main(int argc, char **argv) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  if ((argc != 2 && argc != 5) || mn_arena_create(&arena) != MN_OK) return 2;
  mn_status status = argc == 2 ? make(arena, argv[1], &error) : hold(arena, argv, &error);
  if (status != MN_OK) fprintf(stderr, "cycle_table: %s\n", error.text);
  mn_arena_destroy(arena);
  return status == MN_OK ? 0 : 1;
}
