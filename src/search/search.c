/* search.c - the search itself: weights and architecture parameters in turn, temperature annealed,
 * hinges on the budget; then weights alone, in single networks of the space; then candidates, judged with
 * inherited weights on the validation split.
 * Choices that the paper leaves open are listed in docs/search.md.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/run.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_STEPS = 700, LEAST_EPOCHS = 12, MOST_EPOCHS = 150 };
static const double default_temperature_start = 5, default_temperature_end = 0.6,
                    default_rate = 0.05;

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
}

/* ---- Setting up ----------------------------------------------------------------------------*/

static mn_status open_feeds(search_run *run, mn_error *error) {
  mn_feed_config config = mn_feed_defaults(run->dataset);
  mn_feed_config clean = {.batch = SEARCH_BATCH};
  config.batch = SEARCH_BATCH;
  config.seed = run->config->seed;
  const mn_frontend *frontend = &run->frontend;
  const int32_t parts = run->config->joint ? 1 : 2;
  MN_TRY(mn_feed_open(&run->weights_feed, run->dataset, MN_SPLIT_TRAIN, 0, parts, frontend, &config,
                      error));
  MN_TRY(mn_feed_open(&run->architecture_feed, run->dataset, MN_SPLIT_TRAIN, parts - 1, parts,
                      frontend, &config, error));
  MN_TRY(mn_feed_open(&run->val_feed, run->dataset, MN_SPLIT_VAL, 0, 1, frontend, &clean, error));
  MN_TRY(mn_feed_expect(run->weights_feed, "to train weights on (split train)", error));
  MN_TRY(mn_feed_expect(run->architecture_feed,
                        "to train the architecture on (split train, second half)", error));
  return mn_feed_expect(run->val_feed, "to validate with (split val)", error);
}

/* As many epochs as give DEFAULT_STEPS weight steps, within bounds; a known supernet needs none. */
static int32_t choose_epochs(const search_run *run) {
  if (run->config->supernet_in != NULL) return 0;
  int32_t batches = mn_feed_batches(run->weights_feed);
  int32_t epochs = (DEFAULT_STEPS + batches - 1) / (batches > 0 ? batches : 1);
  return epochs < LEAST_EPOCHS ? LEAST_EPOCHS : epochs > MOST_EPOCHS ? MOST_EPOCHS : epochs;
}

static void fill_defaults(search_run *run) {
  const mn_search_config *config = run->config;
  run->epochs = config->epochs > 0 ? config->epochs : choose_epochs(run);
  if (config->share > 0) run->epochs = (int32_t)ceil(run->epochs * config->share);
  run->warmup = config->supernet_in != NULL  ? 0
                : config->warmup_epochs >= 0 ? config->warmup_epochs
                                             : run->epochs / 5;
  run->settling = run->epochs - (config->unsettled ? 0 : run->epochs / 4);
  run->temperature_start =
      config->temperature_start > 0 ? config->temperature_start : default_temperature_start;
  run->temperature_end =
      config->temperature_end > 0 ? config->temperature_end : default_temperature_end;
  run->rate = config->architecture_rate > 0 ? config->architecture_rate : default_rate;
}

static mn_status make_trainer(search_run *run, mn_error *error) {
  mn_train_config config = mn_train_defaults();
  config.learning_rate = run->config->supernet_in != NULL ? 1e-3 : 3e-3;
  config.weight_decay = 1e-3; /* the paper, section 5.2 */
  config.dropout = 0;
  config.quantize_from = -1;
  config.batch = SEARCH_BATCH;
  /* an epoch of settling has two weight steps for each of another */
  const int32_t epochs = run->epochs > 0 ? 2 * run->epochs - run->settling : 1;
  config.steps = (int64_t)epochs * mn_feed_batches(run->weights_feed);
  config.warmup_steps = config.steps / 20;
  config.seed = run->config->seed;
  config.arithmetic = run->config->arithmetic;
  config.pool = run->config->pool;
  config.ranks = true;
  MN_TRY(mn_trainer_create(&run->trainer, run->supernet, &config, error));
  mn_trainer_attach(run->trainer, "search.classes", &run->classes, sizeof run->classes);
  mn_trainer_attach(run->trainer, "search.state", &run->state, sizeof run->state);
  mn_trainer_attach(run->trainer, "search.architecture", run->architecture.state,
                    mn_architecture_state_bytes(&run->architecture));
  mn_trainer_attach(run->trainer, "search.widest", run->widest.option,
                    (size_t)run->widest.count * sizeof(int32_t));
  mn_trainer_attach(run->trainer, "search.scheduled", run->cost.scheduled.option,
                    (size_t)run->widest.count * sizeof(int32_t));
  return MN_OK;
}

