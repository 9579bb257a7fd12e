/* build.c - micronets build: data, search, train, compile, bench, report, in one folder. Every stage
 * leaves its JSON as its last file and is then named in run.json: --resume goes on behind it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "micronets/emit.h"
#include "micronets/search.h"
#include "run/log.h"
#include "run/window.h"
#include "run/standard.h"

enum { STAGE_DATA, STAGE_SEARCH, STAGE_TRAIN, STAGE_COMPILE, STAGE_BENCH, STAGE_COUNT };
static const char *const stage_names[STAGE_COUNT] = {"data", "search", "train", "compile", "bench"};

typedef struct build {
  const mn_run_context *context;
  const mn_options_build *options;
  const char *folder, *space, *max_sram; /* max_sram: of the schedule; NULL: no limit */
  mn_dataset *dataset;                   /* opened by the first stage that needs it */
  mn_options_common common;              /* of the stages: --out is our folder */
  json_t *result[STAGE_COUNT];           /* NULL: not there yet */
  bool done[STAGE_COUNT];
} build;

/* ---- Options of a stage ------------------------------------------------------------------------*/
static mn_options_search search_options(const build *b) {
  mn_options_search o;
  MN_OPTIONS_SEARCH(MN_SET_STANDARD)
  o.space = b->space;
  o.target = b->options->target;
  o.budget = b->options->budget;
  o.runtime = b->options->runtime;
  o.set = b->options->set;
  o.arithmetic = b->options->arithmetic;
  o.epochs = b->options->search_epochs;
  o.resume = b->options->resume;
  return o;
}

static mn_options_train train_options(const build *b) {
  mn_options_train o;
  MN_OPTIONS_TRAIN(MN_SET_STANDARD)
  o.net = mn_stage_path(b->context, b->folder, "arch.net");
  o.init = mn_stage_path(b->context, b->folder, "supernet.ckpt");
  o.arithmetic = b->options->arithmetic;
  o.epochs = b->options->epochs;
  o.resume = b->options->resume;
  return o;
}

static mn_options_compile compile_options(const build *b) {
  mn_options_compile o;
  MN_OPTIONS_COMPILE(MN_SET_STANDARD)
  o.target = b->options->target;
  o.name = b->options->name;
  o.max_sram = b->max_sram;
  return o;
}

static mn_options_bench bench_options(const build *b) {
  mn_options_bench o;
  MN_OPTIONS_BENCH(MN_SET_STANDARD)
  o.target = b->options->target;
  o.name = b->options->name;
  o.max_sram = b->max_sram;
  return o;
}

static mn_status open_dataset(build *b, mn_error *error) {
  if (b->dataset != NULL) return MN_OK;
  return mn_stage_dataset(&b->dataset, b->context, b->folder, NULL, error);
}

/* ---- Resume ------------------------------------------------------------------------------------*/
/* Options that may differ between a run and its continuation; of arithmetic, what it came to counts. */
static bool may_differ(const char *key) {
  static const char *const keys[] = {"json",     "threads", "quiet",        "verbose",
                                     "progress", "config",  "print_config", "help",
                                     "resume",   "out",     "arithmetic"};
  for (size_t i = 0; i < MN_COUNT(keys); i++)
    if (strcmp(keys[i], key) == 0) return true;
  return false;
}

static mn_status same_options(const build *b, const json_t *before, const char *path,
                              mn_error *error) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)b->context->config, key, value) {
    const json_t *old = json_object_get(before, key);
    if (may_differ(key) || old == NULL || json_equal(old, value)) continue;
    return mn_error_set(
        error, MN_ERR_USAGE,
        "%s: that run had another --%s; expected the same command; give another --out, or leave --resume out",
        path, key);
  }
  return MN_OK;
}

static mn_status same_arithmetic(const build *b, const json_t *record, const char *path,
                                 mn_error *error) {
  const char *before = json_string_value(json_object_get(record, "arithmetic"));
  const char *now = mn_arithmetic_name(mn_arithmetic_of(b->options->arithmetic));
  if (before == NULL) before = mn_arithmetic_name(MN_ARITHMETIC_FLOAT32); /* before it was told */
  if (strcmp(before, now) == 0) return MN_OK;
  return mn_error_set(error, MN_ERR_USAGE,
                      "%s: that run was in %s, this one is in %s; give --arithmetic %s", path,
                      before, now, before);
}

