/* trainer_forward.c - the trainer's float forward pass with given parameters, for the oracle tests:
 * trainer_forward FILE.net PARAMETERS < inputs > outputs. PARAMETERS are float32: weights, then bias of
 * every layer in order (no batch norm); inputs and outputs are float32, one item behind the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"
#include "train/engine.h"

enum { BATCH = 64 };

static void need(mn_status status, const mn_error *error) {
  if (status == MN_OK) return;
  fprintf(stderr, "trainer_forward: %s\n", error->text);
  exit(1);
}

static const float *set_parameters(mn_trainer *trainer, const mn_graph *graph, const float *from) {
  static const mn_parameter_kind kinds[] = {MN_PARAMETER_WEIGHTS, MN_PARAMETER_BIAS};
  for (int32_t i = 0; i < graph->op_count; i++) {
    for (size_t k = 0; mn_op_weights(graph, i) > 0 && k < MN_COUNT(kinds); k++) {
      mn_parameter *p = mn_trainer_parameter(trainer, graph->ops[i].name, kinds[k]);
      mn_parameter_set(p, p->value, from);
      from += mn_parameter_size(p);
    }
  }
  return from;
}

static void run_all(mn_trainer *trainer, int32_t inputs, int32_t outputs) {
  float *x = calloc((size_t)(BATCH * inputs), sizeof *x);
  float *y = calloc((size_t)(BATCH * outputs), sizeof *y);
  int32_t *none = calloc(BATCH, sizeof *none);
  for (size_t items; (items = fread(x, sizeof *x * (size_t)inputs, BATCH, stdin)) > 0;) {
    mn_error error = {{0}};
    mn_batch batch = {.items = (int32_t)items,
                      .classes = outputs,
                      .x = x,
                      .target = y,
                      .label = none,
                      .item = none};
    need(mn_trainer_scores(trainer, y, &batch, NULL, &error), &error);
    fwrite(y, sizeof *y * (size_t)outputs, items, stdout);
  }
  free(x);
  free(y);
  free(none);
}

int main(int count, char **arguments) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_bytes text, parameters;
  mn_net *net;
  mn_pick pick;
  mn_pool *pool = NULL;
  const mn_graph *graph;
  mn_trainer *trainer = NULL;
  if (count != 3 || mn_arena_create(&arena) != MN_OK || mn_pool_create(&pool, 1) != MN_OK) return 2;
  need(mn_file_read(&text, arena, arguments[1], 1 << 20, &error), &error);
  need(mn_file_read(&parameters, arena, arguments[2], 0, &error), &error);
  need(mn_net_parse(&net, arena, arguments[1], text, &error), &error);
  need(mn_pick_create(&pick, arena, net), &error);
  need(mn_net_lower(&graph, arena, net, &pick, &error), &error);
  mn_train_config config = mn_train_defaults();
  config.batch = BATCH;
  config.steps = 1;
  config.quantize_from = -1;
  config.loss = MN_LOSS_MEAN_SQUARED;
  config.pool = pool;
  need(mn_trainer_create(&trainer, graph, &config, &error), &error);
  const float *from = (const float *)(const void *)parameters.data;
  if ((size_t)(set_parameters(trainer, graph, from) - from) * sizeof *from != parameters.size)
    return 3;
  run_all(trainer, (int32_t)mn_shape_elements(&graph->tensors[graph->inputs[0]].shape),
          (int32_t)mn_shape_elements(&graph->tensors[graph->outputs[0]].shape));
  mn_trainer_destroy(trainer);
  mn_pool_destroy(pool);
  mn_arena_destroy(arena);
  return 0;
}