static mn_status check_stored(bool valid, const char *path, const char *what, mn_error *error) {
  if (valid) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: its %s are none of this space's; expected a checkpoint as a search "
                      "writes it",
                      path, what);
}

static mn_status read_widest(search_run *run, const char *supernet, mn_error *error) {
  MN_TRY(mn_checkpoint_attachment(supernet, mn_net_hash(run->net), "search.widest",
                                  run->widest.option, (size_t)run->widest.count * sizeof(int32_t),
                                  error));
  return check_stored(mn_pick_valid(&run->widest, run->net), supernet, "widest options", error);
}

/* The widest supernet: that of the file it comes from, or the widest options within the budget. */
static mn_status choose_widest(search_run *run, mn_error *error) {
  mn_pick_largest(&run->widest, run->net);
  if (run->config->supernet_in != NULL) MN_TRY(read_widest(run, run->config->supernet_in, error));
  const mn_graph *graph = NULL;
  const mn_gate_map *gates = NULL;
  mn_arena_mark mark = mn_arena_mark_get(run->scratch);
  mn_status status =
      mn_net_lower_supernet(&graph, &gates, run->scratch, run->net, &run->widest, error);
  if (status == MN_OK)
    status = mn_search_prune(&run->options, run->arena, run->net, gates, graph, run->config, error);
  mn_arena_release(run->scratch, mark);
  MN_TRY(status);
  for (int32_t d = 0; d < run->widest.count; d++) {
    int32_t widest = 0;
    for (int32_t k = 0; k < mn_net_decision(run->net, d)->options; k++) {
      if (k > run->widest.option[d]) run->options.allowed[d][k] = false;
      if (run->options.allowed[d][k]) widest = k;
    }
    if (run->config->supernet_in == NULL) run->widest.option[d] = widest;
  }
  return MN_OK;
}

static mn_status make_supernet(search_run *run, mn_error *error) {
  MN_TRY(mn_net_lower_supernet(&run->supernet, &run->gates, run->arena, run->net, &run->widest,
                               error));
  if (mn_architecture_create(&run->architecture, run->arena, run->net, run->supernet, run->gates,
                             &run->options) != MN_OK)
    return out_of_memory(error);
  if (mn_cost_create(&run->cost, run->arena, run->supernet, run->gates, run->net, run->config) !=
      MN_OK)
    return out_of_memory(error);
  MN_TRY(mn_cost_schedule(&run->cost, &run->widest, run->scratch, run->config, error));
  for (int m = 0; m < METRIC_COUNT; m++) run->state.lambda[m] = 1;
  return MN_OK;
}

/* A search goes on only as the run that it was: space, data, budget and all that steers it. */
static mn_status identify(search_run *run, mn_error *error) {
  const mn_search_config *c = run->config;
  const mn_budget *budget = &c->budget;
  const double numbers[] = {run->epochs,
                            run->warmup,
                            run->rate,
                            run->temperature_start,
                            run->temperature_end,
                            c->linear_penalty,
                            c->unsettled,
                            c->joint,
                            c->paper_price,
                            c->runtime,
                            (double)budget->flash,
                            (double)budget->sram,
                            (double)budget->ops,
                            budget->ms,
                            budget->mj,
                            (double)c->seed,
                            mn_ranks_count()};
  const char *target = c->target != NULL ? c->target->name : "";
  const uint64_t data = mn_dataset_hash(run->dataset);
  uint64_t sum = mn_hash64(mn_net_hash(run->net), numbers, sizeof numbers);
  sum = mn_hash64(sum, target, strlen(target));
  sum = mn_hash64(sum, &data, sizeof data);
  if (c->supernet_in != NULL) MN_TRY(mn_file_hash(&sum, c->supernet_in, error));
  run->identity = sum;
  return MN_OK;
}

