/* main.c - finds the command, parses its options, runs it, prints its result and picks the exit code.
 * The only file that exits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t stop_requested;

/* First: finish the step and write a checkpoint. Second: leave at once. */
static void on_signal(int number) {
  (void)number;
  if (stop_requested) _exit(130);
  stop_requested = 1;
}

static void catch_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_handler = SIG_IGN; /* a closed pipe is an error of the write, told like a full disk */
  sigaction(SIGPIPE, &action, NULL);
  sigaction(SIGXFSZ, &action, NULL); /* so is a file over its limit */
}

/* Where all ranks end alike, one of them says so; an error of its own every rank tells. */
static int complain(mn_status status, const mn_error *error) {
  bool alike = status == MN_ERR_INTERRUPTED || status == MN_ERR_USAGE;
  if (alike && mn_ranks_me() > 0) return mn_status_exit_code(status);
  fprintf(stderr, "micronets: %s\n", *error->text != 0 ? error->text : mn_status_text(status));
  return mn_status_exit_code(status);
}

/* Standard output may be a full disk or a closed pipe: that is a failure too. */
static int finish_output(int code) {
  int failed = ferror(stdout);
  errno = 0;
  if (fflush(stdout) == 0 && !failed) return code;
  fprintf(stderr, "micronets: standard output: %s; the result is not written\n",
          errno != 0 ? strerror(errno) : "write failed");
  return code == 0 ? 1 : code;
}

static int unknown_command(const char *word) {
  size_t count;
  const mn_command *commands = mn_cli_commands(&count);
  const char *names[32];
  size_t known = 0;
  for (size_t i = 0; i < count && known < MN_COUNT(names); i++)
    if (commands[i].run != NULL) names[known++] = commands[i].name;
  const char *near = mn_nearest(word, names, known);
  if (near != NULL)
    fprintf(stderr, "micronets: %s: unknown command; did you mean \"%s\"?\n", word, near);
  else
    fprintf(stderr, "micronets: %s: unknown command; see micronets --help\n", word);
  return 2;
}

/* A word as a shell would need it. */
static void quote(mn_buffer *to, const char *word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+%@";
  mn_sink sink = mn_buffer_sink(to);
  bool bare = *word != 0 && word[strspn(word, plain)] == 0;
  mn_status status = mn_sink_printf(&sink, bare ? "%s" : "'", word);
  for (const char *p = word; !bare && *p != 0 && status == MN_OK; p++)
    status = *p == '\'' ? mn_sink_printf(&sink, "'\\''") : mn_sink_write(&sink, p, 1);
  if (!bare && status == MN_OK) status = mn_sink_printf(&sink, "'");
  (void)status;
}

static const char *command_line(mn_arena *arena, int count, char **words, bool resume) {
  mn_buffer text = {0};
  mn_sink sink = mn_buffer_sink(&text);
  quote(&text, words[0]);
  for (int i = 1; i < count; i++) {
    if (mn_sink_write(&sink, " ", 1) != MN_OK) break;
    quote(&text, words[i]);
    if (strcmp(words[i], "--resume") == 0) resume = false;
  }
  const char *line = mn_arena_text(arena, "%.*s%s", (int)text.size, (const char *)text.data,
                                   resume ? " --resume" : "");
  mn_buffer_free(&text);
  return line;
}

static bool can_resume(const mn_command *command) {
  const mn_option_group *own = &command->group[MN_GROUP_OWN];
  for (size_t i = 0; i < own->count; i++)
    if (strcmp(own->options[i].name, "resume") == 0) return true;
  return false;
}

static void say_how_to_go_on(const char *line) {
  char launcher[32] = "";
  if (mn_ranks_count() > 1) snprintf(launcher, sizeof launcher, "mpirun -np %d ", mn_ranks_count());
  fprintf(stderr, "micronets: go on with: %s%s\n", launcher, line);
}

static int print_result(const mn_session *session, const json_t *result) {
  if (result == NULL || mn_ranks_me() > 0) return 0;
  const mn_options_common *common = session->values[MN_GROUP_COMMON];
  if (!common->json) {
    mn_cli_table(stdout, result);
    return 0;
  }
  char *text = json_dumps(result, MN_RUN_JSON_FLAGS | JSON_COMPACT);
  if (text == NULL) return 1;
  puts(text);
  free(text);
  return 0;
}

