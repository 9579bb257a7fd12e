/* job.h - what the programs of bench/train share: a network or supernet, a trainer's configuration, a
 * batch of made-up items.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_TRAIN_JOB_H
#define MN_BENCH_TRAIN_JOB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search/internal.h"
#include "train/engine.h"

typedef struct job {
  mn_arena *arena;
  const mn_net *net;
  const mn_graph *graph;
  const mn_gate_map *gates;
  mn_train_config config;
  int32_t steps;
  bool searches;
  mn_architecture architecture;
  mn_options options;
  mn_batch batch;
} job;

static inline mn_status read_network(job *j, const char *path, mn_error *error) {
  mn_bytes text;
  mn_net *net;
  mn_pick pick;
  MN_TRY(mn_file_read(&text, j->arena, path, 0, error));
  MN_TRY(mn_net_parse(&net, j->arena, path, text, error));
  MN_TRY(mn_pick_create(&pick, j->arena, net));
  j->net = net;
  if (!j->searches) return mn_net_lower(&j->graph, j->arena, net, &pick, error);
  mn_pick_largest(&pick, net);
  return mn_net_lower_supernet(&j->graph, &j->gates, j->arena, net, &pick, error);
}

/* Every option open. */
static inline mn_status make_architecture(job *j) {
  const int32_t decisions = mn_net_decisions(j->net);
  bool **allowed = mn_arena_array(j->arena, (size_t)decisions, sizeof *allowed);
  if (allowed == NULL) return MN_ERR_MEMORY;
  for (int32_t d = 0; d < decisions; d++) {
    const int32_t count = mn_net_decision(j->net, d)->options;
    if ((allowed[d] = mn_arena_array(j->arena, (size_t)count, sizeof **allowed)) == NULL)
      return MN_ERR_MEMORY;
    for (int32_t k = 0; k < count; k++) allowed[d][k] = true;
  }
  j->options.allowed = allowed;
  return mn_architecture_create(&j->architecture, j->arena, j->net, j->graph, j->gates,
                                &j->options);
}

/* Normal features, classes in turn. */
static inline mn_status make_batch(job *j) {
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
  j->batch = (mn_batch){
      .items = (int32_t)items, .classes = (int32_t)classes, .x = x, .target = target};
  return MN_OK;
}

/* Of all threads. */
static inline double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* NETWORK.net BATCH THREADS STEPS [ISA|best [float|quantized|search [auto|float32|bf16|int16]]]; all but the trainer is made. */
static inline mn_status job_make(job *j, char **argument, mn_error *error) {
  const bool told = argument[5] != NULL && argument[6] != NULL;
  const char *mode = told ? argument[6] : "float";
  MN_TRY(mn_arena_create(&j->arena));
  j->searches = strcmp(mode, "search") == 0;
  MN_TRY(read_network(j, argument[1], error));
  j->config = mn_train_defaults();
  j->config.batch = atoi(argument[2]);
  j->steps = atoi(argument[4]);
  if (argument[5] != NULL && strcmp(argument[5], "best") != 0) j->config.isa = argument[5];
  if (strcmp(mode, "quantized") == 0) j->config.quantize_from = 0;
  if (told && argument[7] != NULL) j->config.arithmetic = mn_arithmetic_of(argument[7]);
  MN_TRY(mn_pool_create(&j->config.pool, atoi(argument[3])));
  MN_TRY(make_batch(j));
  return j->searches ? make_architecture(j) : MN_OK;
}

typedef mn_status job_run(job *j, mn_error *error);
static inline int job_main(int count, char **argument, const char *usage, job_run *run) {
  job j = {0};
  mn_error error = {"out of memory"};
  if (count < 5) {
    fprintf(stderr, "%s\n", usage);
    return 2;
  }
  mn_status status = job_make(&j, argument, &error);
  if (status == MN_OK) status = run(&j, &error);
  if (status != MN_OK) fprintf(stderr, "%s\n", error.text);
  mn_pool_destroy(j.config.pool);
  mn_arena_destroy(j.arena);
  return mn_status_exit_code(status);
}

#endif