static mn_status resume(search_run *run, const char *path, mn_error *error) {
  MN_TRY(mn_trainer_load(run->trainer, path, run->identity, error));
  const mn_pick *scheduled = &run->cost.scheduled;
  MN_TRY(check_stored(mn_pick_valid(&run->widest, run->net) && mn_pick_valid(scheduled, run->net),
                      path, "options", error));
  MN_TRY(check_stored(run->state.epoch >= 0 && run->state.index >= 0 && run->state.steps >= 0, path,
                      "counters", error));
  memcpy(run->cost.offset, run->state.offset, sizeof run->cost.offset);
  run->cost.ms_per_op = run->state.ms_per_op;
  run->cost.mj_per_op = run->state.mj_per_op;
  return mn_cost_schedule(&run->cost, scheduled, run->scratch, run->config, error);
}

static uint64_t hash_classes(const mn_dataset *dataset) {
  uint64_t sum = 0;
  for (int32_t c = 0; c < mn_dataset_classes(dataset); c++) {
    const char *name = mn_dataset_class(dataset, c);
    sum = mn_hash64(sum, name, strlen(name) + 1);
  }
  return sum;
}

/* The outputs of a stored supernet mean the classes that it was trained on; further epochs teach others. */
static mn_status check_classes(const search_run *run, const char *supernet, mn_error *error) {
  uint64_t stored = 0;
  MN_TRY(mn_checkpoint_attachment(supernet, mn_net_hash(run->net), "search.classes", &stored,
                                  sizeof stored, error));
  if (stored == run->classes || run->epochs > 0) return MN_OK;
  return mn_error_set(
      error, MN_ERR_FORMAT,
      "%s: was trained on other classes, or in another order; expected those of the "
      "data, or --epochs to train on",
      supernet);
}

static mn_status load(search_run *run, mn_error *error) {
  const mn_search_config *config = run->config;
  if (config->resume && config->checkpoint != NULL && mn_file_exists(config->checkpoint))
    return resume(run, config->checkpoint, error);
  int32_t layers = 0;
  if (config->supernet_in == NULL) return MN_OK;
  MN_TRY(check_classes(run, config->supernet_in, error));
  MN_TRY(mn_trainer_load_layers(run->trainer, &layers, config->supernet_in, error));
  if (run->epochs > 0) return MN_OK; /* what it liked within its own budget is found anew */
  return mn_checkpoint_attachment(config->supernet_in, mn_net_hash(run->net), "search.architecture",
                                  run->architecture.state,
                                  mn_architecture_state_bytes(&run->architecture), error);
}

static mn_status set_up(search_run *run, mn_error *error) {
  if (mn_pick_create(&run->widest, run->arena, run->net) != MN_OK) return out_of_memory(error);
  if (mn_pick_create(&run->best, run->arena, run->net) != MN_OK) return out_of_memory(error);
  if (mn_pick_create(&run->drawn, run->arena, run->net) != MN_OK) return out_of_memory(error);
  MN_TRY(mn_net_frontend(&run->frontend, run->net, &run->best, error));
  run->classes = hash_classes(run->dataset);
  MN_TRY(choose_widest(run, error));
  /* Features are made by the first rank; the others find them in the cache. */
  if (mn_ranks_me() > 0) mn_ranks_wait();
  MN_TRY(open_feeds(run, error));
  if (mn_ranks_me() == 0) mn_ranks_wait();
  fill_defaults(run);
  MN_TRY(identify(run, error));
  MN_TRY(make_supernet(run, error));
  MN_TRY(make_trainer(run, error));
  return load(run, error);
}

/* ---- One step of each kind -------------------------------------------------------------------*/

static double temperature_at(const search_run *run, int32_t epoch) {
  const bool falls = epoch < run->settling && run->settling > 1;
  const double done = falls ? (double)epoch / (run->settling - 1) : 1;
  return run->temperature_start * pow(run->temperature_end / run->temperature_start, done);
}

/* Noise is a function of (seed, step, kind) alone, so that resume needs no stored generator. */
static mn_rng noise_of(const search_run *run, int32_t epoch, int32_t index, int32_t kind) {
  return mn_rng_stream(run->config->seed + 0x5ea4c4u, (uint64_t)epoch * 2 + (uint64_t)kind,
                       (uint64_t)index);
}

/* A network by the probabilities; every other one narrowed to a share of its options, for cheaper networks of
 * the front and smaller budgets are cut out of the same weights. */