static mn_status read_stage(build *b, int stage, mn_error *error) {
  const char *file = mn_arena_text(b->context->arena, "%s.json", stage_names[stage]);
  const char *path = file != NULL ? mn_stage_path(b->context, b->folder, file) : NULL;
  if (path == NULL) return mn_out_of_memory(b->context, error);
  MN_TRY(mn_run_read_json(&b->result[stage], b->context->arena, path, error));
  b->done[stage] = true;
  return MN_OK;
}

static mn_status has_changed(const char *path, const char *what, mn_error *error) {
  return mn_error_set(
      error, MN_ERR_USAGE,
      "%s: %s has changed since that run; expected the same; give another --out, or "
      "leave --resume out",
      path, what);
}

/* Whether `record` knows `file` by the bytes that it has now. */
static bool is_as_recorded(const json_t *record, const char *file) {
  json_t *now = mn_stage_inputs(&file, 1);
  const json_t *rows = json_object_get(record, "inputs"), *own = json_array_get(now, 0);
  bool same = true;
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i);
    if (json_equal(json_object_get(row, "file"), json_object_get(own, "file")))
      same = json_equal(json_object_get(row, "hash"), json_object_get(own, "hash"));
  }
  json_decref(now);
  return same;
}

/* What the stages so far were made of must still be there as it was. */
static mn_status same_inputs(build *b, const json_t *record, const char *path, mn_error *error) {
  const char *before = json_string_value(json_object_get(b->result[STAGE_DATA], "hash"));
  char now[20];
  if (before == NULL) return MN_OK;
  MN_TRY(open_dataset(b, error));
  snprintf(now, sizeof now, "%016llx", (unsigned long long)mn_dataset_hash(b->dataset));
  if (strcmp(before, now) != 0) return has_changed(path, "the data", error);
  return is_as_recorded(record, b->space) ? MN_OK : has_changed(path, b->space, error);
}

static mn_status read_progress(build *b, mn_error *error) {
  const char *path = mn_stage_path(b->context, b->folder, "run.json");
  json_t *record = NULL;
  if (path == NULL) return mn_out_of_memory(b->context, error);
  if (!b->options->resume || !mn_file_exists(path)) return MN_OK;
  MN_TRY(mn_run_read_json(&record, b->context->arena, path, error));
  mn_status status = same_options(b, json_object_get(record, "config"), path, error);
  if (status == MN_OK) status = same_arithmetic(b, record, path, error);
  const json_t *stages = json_object_get(record, "stages");
  for (int s = 0; s < STAGE_COUNT && s < (int)json_array_size(stages) && status == MN_OK; s++) {
    const char *name = json_string_value(json_array_get(stages, (size_t)s));
    if (name == NULL || strcmp(name, stage_names[s]) != 0) break;
    status = read_stage(b, s, error);
  }
  if (status == MN_OK) status = same_inputs(b, record, path, error);
  json_decref(record);
  return status;
}

static mn_status record(const build *b, const char *state, const char *summary, mn_error *error) {
  const mn_run_context *context = b->context;
  json_t *extra = mn_json_object(), *stages = mn_json_array();
  const char *inputs[] = {context->data->data, b->space};
  for (int s = 0; s < STAGE_COUNT && b->done[s]; s++)
    mn_json_push(stages, mn_json_text(stage_names[s]));
  mn_json_put(extra, "stages", stages);
  if (summary != NULL) mn_json_put_text(extra, "summary", summary);
  mn_status status = mn_stage_record(context, b->folder, state, b->dataset,
                                     mn_stage_inputs(inputs, MN_COUNT(inputs)), extra, error);
  json_decref(extra);
  return status;
}

/* ---- Stages ------------------------------------------------------------------------------------*/
/* The budget's schedule of the trained model: proofs about its weights may have failed that the search
 * took for granted. Where none fits, that of least SRAM, for check_budget to tell of. */
static mn_status choose_schedule(build *b, const char *path, mn_error *error) {
  mn_run_context context = *b->context;
  mn_plan_options options = {0};
  mn_price price = {0};
  mn_budget budget;
  mn_model model;
  const mn_target *target;
  MN_TRY(mn_budget_parse(&budget, b->options->budget, error));
  MN_TRY(mn_stage_target(&target, &context, b->options->target, error));
  MN_TRY(mn_stage_model(&model, &context, path, error));
  MN_TRY(mn_stage_detector(&options.detector, context.arena, &model, error));
  MN_TRY(mn_budget_price(&price, &options, context.arena, model.graph, &model.frontend, target,
                         MN_RUNTIME_MICRONETS, &budget, error));
  if (options.max_sram == 0) return MN_OK;
  int64_t most = price.sram.total > budget.sram ? price.sram.total : budget.sram;
  b->max_sram = mn_arena_text(context.arena, "%lld", (long long)most);
  return b->max_sram != NULL ? MN_OK : mn_out_of_memory(&context, error);
}

