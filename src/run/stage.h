/* stage.h - what the stages of room run share: opening inputs named by options, paths in a run
 * folder, prices as JSON, the record of a run.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_STAGE_H
#define MN_RUN_STAGE_H

#include "micronets/data.h"
#include "micronets/net.h"
#include "micronets/plan.h"
#include "micronets/target.h"
#include "micronets/tflite.h"
#include "run/json.h"

mn_status mn_out_of_memory(const mn_run_context *context, mn_error *error);
/* The option that must be there: "search: found no --space; expected FILE.net". */
mn_status mn_stage_need(const mn_run_context *context, const char *value, const char *option,
                        const char *expected, mn_error *error) MN_MUST_CHECK;

/* Refuses a value of --option below `least` or above `most`. */
enum { MN_STAGE_MOST_EPOCHS = 100000 };
mn_status mn_stage_range(const char *option, int64_t value, int64_t least, int64_t most,
                         mn_error *error) MN_MUST_CHECK;

/* ---- Paths ----------------------------------------------------------------------------------*/
const char *mn_stage_path(const mn_run_context *context, const char *folder, const char *name);
/* The folder of --out (or `standard`), made if absent. */
mn_status mn_stage_folder(const char **folder, const mn_run_context *context, const char *standard,
                          mn_error *error) MN_MUST_CHECK;
bool mn_stage_has_suffix(const char *path, const char *suffix);
/* --out FILE.suffix names the file itself, its folder takes the rest; else --out is the folder and
 * the file is called `name` in it. Both results are paths. */
mn_status mn_stage_file_or_folder(const char **file, const char **folder,
                                  const mn_run_context *context, const char *suffix,
                                  const char *name, mn_error *error) MN_MUST_CHECK;

/* ---- Inputs ---------------------------------------------------------------------------------*/
/* --data or --words; taken from the context where build has it open. Release with mn_stage_close. Features are
 * kept in --cache, else in cache/ beside `earlier`, a file of an earlier run, where there is one, else in that of
 * the folder; either may be NULL. */
mn_status mn_stage_dataset(mn_dataset **dataset, const mn_run_context *context, const char *folder,
                           const char *earlier, mn_error *error) MN_MUST_CHECK;
void mn_stage_close(const mn_run_context *context, mn_dataset *dataset);
mn_status mn_stage_net(mn_net **net, const mn_run_context *context, const char *path,
                       const mn_text_list *set, mn_error *error) MN_MUST_CHECK;
/* A network's graph and front end: nothing may be left to choose. */
mn_status mn_stage_lower(const mn_graph **graph, mn_frontend *frontend, mn_arena *arena,
                         const mn_net *net, mn_error *error) MN_MUST_CHECK;
