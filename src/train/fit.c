/* fit.c - the stage: epochs over a feed with evaluation, checkpoints and resume. The step number alone
 * says which batch comes next, so a resumed run repeats an unbroken one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/engine.h"

/* ---- Accuracy -----------------------------------------------------------------------------------*/
static int32_t best_of(const float *scores, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++)
    if (scores[i] > scores[best]) best = i;
  return best;
}

static mn_status accuracy_count(mn_trainer *t, mn_feed *feed, float *scores, int64_t *right,
                                int64_t *counted, mn_error *error) {
  for (int32_t i = 0; i < mn_feed_batches(feed); i++) {
    mn_batch batch;
    MN_TRY(mn_trainer_batch(t, feed, &batch, 0, i, error));
    MN_TRY(mn_trainer_scores(t, scores, &batch, NULL, error));
    for (int32_t item = 0; item < batch.items; item++) {
      if (batch.label[item] < 0) continue;
      *right +=
          best_of(scores + (ptrdiff_t)item * batch.classes, batch.classes) == batch.label[item];
      ++*counted;
    }
  }
  return MN_OK;
}

mn_status mn_trainer_accuracy(mn_trainer *t, double *accuracy, mn_feed *feed, mn_error *error) {
  const int64_t classes = t->scores->pixels * t->scores->channels;
  float *scores = mn_malloc((size_t)(t->config.batch * classes) * sizeof *scores);
  if (scores == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while evaluating");
  int64_t right = 0, counted = 0;
  const mn_status status = accuracy_count(t, feed, scores, &right, &counted, error);
  double count[2] = {(double)right, (double)counted};
  if (t->config.ranks) mn_ranks_sum(count, 2);
  mn_free(scores);
  *accuracy = count[1] > 0 ? count[0] / count[1] : 0;
  return status;
}

mn_status mn_trainer_accuracy_float(mn_trainer *trainer, double *accuracy, mn_feed *feed,
                                    mn_error *error) {
  const bool quantized = trainer->quantized;
  trainer->quantized = false;
  const mn_status status = mn_trainer_accuracy(trainer, accuracy, feed, error);
  trainer->quantized = quantized;
  return status;
}

bool mn_trainer_stops(const mn_trainer *trainer, const mn_monitor *monitor) {
  double stopped = mn_monitor_stopped(monitor);
  if (trainer->config.ranks) mn_ranks_greatest(&stopped, 1);
  return stopped > 0;
}

/* ---- Epochs -------------------------------------------------------------------------------------*/
/* What an unbroken run remembers of the epochs behind it; part of checkpoints. */
typedef struct fit_state {
  double best;
  int64_t best_epoch;
} fit_state;

typedef struct fit {
  mn_trainer *t;
  mn_feed *train, *val;
  const mn_fit_config *config;
  mn_fit_result *result;
  mn_error *error;
  int32_t batches;
  int64_t total, items;
  fit_state state;
  float *average, *best, *spare; /* snapshots; NULL where not asked for */
  int64_t floats;
} fit;

static mn_status save(const fit *f) {
  if (f->config->checkpoint == NULL) return MN_OK;
  return mn_trainer_save(f->t, f->config->checkpoint, f->config->identity, f->error);
}

static mn_status restore(const fit *f) {
  const char *path = f->config->checkpoint;
  if (!f->config->resume || path == NULL || !mn_file_exists(path)) return MN_OK;
  return mn_trainer_load(f->t, path, f->config->identity, f->error);
}

static void tally_add(mn_trainer *t, double loss) {
  double count[2] = {0, 0};
  for (int32_t i = 0; i < t->batch->items; i++) {
    count[0] += t->item_right[i] > 0;
    count[1] += t->item_right[i] >= 0;
  }
  if (t->config.ranks) mn_ranks_sum(count, 2);
  t->tally.loss += loss;
  t->tally.steps++;
  t->tally.right += (int64_t)count[0];
  t->tally.counted += (int64_t)count[1];
}

static void result_take(const fit *f) {
  const mn_tally *y = &f->t->tally;
  f->result->loss = y->steps > 0 ? y->loss / (double)y->steps : 0;
  f->result->train_accuracy = y->counted > 0 ? (double)y->right / (double)y->counted : 0;
}

static void report(const fit *f, double loss) {
  const mn_progress progress = {
      .stage = "train",
      .step = f->t->step,
      .total = f->total,
      .name = {"epoch", "loss", "val_accuracy"},
      .value = {(double)f->t->step / f->batches, loss, f->result->val_accuracy},
  };
  mn_monitor_progress(f->config->monitor, &progress);
}

static mn_status one_step(fit *f) {
  mn_batch batch;
  double loss = 0;
  const int32_t epoch = (int32_t)(f->t->step / f->batches),
                index = (int32_t)(f->t->step % f->batches);
  if (index == 0) f->t->tally = (mn_tally){0};
  MN_TRY(mn_trainer_batch(f->t, f->train, &batch, epoch, index, f->error));
  const float *taught = NULL;
  if (f->config->teach != NULL)
    MN_TRY(f->config->teach(f->config->teacher, &taught, &batch, f->error));
  mn_trainer_teach(f->t, taught);
  MN_TRY(mn_trainer_step(f->t, &loss, &batch, NULL, true, f->error));
  mn_trainer_teach(f->t, NULL);
  if (f->average != NULL) mn_snapshot_blend(f->t, f->average, f->spare, f->config->average);
  tally_add(f->t, loss);
  f->items += f->t->all_items;
  report(f, loss);
  return MN_OK;
}

/* The better of two epochs, once the network is what it will be in the end. */
static void remember(fit *f) {
  const bool settled = f->t->config.quantize_from < 0 || f->t->quantized;
  if (!settled || f->result->val_accuracy <= f->state.best) return;
  f->state.best = f->result->val_accuracy;
  f->state.best_epoch = f->result->epochs;
  if (f->best != NULL) mn_snapshot_take(f->t, f->best);
}

/* Judges the average where there is one; training goes on with what it had. */
static mn_status judge(fit *f) {
  if (f->val == NULL) return MN_OK;
  if (f->average != NULL) {
    mn_snapshot_take(f->t, f->spare);
    mn_snapshot_give(f->t, f->average);
  }
  const mn_status status = mn_trainer_accuracy(f->t, &f->result->val_accuracy, f->val, f->error);
  if (status == MN_OK) remember(f);
  if (f->average != NULL) mn_snapshot_give(f->t, f->spare);
  return status;
}

static mn_status epoch_end(fit *f) {
  result_take(f);
  f->result->epochs = (int32_t)(f->t->step / f->batches);
  MN_TRY(judge(f));
  mn_monitor_message(f->config->monitor, MN_LEVEL_DEBUG,
                     "epoch %d: loss %.4f, train %.4f, val %.4f", f->result->epochs,
                     f->result->loss, f->result->train_accuracy, f->result->val_accuracy);
  return save(f);
}

static bool out_of_patience(const fit *f) {
  const int64_t epoch = f->t->step / f->batches;
  return f->config->patience > 0 && f->state.best_epoch > 0 &&
         epoch - f->state.best_epoch >= f->config->patience;
}

/* Snapshots travel with checkpoints: a resumed run ends with the same bytes. */
static mn_status make_snapshots(fit *f) {
  const mn_fit_config *config = f->config;
  f->state.best = -1;
  if (config->average <= 0 && !config->keep_best && config->patience <= 0) return MN_OK;
  f->floats = mn_snapshot_floats(f->t);
  const size_t bytes = (size_t)f->floats * sizeof(float);
  if (config->average > 0) {
    f->average = mn_malloc(bytes);
    f->spare = mn_malloc(bytes);
    if (f->average == NULL || f->spare == NULL) return MN_ERR_MEMORY;
    mn_snapshot_take(f->t, f->average);
    mn_trainer_attach(f->t, "fit.average", f->average, bytes);
  }
  if (config->keep_best) {
    f->best = mn_malloc(bytes);
    if (f->best == NULL) return MN_ERR_MEMORY;
    mn_snapshot_take(f->t, f->best);
    mn_trainer_attach(f->t, "fit.best", f->best, bytes);
  }
  mn_trainer_attach(f->t, "fit.state", &f->state, sizeof f->state);
  return MN_OK;
}

static void drop_snapshots(fit *f) {
  mn_free(f->average);
  mn_free(f->best);
  mn_free(f->spare);
}

static mn_status interrupted(fit *f) {
  MN_TRY(save(f));
  return mn_error_set(f->error, MN_ERR_INTERRUPTED, "stopped at step %lld of %lld%s%s",
                      (long long)f->t->step, (long long)f->total,
                      f->config->checkpoint != NULL ? "; the state is in " : "",
                      f->config->checkpoint != NULL ? f->config->checkpoint : "");
}

static mn_status run_epochs(fit *f) {
  while (f->t->step < f->total && !(f->t->step % f->batches == 0 && out_of_patience(f))) {
    if (mn_trainer_stops(f->t, f->config->monitor)) return interrupted(f);
    MN_TRY(one_step(f));
    if (f->t->step % f->batches == 0) MN_TRY(epoch_end(f));
  }
  return MN_OK;
}

/* The parameters that are left: the best epoch's, the average, or the last ones. */
static void settle(const fit *f) {
  f->result->best_epoch = f->result->epochs;
  if (f->best != NULL && f->state.best_epoch > 0) {
    mn_snapshot_give(f->t, f->best);
    f->result->best_epoch = (int32_t)f->state.best_epoch;
    f->result->val_accuracy = f->state.best;
  } else if (f->average != NULL) {
    mn_snapshot_give(f->t, f->average);
  }
}

static mn_status run(fit *f) {
  MN_TRY(restore(f));
  if (f->t->config.ranks)
    mn_ranks_wait(); /* the clock is that of training, not of the slowest start */
  const double start = mn_seconds();
  const bool complete = f->t->step >= f->total || out_of_patience(f);
  MN_TRY(run_epochs(f));
  f->result->samples_per_second = f->items > 0 ? (double)f->items / (mn_seconds() - start) : 0;
  if (complete) MN_TRY(epoch_end(f));
  settle(f);
  return MN_OK;
}

mn_status mn_fit(mn_trainer *trainer, mn_fit_result *result, mn_feed *train, mn_feed *val,
                 const mn_fit_config *config, mn_error *error) {
  fit f = {
      .t = trainer, .train = train, .val = val, .config = config, .result = result, .error = error};
  *result = (mn_fit_result){0};
  f.batches = mn_feed_batches(train);
  f.total = (int64_t)f.batches * config->epochs;
  if (f.batches < 1) return mn_error_set(error, MN_ERR_ARGUMENT, "there is nothing to train on");
  const int32_t attached = trainer->attachment_count;
  mn_status status = make_snapshots(&f);
  if (status != MN_OK) mn_error_set(error, status, "out of memory while training");
  if (status == MN_OK) status = run(&f);
  drop_snapshots(&f);
  trainer->attachment_count = attached;
  return status;
}
