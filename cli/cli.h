/* cli.h - what the files of the command line share: option tables, a parsed command line, help,
 * progress and printing. Only cli/ and report/ print.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_CLI_H
#define MN_CLI_H

#include <stdio.h>

#include "micronets/run.h"

/* ---- Option tables, made from the lists of run.h ----------------------------------------------*/
typedef enum mn_option_type {
  MN_OPTION_FLAG,
  MN_OPTION_COUNT,
  MN_OPTION_INTEGER,
  MN_OPTION_REAL,
  MN_OPTION_TEXT,
  MN_OPTION_WORD,
  MN_OPTION_LIST,
  MN_OPTION_LATER, /* known by name, not built yet */
  MN_OPTION_LATERV
} mn_option_type;

typedef struct mn_option {
  mn_option_type type;
  const char *name; /* as in C: learning_rate */
  char letter;      /* 0: none */
  const char *standard, *value, *help;
  size_t offset; /* into the struct of its group */
} mn_option;

typedef struct mn_option_group {
  const mn_option *options;
  size_t count;
  size_t struct_bytes;
} mn_option_group;

enum { MN_GROUP_COMMON, MN_GROUP_DATA, MN_GROUP_OWN, MN_GROUP_COUNT };

typedef struct mn_session mn_session;
typedef struct mn_command {
  const char *name, *summary;
  const char *arguments;                 /* "MODEL.tflite INPUT..." */
  int32_t fewest, most;                  /* positional arguments */
  const char *example[4];                /* NULL ends */
  const char *detail;                    /* one paragraph */
  const char *keys;                      /* of its JSON object, besides those of every command */
  mn_option_group group[MN_GROUP_COUNT]; /* count 0: none */
  mn_status (*run)(json_t **result, mn_session *session, mn_error *error); /* NULL: not built yet */
} mn_command;

const mn_command *mn_cli_commands(size_t *count);
const mn_command *mn_cli_command(const char *name); /* NULL unknown */

/* Where a value came from. */
typedef enum mn_origin { MN_ORIGIN_DEFAULT, MN_ORIGIN_FILE, MN_ORIGIN_FLAG } mn_origin;

struct mn_session {
  mn_arena *arena;
  const mn_command *command;
  void *values[MN_GROUP_COUNT]; /* the structs of run.h */
  uint8_t *origin[MN_GROUP_COUNT];
  const char **arguments;
  int32_t argument_count;
  mn_run_context context;
};

/* ---- options.c ------------------------------------------------------------------------------*/
/* "learning_rate" -> "learning-rate", in one of a few static buffers. */
const char *mn_cli_option_text(const mn_option *option);
mn_status mn_cli_defaults(mn_session *session, mn_error *error) MN_MUST_CHECK;
/* Defaults, then the file of --config, then the flags. */
mn_status mn_cli_parse(mn_session *session, int count, char **words, mn_error *error) MN_MUST_CHECK;
/* Finds by long name ('-' and '_' alike); NULL unknown. */
const mn_option *mn_cli_find(const mn_session *session, const char *name, size_t length,
                             int *group);
/* The nearest known long name, or NULL. */
const char *mn_cli_nearest_option(const mn_session *session, const char *word);
/* Sets from text. `place` opens the message ("--epochs", "run.conf:4"). */
mn_status mn_cli_set(mn_session *session, int group, const mn_option *option, const char *text,
                     mn_origin origin, const char *place, mn_error *error) MN_MUST_CHECK;
json_t *mn_cli_config_json(const mn_session *session);

/* ---- config.c -------------------------------------------------------------------------------*/
mn_status mn_cli_config_read(mn_session *session, const char *path, mn_error *error) MN_MUST_CHECK;
mn_status mn_cli_config_print(FILE *out, const mn_session *session, mn_error *error) MN_MUST_CHECK;

/* ---- help.c ---------------------------------------------------------------------------------*/
void mn_cli_help_program(FILE *out);
void mn_cli_help_command(FILE *out, const mn_command *command);
void mn_cli_help_markdown(FILE *out);
void mn_cli_help_exit_codes(FILE *out);
void mn_cli_help_man(FILE *out);

/* ---- progress.c -----------------------------------------------------------------------------*/
/* Draws progress and messages on standard error; one per process. */
const mn_monitor *mn_cli_monitor_open(const mn_options_common *common,
                                      const volatile sig_atomic_t *stop);
void mn_cli_monitor_close(void); /* erases the line, or writes progress=end */

/* ---- table.c --------------------------------------------------------------------------------*/
/* The result for a person: aligned names and values, lists of objects as tables. */
void mn_cli_table(FILE *out, const json_t *result);

/* ---- the commands: one file each ------------------------------------------------------------*/
#define MN_CLI_COMMANDS(X) \
  X(build)                 \
  X(data)                  \
  X(space)                 \
  X(search)                \
  X(train) X(eval) X(run) X(inspect) X(compile) X(bench) X(opt) X(report) X(help) X(version)
#define X(name) mn_status mn_cli_##name(json_t **result, mn_session *session, mn_error *error);
MN_CLI_COMMANDS(X)
#undef X

#endif
