/* run.h - stages in order, their results as JSON, run folders and resume. One function per command of
 * the command line; cli/ parses options into these structs and prints what comes back.
 *
 * The tables below are the only place where an option exists: they make the structs here, and in
 * cli/ the flag and config-file parsers, defaults, --help, --print-config, docs/cli.md and the man page.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_RUN_H
#define MICRONETS_RUN_H

#include <jansson.h>

#include "micronets/base.h"

/* ---- Options -----------------------------------------------------------------------------
 * X(type, name, letter, default, value, help). The option is --name with '_' as '-'.
 * FLAG bool; COUNT int64_t, may be repeated (-vv); INTEGER int64_t; REAL double; TEXT const char *,
 * NULL where the default is ""; WORD a TEXT out of the words of `value`; LIST repeatable TEXT;
 * LATER a flag, LATERV an option with a value: known by name, refused as not built yet. */
#define MN_OPTIONS_COMMON(X)                                                                       \
  X(FLAG, json, 0, "", "", "print exactly one JSON object on standard output, nothing else there") \
  X(TEXT, out, 'o', "", "PATH", "where files go; each appears whole or not at all (default: build build-out, compile firmware, search, train and " \
    "--download the working folder, bench a temporary one)") \
  X(INTEGER, seed, 0, "1", "N", "random seed: same seed, same bytes")                              \
  X(INTEGER, threads, 0, "0", "N", "worker threads; 0: all cores; never changes a result")         \
  X(FLAG, quiet, 'q', "", "", "no progress and no notes; errors only")                             \
  X(COUNT, verbose, 'v', "", "", "say what is decided; twice: everything")                         \
  X(WORD, progress, 0, "auto", "auto|always|never|lines",                                          \
    "a redrawn line, none, or key=value lines; auto: what suits the standard error stream")        \
  X(TEXT, config, 0, "", "FILE", "read options from FILE (key = value, [command] sections)")       \
  X(FLAG, print_config, 0, "", "", "print every option's value and origin, as a config file")      \
  X(FLAG, help, 'h', "", "", "this text")

#define MN_OPTIONS_DATA(X)                                                                   \
  X(TEXT, data, 0, "", "D",                                                                  \
    "data set: folder, tar or zip of sound, photos or tables; all layouts: docs/data.md")     \
  X(TEXT, words, 0, "", "W,W,...", "speak these words instead: yes,no,stop or LABEL=TEXT")   \
  X(FLAG, only_words, 0, "", "", "with --words: add neither unknown nor silence")            \
  X(TEXT, unknown_words, 0, "", "W,W,...|FILE",                                              \
    "with --words: what class unknown says, instead of words chosen by sound")               \
  X(TEXT, classes, 0, "", "A,B,...", "keywords; the rest becomes unknown; silence is added") \
  X(WORD, task, 0, "auto", "auto|kws|vww|ad|ic",                                             \
    "what the data is for, where its layout does not tell")                                  \
  X(TEXT, language, 0, "", "L", "language of spoken words, one of espeak-ng's: de, fr, ar [en]")           \
  X(TEXT, cache, 0, "", "DIR",                                                               \
    "keep spoken clips and features here; default: cache/ beside --init or --supernet, else of the run folder")

#define MN_OPTIONS_DOWNLOAD(X)                                                               \
  X(TEXT, download, 0, "", "NAME",                                                           \
    "fetch a public data set into --out (the working folder): speech_commands_v2, coco2014, " \
    "dcase2020_slider, ...; nothing is fetched unless asked for")                            \
  X(TEXT, table, 0, "", "FILE", "with --download: another table than datasets/table.txt")    \
  X(TEXT, mirror, 0, "", "URL", "with --download: the folder of a mirror that has the files")

#define MN_OPTIONS_SPACE(X)                                                             \
  X(TEXT, target, 0, "", "NAME|FILE", "board: a file of targets/ or your own")          \
  X(WORD, runtime, 0, "micronets", "micronets|tflm", "whose memory and flash is meant") \
  X(LIST, set, 0, "", "NAME=VALUE", "pin a named value or a decision; may be repeated")

