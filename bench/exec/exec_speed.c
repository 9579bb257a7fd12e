/* exec_speed.c - milliseconds of one inference per kernel family, and the ratio to the reference:
 * exec_speed [--ops] MODEL.tflite... Families run in turns; the median of each is printed.
 * exec_speed --turns MODEL.tflite answers every line of its input, a number of inferences, with the
 * processor time in milliseconds that one of them took: for measurements in turns with another program.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "micronets/exec.h"
#include "micronets/tflite.h"
#include "plan/kernel_table.h"

enum { FAMILIES = 2, TURNS = 41 };
static const char *const families[FAMILIES] = {"ref", "host"};

typedef struct runner {
  const mn_plan *plan;
  mn_exec *exec;
  double ms[TURNS];
} runner;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Milliseconds of one inference, measured over enough of them. */
static double turn(runner *r, int repeats) {
  double start = mn_seconds();
  for (int i = 0; i < repeats; i++) mn_exec_run(r->exec, NULL);
  return (mn_seconds() - start) * 1000 / repeats;
}

static mn_status start(runner *r, mn_arena *arena, const mn_graph *graph, const char *family,
                       mn_error *error) {
  mn_plan_options options = {.kernels = family};
  MN_TRY(mn_plan_make(&r->plan, arena, graph, NULL, &options, error));
  MN_TRY(mn_exec_create(&r->exec, r->plan, error));
  memset(mn_exec_input(r->exec, 0), 3, mn_tensor_bytes(&graph->tensors[graph->inputs[0]]));
  return MN_OK;
}

static double seconds_of_op(const runner *r, int32_t step) {
  mn_plan one = *r->plan;
  mn_exec *exec = NULL;
  mn_error error;
  one.steps = &r->plan->steps[step];
  one.step_count = 1;
  if (mn_exec_create(&exec, &one, &error) != MN_OK) return 0;
  runner alone = {.plan = &one, .exec = exec};
  double best = turn(&alone, 20);
  for (int i = 0; i < 10; i++) {
    double ms = turn(&alone, 20);
    best = ms < best ? ms : best;
  }
  mn_exec_destroy(exec);
  return best;
}

static void print_ops(const runner *r) {
  for (int32_t s = 0; s < r->plan->step_count; s++) {
    const mn_plan_step *step = &r->plan->steps[s];
    if (step->kernel == NULL) continue;
    double us = seconds_of_op(r, s) * 1000;
    int64_t macs = mn_op_macs(r->plan->graph, step->op);
    printf("    %3d %-34s %9.2f us %7.1f GMAC/s\n", step->op, step->kernel->symbol, us,
           (double)macs / us / 1000);
  }
}

static mn_status read_model(mn_model *model, mn_arena **arena, const char *path, mn_error *error) {
  mn_bytes file;
  MN_TRY(mn_arena_create(arena));
  MN_TRY(mn_file_read(&file, *arena, path, 0, error));
  return mn_tflite_read(model, *arena, file, error);
}

static double processor_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static mn_status answer_turns(const char *path, mn_error *error) {
  mn_arena *arena = NULL;
  mn_model model;
  runner r;
  char line[32];
  MN_TRY(read_model(&model, &arena, path, error));
  MN_TRY(start(&r, arena, model.graph, "host", error));
  while (fgets(line, sizeof line, stdin) != NULL) {
    int repeats = atoi(line);
    double begin = processor_ms();
    for (int i = 0; i < repeats; i++) mn_exec_run(r.exec, NULL);
    printf("%.6f\n", (processor_ms() - begin) / repeats);
    fflush(stdout);
  }
  mn_exec_destroy(r.exec);
  mn_arena_destroy(arena);
  return MN_OK;
}

static mn_status measure(const char *path, bool ops, mn_error *error) {
  mn_arena *arena = NULL;
  mn_model model;
  runner r[FAMILIES] = {{0}};
  MN_TRY(read_model(&model, &arena, path, error));
  for (int f = 0; f < FAMILIES; f++) MN_TRY(start(&r[f], arena, model.graph, families[f], error));
  for (int t = -1; t < TURNS; t++) /* the first turn warms up */
    for (int f = 0; f < FAMILIES; f++) {
      double ms = turn(&r[f], f == 0 ? 1 : 20);
      if (t >= 0) r[f].ms[t] = ms;
    }
  for (int f = 0; f < FAMILIES; f++) qsort(r[f].ms, TURNS, sizeof *r[f].ms, ascending);
  double ref = r[0].ms[TURNS / 2], host = r[1].ms[TURNS / 2];
  printf("%-50s median ref %8.3f host %8.4f ms (%.1f times); least %8.3f, %8.4f (%.1f times)\n",
         path, ref, host, ref / host, r[0].ms[0], r[1].ms[0], r[0].ms[0] / r[1].ms[0]);
  if (ops) print_ops(&r[1]);
  for (int f = 0; f < FAMILIES; f++) mn_exec_destroy(r[f].exec);
  mn_arena_destroy(arena);
  return MN_OK;
}

int main(int count, char **arguments) {
  bool ops = count > 1 && strcmp(arguments[1], "--ops") == 0;
  bool turns = count > 1 && strcmp(arguments[1], "--turns") == 0;
  for (int i = ops || turns ? 2 : 1; i < count; i++) {
    mn_error error = {{0}};
    mn_status status =
        turns ? answer_turns(arguments[i], &error) : measure(arguments[i], ops, &error);
    if (status == MN_OK) continue;
    fprintf(stderr, "exec_speed: %s: %s\n", arguments[i], error.text);
    return 1;
  }
  return 0;
}