static void draw_network(search_run *run, mn_rng *rng) {
  mn_pick *pick = &run->drawn;
  mn_architecture_probability(&run->architecture);
  mn_architecture_draw(&run->architecture, pick, rng);
  const bool narrowed = mn_rng_uniform(rng) < 0.5;
  const double share = mn_rng_uniform(rng);
  for (int32_t d = 0; narrowed && d < pick->count; d++) {
    int32_t k = (int32_t)(share * pick->option[d] + 0.5);
    while (k > 0 && !run->options.allowed[d][k]) k--;
    pick->option[d] = k;
  }
}

/* In a mixture; once settling has begun in one network of the space, all its gates open or closed: what
 * candidates will inherit. */
static mn_status weight_step(search_run *run, mn_feed *feed, int32_t kind, mn_error *error) {
  const int32_t epoch = run->state.epoch, index = run->state.index, batches = mn_feed_batches(feed);
  mn_batch batch;
  mn_rng rng = noise_of(run, epoch, index, kind);
  if (batches == 0) return MN_OK;
  MN_TRY(mn_trainer_batch(run->trainer, feed, &batch, epoch, index % batches, error));
  if (epoch < run->settling) {
    mn_architecture_sample(&run->architecture, &rng, temperature_at(run, epoch));
  } else {
    draw_network(run, &rng);
    mn_architecture_fix(&run->architecture, &run->drawn);
  }
  mn_gates gates = mn_architecture_gates(&run->architecture);
  return mn_trainer_step(run->trainer, &run->loss, &batch, &gates, true, error);
}

/* d penalty / d cost for each metric: lambda * max(0, log(cost / limit)), or the plain term. */
static void penalty_weights(const search_run *run, double weight[METRIC_COUNT],
                            const double value[METRIC_COUNT]) {
  const double plain = run->config->linear_penalty;
  for (int m = 0; m < METRIC_COUNT; m++) {
    double limit = mn_budget_limit(&run->config->budget, m);
    weight[m] = 0;
    if (limit > 0 && plain > 0) weight[m] = plain / limit;
    if (limit > 0 && plain <= 0 && value[m] > limit) weight[m] = run->state.lambda[m] / value[m];
  }
}

static mn_status cost_gradient(search_run *run, mn_error *error) {
  mn_architecture *a = &run->architecture;
  double weight[METRIC_COUNT];
  const double *const *p = (const double *const *)a->probability;
  mn_architecture_probability(a);
  if (mn_cost_forward(&run->cost, run->value, p) != MN_OK) return out_of_memory(error);
  penalty_weights(run, weight, run->value);
  memset(run->dprobability[0], 0, (size_t)a->values * sizeof(double));
  mn_cost_backward(&run->cost, run->dprobability, weight, p);
  return MN_OK;
}

static mn_status architecture_step(search_run *run, int32_t epoch, int32_t index, mn_error *error) {
  mn_batch batch;
  double loss = 0, temperature = temperature_at(run, epoch);
  mn_rng rng = noise_of(run, epoch, index, 1);
  int32_t batches = mn_feed_batches(run->architecture_feed);
  if (batches == 0) return MN_OK;
  MN_TRY(mn_trainer_batch(run->trainer, run->architecture_feed, &batch, epoch, index % batches,
                          error));
  mn_architecture_sample(&run->architecture, &rng, temperature);
  mn_gates gates = mn_architecture_gates(&run->architecture);
  MN_TRY(mn_trainer_step(run->trainer, &loss, &batch, &gates, false, error));
  MN_TRY(cost_gradient(run, error));
  mn_architecture_update(&run->architecture, run->dprobability, temperature, run->rate,
                         ++run->state.steps);
  return MN_OK;
}

/* ---- Epochs ----------------------------------------------------------------------------------*/

/* Dual ascent: a limit that stays violated weighs more next time. */
static mn_status end_epoch(search_run *run, mn_error *error) {
  mn_architecture_argmax(&run->architecture, &run->best);
  MN_TRY(mn_cost_calibrate(&run->cost, &run->best, run->scratch, run->config, error));
  memcpy(run->state.offset, run->cost.offset, sizeof run->state.offset);
  run->state.ms_per_op = run->cost.ms_per_op;
  run->state.mj_per_op = run->cost.mj_per_op;
  for (int m = 0; m < METRIC_COUNT; m++) {
    double limit = mn_budget_limit(&run->config->budget, m);
    if (limit > 0 && run->value[m] > limit && run->state.epoch >= run->warmup)
      run->state.lambda[m] += 0.5 * log(run->value[m] / limit);
  }
  run->state.epoch++;
  run->state.index = 0;
  return MN_OK;
}