/* With every command that trains. */
#define MN_OPTIONS_ARITHMETIC(X)                                                               \
  X(WORD, arithmetic, 0, "auto", "auto|float32|bf16|int16",                                    \
    "number format of the multiplications in training; auto: the fastest on this processor")

#define MN_OPTIONS_SEARCH(X)                                                                   \
  X(TEXT, space, 0, "", "FILE.net", "search space")                                            \
  X(TEXT, target, 0, "", "NAME|FILE", "board: a file of targets/ or your own")                 \
  X(TEXT, budget, 0, "", "LIMITS",                                                             \
    "flash=100K,sram=64K,ops=16M,ms=100,mj=10: any subset; K and M of bytes are 1024 and 1024^2, of ops 10^3 and 10^6") \
  X(WORD, runtime, 0, "micronets", "micronets|tflm", "whose memory, flash and speed is meant") \
  X(WORD, price, 0, "planner", "planner|paper",                                                \
    "SRAM term: our schedule's, or the paper's layerwise one")                                 \
  X(TEXT, supernet, 0, "", "FILE",                                                             \
    "answer this budget from a supernet.ckpt: as it is, or trained on for --epochs")           \
  X(LIST, set, 0, "", "NAME=VALUE", "pin a named value or a decision; may be repeated")        \
  X(INTEGER, epochs, 0, "0", "E",                                                              \
    "epochs of the supernet; 0: what suits the data set, none with --supernet")                \
  X(INTEGER, front_epochs, 0, "0", "E", "train every network of the front for E epochs; 0: none") \
  MN_OPTIONS_ARITHMETIC(X)                                                                     \
  X(FLAG, resume, 0, "", "", "go on where an interrupted run stopped")

#define MN_OPTIONS_TRAIN(X)                                                                      \
  X(TEXT, net, 0, "", "FILE.net", "network; decisions left open need --set")                     \
  X(LIST, set, 0, "", "NAME=VALUE", "pin a named value or a decision; may be repeated")          \
  X(INTEGER, bits, 0, "8", "8", "bits of weights and activations")                               \
  X(TEXT, init, 0, "", "CHECKPOINT",                                                             \
    "inherit parameters by layer name (train.ckpt, supernet.ckpt)")                              \
  X(TEXT, teacher, 0, "", "MODEL.tflite|CHECKPOINT",                                              \
    "distill from this model of the same input line; from a checkpoint in float, with --teacher-net") \
  X(TEXT, teacher_net, 0, "", "FILE.net", "the network of a --teacher that is a checkpoint")     \
  X(REAL, distill, 0, "0.5", "R", "share of the teacher in the loss")                            \
  X(REAL, temperature, 0, "4", "R", "softmax temperature at which teacher and network are compared") \
  X(INTEGER, epochs, 0, "60", "E", "passes over the training split")                             \
  X(INTEGER, seeds, 0, "1", "K", "train K times, seeds N, N+1, ...; report mean and deviation")  \
  X(INTEGER, batch, 0, "100", "B", "examples per step")                                          \
  X(REAL, learning_rate, 0, "0.003", "R", "largest step size of AdamW; cosine decay to 1e-5")    \
  X(REAL, weight_decay, 0, "0.02", "R", "decoupled weight decay")                                \
  X(INTEGER, warmup_epochs, 0, "4", "E", "epochs of linear warm-up")                             \
  X(REAL, label_smoothing, 0, "0.1", "R", "probability given to the other classes")              \
  X(REAL, dropout, 0, "0.2", "R", "before the last layer with weights")                          \
  X(REAL, quantize_from, 0, "0.6", "R", "share of the epochs after which 8-bit training begins") \
  X(WORD, score, 0, "auto", "auto|probability|reconstruction|embedding|bands",                   \
    "anomaly detection: what the model is judged by")                                            \
  X(REAL, average, 0, "0", "R", "decay of a running average of the weights (0.999); 0: none")    \
  X(WORD, keep, 0, "last", "last|best", "which epoch's weights become the model; best: by validation, in 8 bits") \
  X(INTEGER, patience, 0, "0", "E", "stop after E epochs without a better one; 0: never")        \
  X(WORD, class_weights, 0, "none", "none|balanced", "let rare classes weigh more in the loss")  \
  X(REAL, augment, 0, "1", "R",                                                                  \
    "strength of the random changes of clips and photos: 0 none, 1 as documented, up to 2")      \
  X(INTEGER, draws, 0, "8", "N", "sound: changed copies of every clip, one an epoch in turn")    \
  X(REAL, cut, 0, "0.15", "R",                                                                   \
    "spoken words: share of clips put between digital silence, as in collections of cut-out words; 0 for microphones " \
    "that are always on")                                                                          \
  X(REAL, mixup, 0, "0", "R", "mix examples: alpha of the beta distribution; 0: 0.3 for anomaly detection, else none") \
  X(REAL, cutmix, 0, "0", "R", "photos: probability of a rectangle out of another one")          \
  MN_OPTIONS_ARITHMETIC(X)                                                                       \
  X(FLAG, resume, 0, "", "", "go on where an interrupted run stopped; ends with the same bytes")

