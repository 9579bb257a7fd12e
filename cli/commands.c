/* commands.c - the table of commands: words, help and option groups. The options themselves stand in
 * micronets/run.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

#define ROW(type, name, letter, standard, value, help) \
  {MN_OPTION_##type, #name, letter, standard, value, help, offsetof(MN_ROW_STRUCT, name)},

#define MN_ROW_STRUCT mn_options_common
static const mn_option common_options[] = {MN_OPTIONS_COMMON(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_data
static const mn_option data_options[] = {MN_OPTIONS_DATA(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_download
static const mn_option download_options[] = {MN_OPTIONS_DOWNLOAD(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_space
static const mn_option space_options[] = {MN_OPTIONS_SPACE(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_search
static const mn_option search_options[] = {MN_OPTIONS_SEARCH(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_train
static const mn_option train_options[] = {MN_OPTIONS_TRAIN(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_eval
static const mn_option eval_options[] = {MN_OPTIONS_EVAL(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_run
static const mn_option run_options[] = {MN_OPTIONS_RUN(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_inspect
static const mn_option inspect_options[] = {MN_OPTIONS_INSPECT(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_compile
static const mn_option compile_options[] = {MN_OPTIONS_COMPILE(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_bench
static const mn_option bench_options[] = {MN_OPTIONS_BENCH(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_opt
static const mn_option opt_options[] = {MN_OPTIONS_OPT(ROW)};
#undef MN_ROW_STRUCT
#define MN_ROW_STRUCT mn_options_build
static const mn_option build_options[] = {MN_OPTIONS_BUILD(ROW)};
#undef MN_ROW_STRUCT

#define MN_ROW_STRUCT mn_options_help
static const mn_option help_options[] = {MN_OPTIONS_HELP(ROW)};
#undef MN_ROW_STRUCT

/* clang-format off */
#define COMMON {common_options, MN_COUNT(common_options), sizeof(mn_options_common)}
#define DATA {data_options, MN_COUNT(data_options), sizeof(mn_options_data)}
#define OWN(name) {name##_options, MN_COUNT(name##_options), sizeof(mn_options_##name)}
#define NONE {NULL, 0, 0}

