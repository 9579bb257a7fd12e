/* train.h - the training engine: a bare graph becomes a static list of fused units; forward, backward,
 * optimizer, fake quantization; checkpoints; freezing. Never sees .net, plan or executor.
 *
 * Deterministic: gradient shards are fixed, so results do not depend on the number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_TRAIN_H
#define MICRONETS_TRAIN_H

#include "micronets/base.h"
#include "micronets/data.h"
#include "micronets/graph.h"

typedef enum mn_optimizer { MN_OPTIMIZER_ADAMW, MN_OPTIMIZER_SGD } mn_optimizer;
typedef enum mn_loss { MN_LOSS_CROSS_ENTROPY, MN_LOSS_MEAN_SQUARED } mn_loss;

/* Of the products of convolutions and fully connected layers in training; sums are always float32. */
typedef enum mn_arithmetic {
  MN_ARITHMETIC_FLOAT32,
  MN_ARITHMETIC_BF16,
  MN_ARITHMETIC_INT16,
  MN_ARITHMETICS
} mn_arithmetic;
const char *mn_arithmetic_name(mn_arithmetic arithmetic); /* "float32", "bf16", "int16" */
/* By name; "auto": bf16, else int16, where the processors of all ranks multiply it faster than floats, else
 * float32. */
mn_arithmetic mn_arithmetic_of(const char *word);

typedef struct mn_train_config {
  mn_optimizer optimizer;
  mn_loss loss;
  double learning_rate, final_learning_rate, weight_decay, momentum;
  int64_t steps, warmup_steps; /* of the schedule: linear warm-up, then cosine */
  double input_low, input_high; /* range of the input tensor; both 0: learned */
  double distill, temperature; /* share of the teacher in the loss, where one is given */
  double dropout;              /* before the last layer with weights */
  int64_t quantize_from;       /* step at which fake quantization starts; -1 never */
  int32_t batch;               /* largest batch */
  /* A map of at least so many bytes a batch between an expansion (1x1) and a depthwise layer is not stored
   * but made anew where it is read; float training only. */
  int64_t remake_bytes;
  uint64_t seed;
  bool ranks;      /* each rank takes its part of every batch (base.h, "Ranks") */
  mn_arithmetic arithmetic;
  const char *isa; /* NULL: best of "avx512", "avx2", "portable" */
  mn_pool *pool;   /* borrowed */
} mn_train_config;
mn_train_config mn_train_defaults(void);

/* Values of a supernet's masks and mixes going in, gradients coming out. Owned by the caller (search).
 * Depthwise layers need no mask: those with batch norm take the openness of their input by themselves
 * (mixed along MIX), and its gradient is part of the masks' and mixes' that made it. */
typedef struct mn_gates {
  const float *const *mask;    /* [op_count]: NULL or [output channels] */
  float *const *mask_gradient; /* [op_count]: NULL or written */
  const float *mix;            /* [op_count][2]: on, off of MIX ops */
  float *mix_gradient;         /* [op_count][2] */
} mn_gates;

/* Parameters, batch-norm statistics, ranges, optimizer state on a bare graph (borrowed). */
typedef struct mn_trainer mn_trainer;
mn_status mn_trainer_create(mn_trainer **trainer, const mn_graph *graph,
                            const mn_train_config *config, mn_error *error) MN_MUST_CHECK;
void mn_trainer_destroy(mn_trainer *trainer);
/* Memory of maps and their gradients goes back to the system until the next step. */
void mn_trainer_rest(mn_trainer *trainer);

/* This process's share of a batch of the feed: where ranks train together each draws its own items, which may
 * be none; else the whole batch. */
mn_status mn_trainer_batch(const mn_trainer *trainer, mn_feed *feed, mn_batch *batch, int32_t epoch,
                           int32_t index, mn_error *error) MN_MUST_CHECK;
/* One step: forward, backward, and (update) the optimizer on the weights. loss: mean over the items of
 * all ranks, of which `batch` is this one's share.
 * gates may be NULL (plain network). update false leaves weights and statistics alone: that is the
 * architecture half of a search step. Errors: MN_ERR_DIVERGED with op name, line, loss and step. */
mn_status mn_trainer_step(mn_trainer *trainer, double *loss, const mn_batch *batch,
                          const mn_gates *gates, bool update, mn_error *error) MN_MUST_CHECK;
/* Scores [items][classes] of the evaluation form: running statistics, no dropout, fake quantization
 * where it has started (the trainer's own int8 judgement); probabilities where the graph ends in SOFTMAX. */
mn_status mn_trainer_scores(mn_trainer *trainer, float *scores, const mn_batch *batch,
                            const mn_gates *gates, mn_error *error) MN_MUST_CHECK;
/* Scores of a teacher for the next steps' batches, [items][classes], before any softmax; borrowed. NULL:
 * none. Loss = (1 - distill) cross-entropy + distill T^2 (cross-entropy with the teacher's softmax, both
 * sides at temperature T) (Hinton et al. 2015). */
