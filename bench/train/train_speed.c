/* train_speed.c - seconds of training steps on made-up items:
 * train_speed NETWORK.net BATCH THREADS STEPS [ISA|best [float|quantized|search [auto|float32|bf16|int16]]]
 * "search" takes a space: its supernet at full width, and a step is one of the weights and one of the
 * architecture parameters, as `micronets search` takes them. Prints two numbers per step: by the clock,
 * and of all threads' processor time. bench/train/against_pytorch.sh sets it beside PyTorch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

enum { WARM_UP = 5 };

static mn_status search_step(job *j, mn_trainer *trainer, int32_t step, mn_error *error) {
  mn_architecture *a = &j->architecture;
  double loss;
  for (int32_t kind = 0; kind < 2; kind++) {
    mn_rng rng = mn_rng_stream(1, (uint64_t)step, (uint64_t)kind);
    mn_architecture_sample(a, &rng, 5);
    const mn_gates gates = mn_architecture_gates(a);
    MN_TRY(mn_trainer_step(trainer, &loss, &j->batch, &gates, kind == 0, error));
  }
  mn_architecture_update(a, NULL, 5, 0.05, step + 1);
  return MN_OK;
}

static mn_status run_steps(job *j, mn_error *error) {
  mn_trainer *trainer = NULL;
  double loss;
  MN_TRY(mn_trainer_create(&trainer, j->graph, &j->config, error));
  mn_status status = MN_OK;
  for (int32_t i = 0; status == MN_OK && i < WARM_UP + j->steps; i++) {
    const double start = mn_seconds(), processor = processor_seconds();
    status = j->searches ? search_step(j, trainer, i, error)
                         : mn_trainer_step(trainer, &loss, &j->batch, NULL, true, error);
    if (i >= WARM_UP)
      printf("%.9f %.9f\n", mn_seconds() - start, processor_seconds() - processor);
  }
  mn_trainer_destroy(trainer);
  return status;
}

int main(int count, char **argument) {
  return job_main(count, argument,
                  "train_speed NETWORK.net BATCH THREADS STEPS "
                  "[ISA|best [float|quantized|search [auto|float32|bf16|int16]]]",
                  run_steps);
}
