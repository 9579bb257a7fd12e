/* train_speed.c - seconds of training steps on made-up items:
 * train_speed NETWORK.net BATCH THREADS STEPS [ISA|best [quantized]]
 * Prints two numbers per step: by the clock, and of all threads' processor time. bench/train/against_pytorch.sh sets it beside PyTorch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "micronets/net.h"
#include "micronets/train.h"

enum { WARM_UP = 5 };

typedef struct job {
  mn_arena *arena;
  const mn_graph *graph;
  mn_train_config config;
  int32_t steps;
} job;

static mn_status read_network(job *j, const char *path, mn_error *error) {
  mn_bytes text;
  mn_net *net;
  mn_pick pick;
  MN_TRY(mn_file_read(&text, j->arena, path, 0, error));
  MN_TRY(mn_net_parse(&net, j->arena, path, text, error));
  MN_TRY(mn_pick_create(&pick, j->arena, net));
  return mn_net_lower(&j->graph, j->arena, net, &pick, error);
}

/* Normal features, classes in turn. */
static mn_status make_batch(mn_batch *batch, const job *j) {
  const mn_graph *g = j->graph;
  const size_t items = (size_t)j->config.batch;
  const size_t features = (size_t)mn_shape_elements(&g->tensors[g->inputs[0]].shape);
  const size_t classes = (size_t)mn_shape_elements(&g->tensors[g->outputs[0]].shape);
  float *x = mn_arena_array(j->arena, items * features, sizeof *x);
  float *target = mn_arena_array(j->arena, items * classes, sizeof *target);
  mn_rng rng = mn_rng_seed(1);
  if (x == NULL || target == NULL) return MN_ERR_MEMORY;
  for (size_t i = 0; i < items * features; i++) x[i] = (float)mn_rng_normal(&rng);
  for (size_t i = 0; i < items; i++) target[i * classes + i % classes] = 1.0f;
  *batch = (mn_batch){(int32_t)items, (int32_t)classes, x, target, NULL, NULL};
  return MN_OK;
}

static double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static mn_status run_steps(const job *j, mn_error *error) {
  mn_trainer *trainer = NULL;
  mn_batch batch;
  double loss;
  MN_TRY(make_batch(&batch, j));
  MN_TRY(mn_trainer_create(&trainer, j->graph, &j->config, error));
  mn_status status = MN_OK;
  for (int32_t i = 0; status == MN_OK && i < WARM_UP + j->steps; i++) {
    const double start = mn_seconds(), processor = processor_seconds();
    status = mn_trainer_step(trainer, &loss, &batch, NULL, true, error);
    if (i >= WARM_UP) printf("%.9f %.9f\n", mn_seconds() - start, processor_seconds() - processor);
  }
  mn_trainer_destroy(trainer);
  return status;
}

static mn_status run(job *j, char **argument, mn_error *error) {
  MN_TRY(mn_arena_create(&j->arena));
  MN_TRY(read_network(j, argument[1], error));
  j->config = mn_train_defaults();
  j->config.batch = atoi(argument[2]);
  j->steps = atoi(argument[4]);
  if (argument[5] != NULL && strcmp(argument[5], "best") != 0) j->config.isa = argument[5];
  if (argument[5] != NULL && argument[6] != NULL) j->config.quantize_from = 0;
  MN_TRY(mn_pool_create(&j->config.pool, atoi(argument[3])));
  return run_steps(j, error);
}

int main(int count, char **argument) {
  job j = {0};
  mn_error error = {"out of memory"};
  if (count < 5) {
    fprintf(stderr, "train_speed NETWORK.net BATCH THREADS STEPS [ISA|best [quantized]]\n");
    return 2;
  }
  const mn_status status = run(&j, argument, &error);
  if (status != MN_OK) fprintf(stderr, "%s\n", error.text);
  mn_pool_destroy(j.config.pool);
  mn_arena_destroy(j.arena);
  return mn_status_exit_code(status);
}