#define MN_OPTIONS_EVAL(X)                                                      \
  X(WORD, split, 0, "test", "train|val|test|all", "which part of the data set") \
  X(TEXT, recalibrate, 0, "", "FILE.tflite",                                    \
    "anomaly detection: also write the model with the means of the data's normal recordings") \
  X(TEXT, raw, 0, "", "DIR", "stored input tensors instead of a data set")      \
  X(TEXT, labels, 0, "", "FILE.csv", "with --raw: a line FILE,...,CLASS for every input") \
  X(TEXT, raw_scale, 0, "", "SCALE,ZERO",                                       \
    "with --raw: quantization of the stored inputs, int8, where it is not the model's")

#define MN_OPTIONS_RUN(X)                                                                         \
  X(FLAG, raw, 0, "", "", "inputs are the bytes of the input tensor")                             \
  X(TEXT, dump, 0, "", "FILE", "write every operator's output tensor, in order, without padding") \
  X(TEXT, output, 0, "", "FILE", "write the raw output tensor")                                   \
  X(FLAG, sequence, 0, "", "", "keep variable tensors from one input to the next")

/* How a model is scheduled on the board: with every command that plans one. */
#define MN_OPTIONS_SCHEDULE(X)                                                                    \
  X(FLAG, min_sram, 0, "", "", "least SRAM, at most 10 % above the fewest modelled cycles")       \
  X(INTEGER, max_cycles, 0, "0", "N", "least SRAM within N modelled cycles; 0: no limit")         \
  X(TEXT, max_sram, 0, "", "BYTES",                                                               \
    "fewest modelled cycles within BYTES (32K) of SRAM in all, as sram= of a budget")             \
  X(FLAG, small, 0, "", "", "least code")

#define MN_OPTIONS_INSPECT(X)                                                           \
  X(TEXT, target, 0, "", "NAME|FILE", "board: a file of targets/ or your own")          \
  X(WORD, runtime, 0, "micronets", "micronets|tflm", "whose memory and flash is meant") \
  X(LIST, set, 0, "", "NAME=VALUE", "for a .net: pin a named value or a decision")      \
  MN_OPTIONS_SCHEDULE(X)

#define MN_OPTIONS_COMPILE(X)                                                            \
  X(TEXT, target, 0, "", "NAME|FILE", "board: a file of targets/ or your own")           \
  X(TEXT, name, 0, "model", "P", "prefix of functions and constants")                    \
  X(WORD, runtime, 0, "micronets", "micronets|tflm", "what runs the model on the board") \
  MN_OPTIONS_SCHEDULE(X)

