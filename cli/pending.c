/* pending.c - stands in for what is not linked yet; goes as it lands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/eval.h"
#include "micronets/bench.h"
#include "micronets/train.h"
#define S __attribute__((weak))
S mn_status mn_bench(mn_bench_result *result, mn_arena *arena, const mn_model *model,
                     const mn_bench_config *config, mn_error *error) {
  (void)result;
  (void)arena;
  (void)model;
  (void)config;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_fit(mn_trainer *trainer, mn_fit_result *result, mn_feed *train, mn_feed *val,
                   const mn_fit_config *config, mn_error *error) {
  (void)trainer;
  (void)result;
  (void)train;
  (void)val;
  (void)config;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S double mn_trainer_accuracy(mn_trainer *trainer, mn_feed *feed, mn_error *error) {
  (void)trainer;
  (void)feed;
  (void)error;
  return -1;
}
S mn_status mn_trainer_freeze(const mn_graph **frozen, mn_arena *arena, const mn_trainer *trainer,
                              mn_error *error) {
  (void)frozen;
  (void)arena;
  (void)trainer;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_trainer_save(const mn_trainer *trainer, const char *path, uint64_t identity,
                            mn_error *error) {
  (void)trainer;
  (void)path;
  (void)identity;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_trainer_load(mn_trainer *trainer, const char *path, uint64_t identity,
                            mn_error *error) {
  (void)trainer;
  (void)path;
  (void)identity;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_trainer_load_layers(mn_trainer *trainer, int32_t *layers, const char *path,
                                   mn_error *error) {
  (void)trainer;
  (void)path;
  (void)layers;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_checkpoint_attachment(const char *path, uint64_t identity, const char *name,
                                     void *data, size_t bytes, mn_error *error) {
  (void)path;
  (void)identity;
  (void)name;
  (void)data;
  (void)bytes;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S void mn_trainer_attach(mn_trainer *trainer, const char *name, void *data, size_t bytes) {
  (void)trainer;
  (void)name;
  (void)data;
  (void)bytes;
}
S mn_status mn_trainer_inherit(mn_trainer *trainer, int32_t *layers, const mn_trainer *from,
                               mn_error *error) {
  (void)trainer;
  (void)layers;
  (void)from;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
S mn_status mn_trainer_calibrate(mn_trainer *trainer, mn_feed *feed, int32_t batches,
                                 mn_error *error) {
  (void)trainer;
  (void)feed;
  (void)batches;
  return mn_error_set(error, MN_ERR_USAGE, "this part is not built yet");
}
#include "micronets/plan.h"
S mn_status mn_tflm_memory_of(mn_tflm_memory *memory, mn_arena *arena, const mn_graph *graph,
                              mn_error *error) {
  (void)arena;
  (void)graph;
  (void)error;
  *memory = (mn_tflm_memory){-1, -1, -1};
  return MN_OK;
}
