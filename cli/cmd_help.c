/* cmd_help.c - micronets help and micronets version.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli.h"

static mn_status print_help(FILE *out, const mn_session *session, mn_error *error) {
  const mn_options_help *values = session->values[MN_GROUP_OWN];
  if (values->markdown)
    mn_cli_help_markdown(out);
  else if (values->exit_codes)
    mn_cli_help_exit_codes(out);
  else if (values->man)
    mn_cli_help_man(out);
  else if (session->argument_count == 0)
    mn_cli_help_program(out);
  else {
    const mn_command *command = mn_cli_command(session->arguments[0]);
    if (command == NULL)
      return mn_error_set(error, MN_ERR_USAGE,
                          "help: found \"%s\"; expected a command; see micronets --help",
                          session->arguments[0]);
    mn_cli_help_command(out, command);
  }
  return MN_OK;
}

/* With --json the text stands in an object. */
mn_status mn_cli_help(json_t **result, mn_session *session, mn_error *error) {
  char *text = NULL;
  size_t size = 0;
  if (!session->context.common->json) return print_help(stdout, session, error);
  FILE *memory = open_memstream(&text, &size);
  if (memory == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  mn_status status = print_help(memory, session, error);
  bool whole = fclose(memory) == 0;
  if (status == MN_OK && whole)
    *result = json_pack("{s:s,s:s,s:s,s:f}", "micronets", MICRONETS_VERSION, "command", "help",
                        "text", text, "seconds", mn_seconds() - session->context.began);
  free(text);
  if (status != MN_OK || *result != NULL) return status;
  return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
}

static const char *cpu(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "x86_64 with AVX-512";
  if (__builtin_cpu_supports("avx2")) return "x86_64 with AVX2";
  return "x86_64";
#else
  return "portable";
#endif
}

mn_status mn_cli_version(json_t **result, mn_session *session, mn_error *error) {
  *result = json_pack("{s:s,s:s,s:s,s:s,s:s,s:f}", "micronets", MICRONETS_VERSION, "command",
                      "version", "version", MICRONETS_VERSION, "compiler", __VERSION__, "cpu",
                      cpu(), "seconds", mn_seconds() - session->context.began);
  if (*result == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  return MN_OK;
}