#define MN_OPTIONS_BENCH(X)                                               \
  X(TEXT, vectors, 0, "", "DIR",                                          \
    "golden vectors (inNN.bin, outNN.bin, act00.bin); default: own ones") \
  X(TEXT, port, 0, "", "DEV[:BAUD]",                                      \
    "on the target's real board, over this serial port, instead of the emulator") \
  MN_OPTIONS_COMPILE(X)

#define MN_OPTIONS_OPT(X)                                                             \
  X(TEXT, vectors, 0, "", "DIR",                                                      \
    "prove it on stored inputs too (inNN.bin), against outNN.bin where it is there") \
  X(INTEGER, inputs, 0, "32", "N", "made inputs to prove it on")

#define MN_OPTIONS_BUILD(X)                                                                    \
  X(TEXT, target, 0, "", "NAME|FILE", "board: a file of targets/ or your own")                 \
  X(TEXT, budget, 0, "", "LIMITS",                                                             \
    "flash=100K,sram=64K,ops=16M,ms=100,mj=10: any subset; K and M of bytes are 1024 and 1024^2, of ops 10^3 and 10^6") \
  X(WORD, runtime, 0, "micronets", "micronets|tflm",                                           \
    "whose memory, flash and speed is meant; with tflm nothing is compiled, the model is priced only") \
  X(TEXT, space, 0, "", "FILE.net",                                                            \
    "search space; default: of spaces/ kws_words.net for words, else kws.net, vww.net, ic.net or ad.net (sound; for " \
    "vibration give spaces/vibration.net)")                                                    \
  X(LIST, set, 0, "", "NAME=VALUE", "pin a named value or a decision; may be repeated")        \
  X(INTEGER, search_epochs, 0, "0", "E", "epochs of the supernet; 0: what suits the data set") \
  X(INTEGER, epochs, 0, "60", "E", "epochs of the final training")                             \
  MN_OPTIONS_ARITHMETIC(X)                                                                     \
  X(TEXT, name, 0, "model", "P", "prefix of functions and constants")                          \
  X(FLAG, resume, 0, "", "", "go on where the same command stopped")

#define MN_OPTIONS_HELP(X)                                                             \
  X(FLAG, markdown, 0, "", "", "the pages of all commands, as docs/cli.md holds them") \
  X(FLAG, exit_codes, 0, "", "", "the page of exit codes")                             \
  X(FLAG, man, 0, "", "", "the manual page")

typedef struct mn_text_list {
  const char **item;
  int32_t count;
} mn_text_list;

#define MN_FIELD_FLAG bool
#define MN_FIELD_COUNT int64_t
#define MN_FIELD_INTEGER int64_t
#define MN_FIELD_REAL double
#define MN_FIELD_TEXT const char *
#define MN_FIELD_WORD const char *
#define MN_FIELD_LIST mn_text_list
#define MN_FIELD_LATER bool
#define MN_FIELD_LATERV const char *
#define MN_FIELD(type, name, letter, standard, value, help) MN_FIELD_##type name;
/* clang-format off */
typedef struct mn_options_common { MN_OPTIONS_COMMON(MN_FIELD) } mn_options_common;
typedef struct mn_options_data { MN_OPTIONS_DATA(MN_FIELD) } mn_options_data;
typedef struct mn_options_download { MN_OPTIONS_DOWNLOAD(MN_FIELD) } mn_options_download;
typedef struct mn_options_space { MN_OPTIONS_SPACE(MN_FIELD) } mn_options_space;
typedef struct mn_options_search { MN_OPTIONS_SEARCH(MN_FIELD) } mn_options_search;
typedef struct mn_options_train { MN_OPTIONS_TRAIN(MN_FIELD) } mn_options_train;
typedef struct mn_options_eval { MN_OPTIONS_EVAL(MN_FIELD) } mn_options_eval;
typedef struct mn_options_run { MN_OPTIONS_RUN(MN_FIELD) } mn_options_run;
typedef struct mn_options_inspect { MN_OPTIONS_INSPECT(MN_FIELD) } mn_options_inspect;
typedef struct mn_options_compile { MN_OPTIONS_COMPILE(MN_FIELD) } mn_options_compile;
typedef struct mn_options_bench { MN_OPTIONS_BENCH(MN_FIELD) } mn_options_bench;
typedef struct mn_options_opt { MN_OPTIONS_OPT(MN_FIELD) } mn_options_opt;
typedef struct mn_options_help { MN_OPTIONS_HELP(MN_FIELD) } mn_options_help;
typedef struct mn_options_build { MN_OPTIONS_BUILD(MN_FIELD) } mn_options_build;
/* clang-format on */