/* What ran and came to no answer tells a script why, where its command has no object of its own for it. */
static json_t *answer_no(const mn_session *session, const mn_error *reason) {
  return json_pack("{s:s,s:s,s:s,s:f}", "micronets", MICRONETS_VERSION, "command",
                   session->command->name, "reason", reason->text, "seconds",
                   mn_seconds() - session->context.began);
}

/* Under mpirun: who shares work, and that one rank speaks for all. */
static mn_status join_ranks(const mn_session *session, mn_options_common *common, mn_error *error) {
  MN_TRY(mn_ranks_start(error));
  if (mn_ranks_count() == 1) return MN_OK;
  const char *name = session->command->name;
  if (strcmp(name, "train") != 0 && strcmp(name, "search") != 0)
    return mn_error_set(
        error, MN_ERR_USAGE,
        "%s: found %d processes of mpirun; expected one: only train and search share "
        "their work",
        name, mn_ranks_count());
  common->quiet = common->quiet || mn_ranks_me() > 0;
  return MN_OK;
}

static int run(mn_session *session, int count, char **words) {
  mn_error error = {{0}};
  mn_pool *pool = NULL;
  json_t *result = NULL, *config = mn_cli_config_json(session);
  mn_options_common *common = session->values[MN_GROUP_COMMON];
  mn_status status = join_ranks(session, common, &error);
  if (status == MN_OK)
    status = common->threads > 1024 ? mn_error_set(&error, MN_ERR_USAGE,
                                                   "--threads: found %lld; expected at most 1024",
                                                   (long long)common->threads)
                                    : mn_pool_create(&pool, (int32_t)common->threads);
  session->context =
      (mn_run_context){.arena = session->arena,
                       .pool = pool,
                       .monitor = mn_cli_monitor_open(common, &stop_requested),
                       .command = session->command->name,
                       .command_line = command_line(session->arena, count, words, false),
                       .config = config,
                       .common = common,
                       .data = session->values[MN_GROUP_DATA],
                       .arguments = session->arguments,
                       .argument_count = session->argument_count,
                       .began = mn_seconds()};
  if (status == MN_OK) status = session->command->run(&result, session, &error);
  mn_cli_monitor_close();
  if (result == NULL && common->json && mn_status_is_no(status))
    result = answer_no(session, &error);
  int code = print_result(session, result);
  if (status != MN_OK) code = complain(status, &error);
  if (status == MN_ERR_INTERRUPTED && can_resume(session->command) && mn_ranks_me() == 0)
    say_how_to_go_on(command_line(session->arena, count, words, true));
  json_decref(result);
  json_decref(config);
  mn_pool_destroy(pool);
  /* After a failure of its own a rank must not wait for the others: mpirun ends them. */
  if (status == MN_OK || status == MN_ERR_INTERRUPTED) mn_ranks_finish();
  return code;
}

static int start(mn_session *session, int count, char **words) {
  mn_error error = {{0}};
  if (count < 2) {
    mn_cli_help_program(stderr);
    return 2;
  }
  const char *word = words[1];
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
  if (strcmp(word, "--version") == 0) word = "version";
  session->command = mn_cli_command(word);
  if (session->command == NULL) return unknown_command(word);
  if (session->command->run == NULL) {
    fprintf(stderr, "micronets: %s: this command is not built yet\n", word);
    return 2;
  }
  mn_status status = mn_cli_parse(session, count - 2, words + 2, &error);
  if (status != MN_OK) return complain(status, &error);
  const mn_options_common *common = session->values[MN_GROUP_COMMON];
  if (common->json && (common->help || common->print_config))
    return complain(
        mn_error_set(&error, MN_ERR_USAGE,
                     "--json: %s prints no JSON; expected micronets help %s --json, or "
                     "the keys under config in run.json",
                     common->help ? "--help" : "--print-config", session->command->name),
        &error);
  if (common->help) {
    mn_cli_help_command(stdout, session->command);
    return 0;
  }
  if (common->print_config) {
    status = mn_cli_config_print(stdout, session, &error);
    return status == MN_OK ? 0 : complain(status, &error);
  }
  return run(session, count, words);
}

int main(int count, char **words) {
  mn_session session = {0};
  catch_signals();
  if (mn_arena_create(&session.arena) != MN_OK) {
    fprintf(stderr, "micronets: out of memory\n");
    return 1;
  }
  int code = finish_output(start(&session, count, words));
  mn_arena_destroy(session.arena);
  return code;
}