void mn_trainer_teach(mn_trainer *trainer, const float *teacher);
int64_t mn_trainer_steps_done(const mn_trainer *trainer);

/* Copies parameters by layer name, narrower layers taking the leading channels (the prefix masks of
 * the supernet make these the ones that were trained). *layers: how many. */
mn_status mn_trainer_inherit(mn_trainer *trainer, int32_t *layers, const mn_trainer *from,
                             mn_error *error) MN_MUST_CHECK;

/* Folds batch norm, fixes ranges, freezes (QAT's own scales, clamped and tied as the int8 ops are). The graph lives
 * in arena. Errors: MN_ERR_ARGUMENT before fake quantization has started. */
mn_status mn_trainer_freeze(const mn_graph **frozen, mn_arena *arena, const mn_trainer *trainer,
                            mn_error *error) MN_MUST_CHECK;

/* Whole state, so that a resumed run ends with the same bytes as an unbroken one. `identity` is a
 * hash of what the run is (a supernet: the .net text; a checkpoint: that, options, seed, data and number of ranks): loading
 * under another, or with another arithmetic, is refused with both named. */
mn_status mn_trainer_save(const mn_trainer *trainer, const char *path, uint64_t identity,
                          mn_error *error) MN_MUST_CHECK;
mn_status mn_trainer_load(mn_trainer *trainer, const char *path, uint64_t identity,
                          mn_error *error) MN_MUST_CHECK;
/* Only the layers whose names agree, from any checkpoint (train --init, search's supernet.ckpt). */
mn_status mn_trainer_load_layers(mn_trainer *trainer, int32_t *layers, const char *path,
                                 mn_error *error) MN_MUST_CHECK;

/* Registers a block of the caller's memory that is saved and loaded with every checkpoint under `name`
 * (search's architecture parameters and counters). `data` must outlive the trainer; at most 8 blocks.
 * A load restores a block only where name and size agree, and fails otherwise. */
void mn_trainer_attach(mn_trainer *trainer, const char *name, void *data, size_t bytes);
/* Reads one such block from a file without a trainer (identity as in mn_trainer_load). */
mn_status mn_checkpoint_attachment(const char *path, uint64_t identity, const char *name,
                                   void *data, size_t bytes, mn_error *error) MN_MUST_CHECK;
/* Replaces the batch-norm statistics by those of up to `batches` batches of the feed's epoch 0 (average
 * of batch statistics); weights stay. For networks with inherited weights. */
mn_status mn_trainer_calibrate(mn_trainer *trainer, mn_feed *feed, int32_t batches,
                               mn_error *error) MN_MUST_CHECK;

/* ---- The stage: epochs over a feed, with evaluation, checkpoints and resume ------------------*/
typedef mn_status mn_teach(void *context, const float **scores, const mn_batch *batch,
                           mn_error *error); /* as mn_trainer_teach takes them */
typedef struct mn_fit_config {
  int32_t epochs;
  double average;    /* decay of a running average of all parameters, which is what is judged and left; 0 none */
  bool keep_best;    /* leave the epoch that validation liked best, among those in 8 bits */
  int32_t patience;  /* epochs without a better one after which to stop; 0: never */
  mn_teach *teach;   /* NULL: no teacher */
  void *teacher;
  const char *checkpoint; /* path; NULL none */
  bool resume;
  uint64_t identity;
  const mn_monitor *monitor;
} mn_fit_config;
typedef struct mn_fit_result {
  int32_t epochs, best_epoch; /* best_epoch: that of the parameters left */
  double loss, train_accuracy, val_accuracy;
  double samples_per_second;
} mn_fit_result;
/* From the step where the trainer stands (or its checkpoint, with resume) to the end of the last epoch. `val` may be
 * NULL: nothing is judged then. Errors: MN_ERR_DIVERGED; MN_ERR_INTERRUPTED once the checkpoint is written, the
 * result is of the epochs so far then; those of feeds, teacher and files. */
mn_status mn_fit(mn_trainer *trainer, mn_fit_result *result, mn_feed *train, mn_feed *val,
                 const mn_fit_config *config, mn_error *error) MN_MUST_CHECK;
/* Share of the feed's labelled items whose highest score is their label's, 0 to 1; 0 where there are none.
 * Under mpirun over the items of all ranks. */
mn_status mn_trainer_accuracy(mn_trainer *trainer, double *accuracy, mn_feed *feed,
                              mn_error *error) MN_MUST_CHECK;
/* The same of the unrounded network, whether or not fake quantization has started. */
mn_status mn_trainer_accuracy_float(mn_trainer *trainer, double *accuracy, mn_feed *feed,
                                    mn_error *error) MN_MUST_CHECK;
/* Whether the monitor of any rank asks to stop: all ranks leave after the same step. */
bool mn_trainer_stops(const mn_trainer *trainer, const mn_monitor *monitor);

#endif