/* Sets `classes` to those of the data, where the net has that name. */
mn_status mn_stage_classes(mn_net *net, const mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* Refuses data of anomaly detection that show one machine: a classifier, the network or space at `path`, has
 * nothing to tell apart. */
mn_status mn_stage_machines(const mn_dataset *dataset, const char *path,
                            mn_error *error) MN_MUST_CHECK;
/* "metric": what networks are judged by. */
void mn_stage_put_metric(json_t *object, const mn_dataset *dataset);
/* What a .tflite trained on the data says beside its graph: search prices it, train writes it. */
mn_status mn_stage_words(mn_file_words *words, const mn_run_context *context, mn_arena *arena,
                         const mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
mn_status mn_stage_model(mn_model *model, const mn_run_context *context, const char *path,
                         mn_error *error) MN_MUST_CHECK;
/* --target; its code sizes are those of the compiler at hand from now on. */
mn_status mn_stage_target(const mn_target **target, const mn_run_context *context, const char *name,
                          mn_error *error) MN_MUST_CHECK;
/* Puts the model's path in front of a message about what is in it. */
mn_status mn_stage_blame(mn_status status, const char *path, mn_error *error);
/* Refuses --runtime tflm where a model is run: its firmware is built with TFLM. */
mn_status mn_stage_runtime(const mn_run_context *context, const char *runtime,
                           mn_error *error) MN_MUST_CHECK;
mn_runtime mn_stage_runtime_of(const char *word);

/* What the options of MN_OPTIONS_SCHEDULE ask the planner for. */
typedef struct mn_stage_asked {
  bool min_sram, small;
  int64_t max_cycles;
  const char *max_sram, *runtime;
} mn_stage_asked;
#define MN_STAGE_ASKED(options)                                                   \
  ((mn_stage_asked){(options)->min_sram, (options)->small, (options)->max_cycles, \
                    (options)->max_sram, (options)->runtime})
/* `model`: graph, front end and detector count in prices and limits. Errors: MN_ERR_USAGE where two options
 * exclude each other. */
mn_status mn_stage_plan_options(mn_plan_options *options, const mn_stage_asked *asked,
                                const mn_model *model, mn_arena *arena,
                                mn_error *error) MN_MUST_CHECK;
/* The detector that a model is judged by and compiled with; NULL: none. */
mn_status mn_stage_detector(const mn_detector **detector, mn_arena *arena, const mn_model *model,
                            mn_error *error) MN_MUST_CHECK;
/* "schedule_rule": by what the schedule was chosen, in words. */
void mn_stage_put_rule(json_t *object, const mn_plan_options *options);
/* "schedule" and "bounds" of a plan. */
void mn_stage_put_schedule(json_t *object, const mn_plan *plan);

/* ---- Prices as JSON --------------------------------------------------------------------------*/
void mn_stage_put_memory(json_t *object, const mn_price *price); /* "sram", "flash" */
/* A file is in flash as it is, whoever wrote it. */
void mn_stage_use_file(mn_price *price, int64_t bytes);
/* "map": what lies where, as in the paper's figure 2, for the runtime of the price; what is left of a
 * target's memories is "free". Keys that end in _modelled come from tables of other programs. */
void mn_stage_put_map(json_t *object, const mn_price *price, const mn_graph *graph,
                      const mn_target *target);
void mn_stage_put_tflm(json_t *object, const mn_price *price, const mn_graph *graph);
/* "stride_ms" between two inputs of a stream and the share of it that an inference takes. */
void mn_stage_put_duty(json_t *object, const mn_frontend *frontend, double ms_modelled);
void mn_stage_put_speed(json_t *object, const mn_price *price); /* cycles_modelled, ms_, mj_ */
/* error_percent and error_basis of modelled cycles, null where they or the error are unknown; what the
 * power behind millijoules rests on; and verified_on_board: whether a board ran what was modelled. Nothing of our own runtime was yet. */
void mn_stage_put_error(json_t *object, const mn_target *target, mn_runtime runtime, bool known);

/* ---- The record of a run ---------------------------------------------------------------------*/
/* Writes run.json into the folder: versions (of the synthesisers too, where `dataset`, which may be
 * NULL, was spoken), seed, command line, configuration, hashes of the input
 * files, peak memory, seconds; `state` ("running", "done", "interrupted"), `extra` may be NULL. */
mn_status mn_stage_record(const mn_run_context *context, const char *folder, const char *state,
                          const mn_dataset *dataset, json_t *inputs, const json_t *extra,
                          mn_error *error) MN_MUST_CHECK;
/* The end of a run that is recorded as running: "done", which a missed budget is too, or "interrupted"; what failed
 * stays as it is. Gives `status`, or what kept the record from being written. */
mn_status mn_stage_record_end(mn_status status, const mn_run_context *context, const char *folder,
                              const mn_dataset *dataset, json_t *inputs,
                              mn_error *error) MN_MUST_CHECK;
/* [{file, bytes, hash}] of readable files among the paths; NULL entries are skipped. */
json_t *mn_stage_inputs(const char *const *paths, size_t count);

#endif