static mn_status run_stage(build *b, int stage, mn_error *error) {
  mn_run_context context = *b->context;
  context.command = stage_names[stage];
  context.common = &b->common;
  context.began = mn_seconds();
  if (stage <= STAGE_TRAIN) MN_TRY(open_dataset(b, error));
  context.dataset = b->dataset;
  const char *model = mn_stage_path(&context, b->folder, "model.tflite");
  if (model == NULL) return mn_out_of_memory(&context, error);
  context.arguments = &model;
  context.argument_count = 1;
  mn_options_common common = b->common;
  if (stage >= STAGE_COMPILE)
    common.out = mn_stage_path(&context, b->folder, stage == STAGE_COMPILE ? "firmware" : "bench");
  context.common = &common;
  if (stage >= STAGE_COMPILE) MN_TRY(choose_schedule(b, model, error));
  mn_options_search search = search_options(b);
  mn_options_train train = train_options(b);
  mn_options_compile compile = compile_options(b);
  mn_options_bench bench = bench_options(b);
  switch (stage) {
    case STAGE_DATA: return mn_run_data(&b->result[stage], &context, error);
    case STAGE_SEARCH: return mn_run_search(&b->result[stage], &context, &search, error);
    case STAGE_TRAIN: return mn_run_train(&b->result[stage], &context, &train, error);
    case STAGE_COMPILE: return mn_run_compile(&b->result[stage], &context, &compile, error);
    default: return mn_run_bench(&b->result[stage], &context, &bench, error);
  }
}

/* compile and bench write their JSON beside, not inside, the folder they fill. */
static mn_status keep_result(const build *b, int stage, mn_error *error) {
  if (stage < STAGE_COMPILE) return MN_OK;
  const char *path =
      mn_stage_path(b->context, b->folder, stage == STAGE_COMPILE ? "compile.json" : "bench.json");
  if (path == NULL) return mn_out_of_memory(b->context, error);
  return mn_run_write_json(path, b->result[stage], error);
}

static bool is_skipped(const build *b, int stage) {
  return stage >= STAGE_COMPILE && mn_stage_runtime_of(b->options->runtime) == MN_RUNTIME_TFLM;
}