/* What every command gets. */
typedef struct mn_run_context {
  mn_arena *arena; /* lives as long as the process */
  mn_pool *pool;
  const mn_monitor *monitor;
  const char *command;      /* "train" */
  const char *command_line; /* as typed */
  const json_t *config;     /* resolved options, for run.json */
  const mn_options_common *common;
  const mn_options_data *data;  /* NULL for commands without data options */
  const char *const *arguments; /* positional: model, inputs, folder */
  int32_t argument_count;
  double began;               /* mn_seconds */
  struct mn_dataset *dataset; /* open already, borrowed (stages of build); NULL: by options */
} mn_run_context;

/* ---- Commands ----------------------------------------------------------------------------
 * Each makes one new object with the keys of the command line's contract ("micronets", "command",
 * "seconds" and "seed" included). *result may be set together with MN_ERR_BUDGET or MN_ERR_PARITY:
 * the command ran and the answer is no. The caller releases it with json_decref. */
mn_status mn_run_data(json_t **result, const mn_run_context *context,
                      mn_error *error) MN_MUST_CHECK;
/* data --download: keys dataset, text, files[]. Errors: those of fetch.h. */
mn_status mn_run_download(json_t **result, const mn_run_context *context,
                          const mn_options_download *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_space(json_t **result, const mn_run_context *context,
                       const mn_options_space *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_search(json_t **result, const mn_run_context *context,
                        const mn_options_search *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_train(json_t **result, const mn_run_context *context,
                       const mn_options_train *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_eval(json_t **result, const mn_run_context *context,
                      const mn_options_eval *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_run(json_t **result, const mn_run_context *context, const mn_options_run *options,
                     mn_error *error) MN_MUST_CHECK;
mn_status mn_run_inspect(json_t **result, const mn_run_context *context,
                         const mn_options_inspect *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_compile(json_t **result, const mn_run_context *context,
                         const mn_options_compile *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_bench(json_t **result, const mn_run_context *context,
                       const mn_options_bench *options, mn_error *error) MN_MUST_CHECK;
mn_status mn_run_opt(json_t **result, const mn_run_context *context, const mn_options_opt *options,
                     mn_error *error) MN_MUST_CHECK;
/* The last stage, room report's: room run may not name it. */
typedef mn_status mn_run_reporter(json_t **result, const mn_run_context *context,
                                  const char *folder, mn_error *error);
mn_status mn_run_build(json_t **result, const mn_run_context *context,
                       const mn_options_build *options, mn_run_reporter *report,
                       mn_error *error) MN_MUST_CHECK;

/* Writes an object to a file, indented, whole or not at all. */
mn_status mn_run_write_json(const char *path, const json_t *object, mn_error *error) MN_MUST_CHECK;
/* Reads one back. Errors: MN_ERR_IO, MN_ERR_FORMAT with path and line. */
mn_status mn_run_read_json(json_t **object, mn_arena *arena, const char *path,
                           mn_error *error) MN_MUST_CHECK;
/* Numbers keep nine digits; order of insertion is kept. */
#define MN_RUN_JSON_FLAGS (JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII)

#endif