static void tell(const search_run *run) {
  int64_t batches = mn_feed_batches(run->weights_feed);
  mn_progress progress = {.stage = "search",
                          .step = run->state.epoch * batches + run->state.index,
                          .total = (int64_t)run->epochs * batches,
                          .name = {"loss", "ops", "sram", "temperature"},
                          .value = {run->loss, run->value[METRIC_OPS], run->value[METRIC_SRAM],
                                    temperature_at(run, run->state.epoch)}};
  mn_monitor_progress(run->config->monitor, &progress);
}

static mn_status save_checkpoint(const search_run *run, mn_error *error) {
  const char *path = run->config->checkpoint;
  return path == NULL ? MN_OK : mn_trainer_save(run->trainer, path, run->identity, error);
}

/* For any budget and data of the same classes: the space alone is its identity. */
static mn_status save_supernet(const search_run *run, mn_error *error) {
  const char *path = run->config->supernet_out;
  return path == NULL ? MN_OK : mn_trainer_save(run->trainer, path, mn_net_hash(run->net), error);
}

static mn_status stop_here(const search_run *run, mn_error *error) {
  MN_TRY(save_checkpoint(run, error));
  return mn_error_set(error, MN_ERR_INTERRUPTED, "search: interrupted in epoch %d of %d",
                      run->state.epoch + 1, run->epochs);
}

/* A step of each kind that the epoch has: once settling begins, both halves of the data train weights. */
static mn_status one_step(search_run *run, int32_t epoch, int32_t index, mn_error *error) {
  MN_TRY(weight_step(run, run->weights_feed, 0, error));
  if (epoch >= run->settling) return weight_step(run, run->architecture_feed, 1, error);
  return epoch >= run->warmup ? architecture_step(run, epoch, index, error) : MN_OK;
}

static mn_status run_epoch(search_run *run, mn_error *error) {
  int32_t batches = mn_feed_batches(run->weights_feed);
  while (run->state.index < batches) {
    if (mn_trainer_stops(run->trainer, run->config->monitor)) return stop_here(run, error);
    MN_TRY(one_step(run, run->state.epoch, run->state.index, error));
    run->state.index++;
    tell(run);
  }
  MN_TRY(end_epoch(run, error));
  return save_checkpoint(run, error);
}

static mn_status train_supernet(search_run *run, mn_error *error) {
  MN_TRY(cost_gradient(run, error));
  if (run->state.epoch == 0 && run->state.index == 0) {
    mn_architecture_argmax(&run->architecture, &run->best);
    MN_TRY(mn_cost_calibrate(&run->cost, &run->best, run->scratch, run->config, error));
  }
  while (run->state.epoch < run->epochs) MN_TRY(run_epoch(run, error));
  return save_supernet(run, error);
}

static mn_status search_all(search_run *run, mn_search_result *result, mn_error *error) {
  MN_TRY(set_up(run, error));
  run->dprobability =
      mn_arena_array(run->arena, (size_t)run->architecture.decisions, sizeof *run->dprobability);
  double *flat = mn_arena_array(run->arena, (size_t)run->architecture.values, sizeof *flat);
  if (run->dprobability == NULL || flat == NULL) return out_of_memory(error);
  for (int32_t d = 0; d < run->architecture.decisions; d++) {
    run->dprobability[d] = flat;
    flat += mn_net_decision(run->net, d)->options;
  }
  MN_TRY(train_supernet(run, error));
  mn_trainer_rest(run->trainer); /* candidates have maps of their own */
  return mn_search_choose(run, result, error);
}

mn_status mn_search(mn_search_result *result, mn_arena *arena, const mn_net *net,
                    const mn_dataset *dataset, const mn_search_config *config, mn_error *error) {
  MN_TRY(mn_search_feasible(net, config, error));
  search_run run = {.config = config, .net = net, .dataset = dataset, .arena = arena};
  if (mn_arena_create(&run.scratch) != MN_OK) return out_of_memory(error);
  mn_status status = search_all(&run, result, error);
  mn_trainer_destroy(run.trainer);
  mn_feed_close(run.weights_feed);
  mn_feed_close(run.architecture_feed);
  mn_feed_close(run.val_feed);
  mn_arena_destroy(run.scratch);
  return status;
}