static mn_status run_stages(build *b, mn_error *error) {
  for (int stage = 0; stage < STAGE_COUNT; stage++) {
    if (b->done[stage] || is_skipped(b, stage)) continue;
    if (mn_monitor_stopped(b->context->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "build: interrupted");
    mn_monitor_message(b->context->monitor, MN_LEVEL_NOTE, "build: %s", stage_names[stage]);
    mn_status status = run_stage(b, stage, error);
    if (b->result[stage] != NULL && status != MN_ERR_INTERRUPTED) {
      mn_error ignored;
      mn_status kept = keep_result(b, stage, status == MN_OK ? error : &ignored);
      if (status == MN_OK) status = kept;
    }
    MN_TRY(status);
    b->done[stage] = true;
    MN_TRY(record(b, "running", NULL, error));
  }
  return MN_OK;
}

/* ---- The end -----------------------------------------------------------------------------------*/
static double number_at(const json_t *object, const char *group, const char *key) {
  const json_t *value = json_object_get(json_object_get(object, group), key);
  return json_is_number(value) ? json_number_value(value) : -1;
}

static const char *number_text(mn_arena *arena, const char *format, double value) {
  return value < 0 ? "unknown" : mn_arena_text(arena, format, value);
}

/* Of a stage's object, which --resume has read from a file. */
static const char *text_at(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "unknown";
}

static const char *summary_text(const build *b) {
  const json_t *bench = b->result[STAGE_BENCH], *train = b->result[STAGE_TRAIN];
  const json_t *best = json_object_get(b->result[STAGE_SEARCH], "best");
  mn_arena *arena = b->context->arena;
  const json_t *ms = json_object_get(bench, "ms_modelled");
  const char *speed = json_is_number(ms)
                          ? mn_arena_text(arena, "%.1f ms modelled", json_number_value(ms))
                          : "speed unknown";
  const char *proof =
      bench == NULL
          ? "not compiled: --runtime tflm is priced only"
          : mn_arena_text(arena, "%lld of %lld tensors checked on the emulated %s, %lld mismatches",
                          (long long)number_at(bench, "parity", "tensors"),
                          (long long)number_at(bench, "parity", "tensors_total"),
                          text_at(bench, "core"),
                          (long long)number_at(bench, "parity", "mismatches"));
  const double flash = bench != NULL ? number_at(bench, "flash", "total")
                                     : json_number_value(json_object_get(best, "flash"));
  const double sram = bench != NULL ? number_at(bench, "sram", "total")
                                    : json_number_value(json_object_get(best, "sram"));
  return mn_arena_text(
      arena,
      "int8 %s %s (test), %.0f ops, %s bytes of flash, %s bytes of SRAM, %s on %s; %s; "
      "trained on %s",
      strcmp(text_at(train, "metric"), "auc") == 0 ? "area under the curve" : "accuracy",
      number_text(arena, "%.1f %%", 100 * number_at(train, "int8", "test")),
      json_number_value(json_object_get(best, "ops")), number_text(arena, "%.0f", flash),
      number_text(arena, "%.0f", sram), speed, b->options->target, proof,
      text_at(train, "trained_on"));
}

/* All stages; those that a run did not come to are null, and so are `page` and `summary` then. */
static mn_status put_all(json_t **result, const build *b, const json_t *page, const char *summary,
                         mn_error *error) {
  json_t *object = mn_json_open(b->context);
  for (int s = 0; s < STAGE_COUNT; s++)
    mn_json_put(object, stage_names[s],
                b->result[s] != NULL ? json_incref(b->result[s]) : json_null());
  mn_json_put_text(object, "report", json_string_value(json_object_get(page, "file")));
  mn_json_put_text(object, "out", b->folder);
  mn_json_put_text(object, "runtime", b->options->runtime);
  mn_json_put_text(object, "trained_on",
                   json_string_value(json_object_get(b->result[STAGE_TRAIN], "trained_on")));
  mn_json_put_text(object, "summary", summary);
  return mn_json_finish(result, object, b->context, true, error);
}

static mn_status finish(json_t **result, const build *b, mn_run_reporter *report, mn_error *error) {
  const char *summary = summary_text(b);
  json_t *page = NULL;
  if (summary == NULL) return mn_out_of_memory(b->context, error);
  MN_TRY(record(b, "done", summary, error));
  MN_TRY(report(&page, b->context, b->folder, error));
  mn_status status = put_all(result, b, page, summary, error);
  json_decref(page);
  return status;
}

/* Time and energy are modelled before and after: the second figure, of counted instructions, may differ by the
 * error of the cycle table, and is told. */
static void warn_of(const build *b, const char *unit, double limit, const json_t *bench) {
  char key[16];
  snprintf(key, sizeof key, "%s_modelled", unit);
  const json_t *value = json_object_get(bench, key);
  if (limit <= 0 || !json_is_number(value) || json_number_value(value) <= limit) return;
  mn_monitor_message(b->context->monitor, MN_LEVEL_WARNING,
                     "counted instructions make %.4g %s (modelled); the budget has %.4g",
                     json_number_value(value), unit, limit);
}

/* The search priced a network without weights; what was linked has the last word. */
static mn_status check_budget(const build *b, mn_error *error) {
  const json_t *bench = b->result[STAGE_BENCH];
  mn_budget budget;
  MN_TRY(mn_budget_parse(&budget, b->options->budget, error));
  if (bench == NULL) return MN_OK;
  double sram = number_at(bench, "sram", "total"), flash = number_at(bench, "flash", "total");
  warn_of(b, "ms", budget.ms, bench);
  warn_of(b, "mj", budget.mj, bench);
  bool sram_fits = budget.sram <= 0 || sram <= (double)budget.sram;
  bool flash_fits = budget.flash <= 0 || flash <= (double)budget.flash;
  if (sram_fits && flash_fits) return MN_OK;
  return mn_error_set(error, MN_ERR_BUDGET,
                      "%s/model.tflite: found %.0f bytes of %s; expected at most %lld; see "
                      "micronets compile %s, or ask for less",
                      b->folder, sram_fits ? flash : sram, sram_fits ? "flash" : "SRAM",
                      (long long)(sram_fits ? budget.flash : budget.sram),
                      sram_fits ? "--small" : "--min-sram");
}

/* What a later stage would refuse is better refused before the first one works for minutes. */
static mn_status check_limits(const build *b, mn_error *error) {
  const mn_target *target;
  mn_budget budget;
  MN_TRY(mn_stage_target(&target, b->context, b->options->target, error));
  MN_TRY(
      mn_stage_range("search-epochs", b->options->search_epochs, 0, MN_STAGE_MOST_EPOCHS, error));
  MN_TRY(mn_stage_range("epochs", b->options->epochs, 1, MN_STAGE_MOST_EPOCHS, error));
  MN_TRY(mn_emit_check_prefix(b->options->name, error));
  return mn_budget_parse(&budget, b->options->budget, error);
}

static mn_status check_space(const build *b, mn_error *error) {
  mn_net *net;
  return mn_stage_net(&net, b->context, b->space, &b->options->set, error);
}

/* The space that is shipped for the task of the data. */
static mn_status choose_space(build *b, mn_error *error) {
  static const char *const spaces[] = {[MN_TASK_AUTO] = "spaces/kws.net",
                                       [MN_TASK_KWS] = "spaces/kws.net",
                                       [MN_TASK_VWW] = "spaces/vww.net",
                                       [MN_TASK_AD] = "spaces/ad.net",
                                       [MN_TASK_IC] = "spaces/ic.net"};
  const char *name = "spaces/kws_words.net";
  if (b->context->data->words == NULL) {
    MN_TRY(open_dataset(b, error));
    name = spaces[mn_dataset_task(b->dataset)];
  }
  b->space = mn_shipped_path(b->context->arena, name);
  if (b->space != NULL && b->context->data->words != NULL) {
    MN_TRY(open_dataset(b, error));
    return mn_window_space(&b->space, b->context, b->folder, b->dataset, error);
  }
  if (b->space != NULL) return MN_OK;
  return mn_error_set(error, MN_ERR_IO,
                      "build: %s is not where this program was installed; name a --space", name);
}

static mn_status prepare(build *b, mn_error *error) {
  const mn_run_context *context = b->context;
  MN_TRY(mn_stage_need(context, b->options->target, "--target", "NAME|FILE", error));
  MN_TRY(mn_stage_need(context, b->options->budget, "--budget", "flash=100K,sram=64K,...", error));
  MN_TRY(mn_stage_folder(&b->folder, context, "build-out", error));
  b->common = *context->common;
  b->common.out = b->folder;
  b->space = b->options->space;
  MN_TRY(check_limits(b, error));
  if (b->space == NULL) MN_TRY(choose_space(b, error));
  MN_TRY(check_space(b, error));
  return read_progress(b, error);
}

mn_status mn_run_build(json_t **result, const mn_run_context *context,
                       const mn_options_build *options, mn_run_reporter *report, mn_error *error) {
  mn_run_context logged = *context;
  build b = {.context = &logged, .options = options};
  mn_run_log log = {0};
  mn_status status = prepare(&b, error);
  if (status == MN_OK) status = mn_run_log_open(&log, context, b.folder, options->resume, error);
  if (status == MN_OK) logged.monitor = &log.monitor;
  if (status == MN_OK) status = record(&b, "running", NULL, error);
  if (status == MN_OK) status = run_stages(&b, error);
  if (status == MN_OK) status = finish(result, &b, report, error);
  const bool done = status == MN_OK;
  if (status == MN_OK) status = check_budget(&b, error);
  mn_error ignored;
  const bool no = mn_status_is_no(status);
  const bool asked = no && *result == NULL && context->common->json; /* a person reads the reason */
  if (asked && put_all(result, &b, NULL, NULL, &ignored) != MN_OK)
    mn_monitor_message(context->monitor, MN_LEVEL_WARNING, "%s", ignored.text);
  const char *ended = status == MN_ERR_INTERRUPTED ? "interrupted" : no && !done ? "done" : NULL;
  if (ended != NULL && record(&b, ended, NULL, &ignored) != MN_OK)
    mn_monitor_message(context->monitor, MN_LEVEL_WARNING, "%s", ignored.text);
  mn_run_log_close(&log, status == MN_OK ? "done" : error->text);
  for (int s = 0; s < STAGE_COUNT; s++) json_decref(b.result[s]);
  mn_dataset_close(b.dataset);
  return status;
}
