/* statistics.c - batch-norm statistics found anew for weights that came from elsewhere: the plain
 * average over a few batches, without the memory of the running one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/engine.h"

typedef struct collector {
  mn_trainer *t;
  double *mean, *variance; /* [values][widest stride] */
  int64_t row;
} collector;

static void collect(const collector *k) {
  const mn_trainer *t = k->t;
  for (int32_t i = 0; i < t->value_count; i++) {
    const mn_value *v = &t->values[i];
    if (v->gamma == NULL) continue;
    const double rows = (double)v->pixels * t->all_items,
                 unbiased = rows > 1 ? rows / (rows - 1) : 1;
    for (int32_t c = 0; c < v->channels; c++) {
      const double inverse = (double)v->inverse_deviation[c];
      k->mean[i * k->row + c] += (double)v->batch_mean[c];
      k->variance[i * k->row + c] += (1 / (inverse * inverse) - (double)MN_BN_EPSILON) * unbiased;
    }
  }
}

static void apply(const collector *k, int32_t batches) {
  for (int32_t i = 0; i < k->t->value_count; i++) {
    const mn_value *v = &k->t->values[i];
    if (v->gamma == NULL) continue;
    for (int32_t c = 0; c < v->channels; c++) {
      v->mean->value[c] = (float)(k->mean[i * k->row + c] / batches);
      v->variance->value[c] = (float)(k->variance[i * k->row + c] / batches);
    }
  }
}

static mn_status collect_batches(const collector *k, mn_feed *feed, int32_t batches,
                                 mn_error *error) {
  for (int32_t i = 0; i < batches; i++) {
    mn_batch batch;
    MN_TRY(mn_trainer_batch(k->t, feed, &batch, 0, i, error));
    mn_engine_begin(k->t, &batch, NULL, true, false);
    mn_engine_forward(k->t);
    collect(k);
  }
  apply(k, batches);
  return MN_OK;
}

mn_status mn_trainer_calibrate(mn_trainer *trainer, mn_feed *feed, int32_t batches,
                               mn_error *error) {
  collector k = {.t = trainer};
  const int32_t most = mn_feed_batches(feed), count = batches < most ? batches : most;
  for (int32_t i = 0; i < trainer->value_count; i++)
    if (trainer->values[i].stride > k.row) k.row = trainer->values[i].stride;
  const size_t size = (size_t)(trainer->value_count * k.row);
  k.mean = mn_calloc(size, sizeof(double));
  k.variance = mn_calloc(size, sizeof(double));
  mn_status status = MN_OK;
  if (k.mean == NULL || k.variance == NULL)
    status = mn_error_set(error, MN_ERR_MEMORY, "out of memory for batch-norm statistics");
  else if (count > 0)
    status = collect_batches(&k, feed, count, error);
  mn_free(k.mean);
  mn_free(k.variance);
  return status;
}
