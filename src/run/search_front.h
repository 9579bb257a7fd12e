/* search_front.h - the networks of a front, trained. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_SEARCH_FRONT_H
#define MN_RUN_SEARCH_FRONT_H

#include "micronets/train.h"
#include "run/stage.h"

typedef struct mn_front_training {
  const mn_run_context *context;
  mn_dataset *dataset;
  const char *folder, *supernet; /* of pareto/, and whose weights are inherited */
  int64_t epochs;
  mn_arithmetic arithmetic;
  bool resume;
  json_t *rows; /* array of the front: reads net and text, puts model, float, int8 */
} mn_front_training;

/* Makes room for a front of `count` networks: removes what an older one left in the folder, NN.net from `count`
 * on and NN.tflite and NN.ckpt but where `stands[NN]` says that their network is the same. Other files stay.
 * Errors: MN_ERR_IO. */
mn_status mn_search_front_clear(const char *folder, const bool *stands, int32_t count,
                                mn_error *error) MN_MUST_CHECK;
/* Trains each row's network from the weights of the supernet, as train does by default, and leaves
 * NN.tflite and NN.ckpt in the folder. Under mpirun each rank trains its share by itself, with the same
 * result for any number of ranks. */
mn_status mn_search_train_front(const mn_front_training *front, mn_error *error) MN_MUST_CHECK;

#endif