static const mn_command commands[] = {
    {"build", "examples or words in, proven firmware out: the whole walk", "", 0, 0,
     {"micronets build --words yes,no,stop --target nucleo-f446re --budget sram=32K --out spotter",
      "micronets build --data speech.tar --target nrf52840dk --budget flash=100K,sram=64K"},
     "Audits or speaks the data, searches a network under the budget, trains it for 8 bits, compiles it "
     "to C, checks every tensor on an emulated core and writes a report. Stopped half-way, the same "
     "command with --resume goes on.",
     "data, search, train, compile, bench (each as its own command prints it; null where it "
     "does not apply), runtime, trained_on, summary, report, out",
     {COMMON, DATA, OWN(build)}, mn_cli_build},
    {"data", "audit a data set: classes, splits, leaks, problems; or download one", "[D]", 0, 1,
     {"micronets data speech.tar", "micronets data --words yes,no,stop --out spoken",
      "micronets data --download speech_commands_v2 --out sets"},
     "Reads every item once. Nothing that is wrong with a file stops it: problems are counted and named. "
     "A download goes on where it stopped, and its sum is checked before the file has its name.",
     "task, classes[], splits.{train,val,test}.{items,per_class{}}, sample_rate, image_size, trained_on, "
     "hash, problems[] {file,kind,text}, leaks[]; with --download instead dataset, text, files[] "
     "{file,bytes,sum,sum_published,state}",
     {COMMON, DATA, OWN(download)}, mn_cli_data},
    {"space", "count a search space, price its smallest and largest networks", "FILE.net", 1, 1,
     {"micronets space spaces/kws.net --target nucleo-f446re"},
     NULL, "decisions, networks_log10, smallest and largest {ops,params, with --target also "
     "flash,sram: the extreme of each metric}, list[] {name,kind,options[]}",
     {COMMON, NONE, OWN(space)}, mn_cli_space},
    {"search", "find a network that fits the budget", "", 0, 0,
     {"micronets search --data speech.tar --space spaces/kws.net --target nucleo-f446re --budget ops=5.3M",
      "micronets search --data speech.tar --space spaces/kws.net --target rp2040 --budget ops=20M "
      "--supernet supernet.ckpt"},
     "Trains a supernet and its choices by gradient descent. Leaves arch.net, pareto.json, search.json and "
     "supernet.ckpt in the folder of --out.",
     "metric, best {net,ops,params,flash,sram,ms_modelled,mj_modelled,schedule_rule,val,text}, pareto[] of "
     "the same, with --front-epochs also model, float.{val,test}, int8.{val,test}; budget_met, epochs, "
     "arithmetic, inputs[] {input,ops,sram,val,budget_met}, supernet; without a network within the budget best null "
     "and reason",
     {COMMON, DATA, OWN(search)}, mn_cli_search},
    {"train", "train a network for 8 bits, write a .tflite", "", 0, 0,
     {"micronets train --data speech.tar --net arch.net --out trained"},
     "Leaves model.tflite, train.json and train.ckpt in the folder of --out (or writes the file itself "
     "where PATH ends in .tflite). With --seeds seed-N.tflite and seed-N.ckpt instead of train.ckpt: model.tflite and "
     "the figures are those of the seed that is best on validation.",
     "model, trained_on, metric, float.{val,test}, int8.{val,test}, epochs, best_epoch, arithmetic, "
     "samples_per_second, loss, ops, params, calibration {threshold,recall_val,...}; with "
     "--init inherited_layers; with --seeds mean and sd of int8.test, runs[]",
     {COMMON, DATA, OWN(train)}, mn_cli_train},
    {"eval", "what a model is worth on a data set", "MODEL.tflite", 1, 1,
     {"micronets eval model.tflite --data speech.tar --split test",
      "micronets eval model.tflite --raw inputs --labels labels.csv"},
     NULL, "split, items, left_out, taken_as_unknown, accuracy, threshold, recall, false_accepts, "
     "trained_on, classes[], per_class{}, confusion[][]; of anomaly detection metric, anomalous, windows, "
     "unknown_identity, score, auc, auc_per_id{}, auc_mean, auc_mismatch, auc_by_score{}, and with --recalibrate "
     "recalibrated, recalibrated_states",
     {COMMON, DATA, OWN(eval)}, mn_cli_eval},
    {"run", "what a model says of a clip, a photo or a stored tensor", "MODEL.tflite INPUT...", 2, INT32_MAX,
     {"micronets run model.tflite yes.wav", "micronets run model.tflite --raw in00.bin --dump tensors.bin"},
     NULL, "input, class, index, probability, accepted, scores[], trained_on; with several inputs "
     "inputs[] of the same; of anomaly detection score_kind, score, threshold, anomaly, windows",
     {COMMON, NONE, OWN(run)}, mn_cli_run},
    {"inspect", "layers, memory, flash and modelled speed of a model or network", "MODEL", 1, 1,
     {"micronets inspect model.tflite --target nucleo-f446re", "micronets inspect networks/micronet_kws_m.net"},
     NULL, "model, target, macs, ops, params, layers[] {name,kind,output[],macs,params}, front_end, sram "
     "{arena,features,data,stack,lower_bound,total}, flash {weights,constants,code,total}, "
     "tflm {arena,head,tail,model_bytes,ops[]}, map {sram{},flash{}} as the paper's figure 2; with --target schedule_rule, cycles_modelled, ms_modelled, "
     "mj_modelled, stride_ms and duty_cycle_modelled of a stream, error_percent, error_basis, power_basis, "
     "verified_on_board, and cycles_modelled of each layer; of a "
     ".tflite labels[], threshold, trained_on",
     {COMMON, NONE, OWN(inspect)}, mn_cli_inspect},
    {"compile", "a model as C that compiles alone", "MODEL.tflite", 1, 1,
     {"micronets compile model.tflite --target nucleo-f446re --name kws --out firmware"},
     NULL, "folder, name, target, files[], sram {...}, flash {...} as inspect, kernels[], schedule_rule, schedule[] "
     "{ops[] {name,kind,offset},rows_per_turn,turns,slab_bytes,lower_bound}, bounds "
     "{arena,layout,schedule,gap,cycles_modelled}; with --runtime tflm tflm {...} and map {...} as inspect",
     {COMMON, NONE, OWN(compile)}, mn_cli_compile},
    {"bench", "run the firmware on an emulated core, check every tensor", "MODEL.tflite", 1, 1,
     {"micronets bench model.tflite --target nucleo-f446re",
      "micronets bench model.tflite --target nucleo-f446re --port /dev/ttyACM0 --out board"},
     "Instructions are counted, cycles and milliseconds are modelled from them. With --port the target's "
     "real board runs the program, and its own counter measures cycles.",
     "target, core, machine, emulated, schedule_rule, stride_ms, duty_cycle_modelled, instructions, cycles_modelled, ms_modelled, mj_modelled, "
     "error_percent, error_basis, power_basis, verified_on_board, cycles_measured, ms_measured, sram "
     "{arena,features,data,stack,stack_bound,total}, flash {...}, frontend "
     "{instructions,cycles_modelled,frame_width,frame_height,state,scratch,tables}, parity "
     "{tensors,tensors_total,not_materialised[],vectors,mismatches,first_mismatch}, layers[] "
     "{name,kind,macs,instructions,cycles_modelled}",
     {COMMON, NONE, OWN(bench)}, mn_cli_bench},
    {"report", "one HTML page from a run folder", "DIR", 1, 1,
     {"micronets report spotter"}, NULL, "file",
     {COMMON, NONE, NONE}, mn_cli_report},
    {"opt", "the same model, smaller, bit for bit", "MODEL.tflite", 1, 1,
     {"micronets opt model.tflite --out smaller.tflite",
      "micronets opt model.tflite --vectors golden --out smaller.tflite"},
     "Removes channels that never change or that nothing reads, padding that the next layer does itself, "
     "ops that change nothing, and second copies of constants. Old and new run on the same inputs before the "
     "file is written: one different bit, and nothing is written (exit code 4).",
     "passes[] {name,removed}, macs_before, macs_after, params_before, params_after, ops_before, "
     "ops_after, bytes_before, bytes_after, proved_on, tensors_compared, mismatches, first_mismatch, file",
     {COMMON, NONE, OWN(opt)}, mn_cli_opt},
    {"characterize", "the layer study and the model study", "", 0, INT32_MAX,
     {NULL}, NULL, NULL, {COMMON, NONE, NONE}, NULL},
    {"help", "this text, or that of a command", "[COMMAND]", 0, 1,
     {"micronets help train"}, NULL, NULL, {COMMON, NONE, OWN(help)}, mn_cli_help},
    {"version", "version, compiler, processor", "", 0, 0,
     {"micronets version"}, NULL, "version, compiler, cpu",
     {COMMON, NONE, NONE}, mn_cli_version},
};
/* clang-format on */

const mn_command *mn_cli_commands(size_t *count) {
  *count = MN_COUNT(commands);
  return commands;
}

const mn_command *mn_cli_command(const char *name) {
  for (size_t i = 0; i < MN_COUNT(commands); i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  return NULL;
}
