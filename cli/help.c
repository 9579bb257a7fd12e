/* help.c - --help, docs/cli.md and the manual page, all from the tables of options.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

static const struct {
  int code;
  const char *text;
} exit_codes[] = {
    {0, "done"},
    {1, "failed while running (input, output, memory)"},
    {2, "wrong command line or config file"},
    {3, "input file malformed or not supported"},
    {4, "ran, and the answer is no: a budget cannot be met, results differ"},
    {5, "training diverged"},
    {130, "interrupted; a checkpoint is written and the command to go on is printed"},
};

static const char *const group_titles[] = {"Every command", "Data", "Options"};
static const int group_order[] = {MN_GROUP_OWN, MN_GROUP_DATA, MN_GROUP_COMMON};

static bool is_later(const mn_option *option) {
  return option->type == MN_OPTION_LATER || option->type == MN_OPTION_LATERV;
}

/* "-o, --out PATH" */
static const char *option_head(const mn_option *option) {
  static char text[128];
  char letter[8] = "";
  if (option->letter != 0) snprintf(letter, sizeof letter, "-%c, ", option->letter);
  snprintf(text, sizeof text, "%s--%s%s%s", letter, mn_cli_option_text(option),
           *option->value != 0 ? " " : "", option->value);
  return text;
}

/* Words at a 26-column indent, broken before column 100. */
static void print_wrapped(FILE *out, const char *text, size_t indent) {
  size_t column = indent;
  while (*text != 0) {
    size_t word = strcspn(text, " ");
    bool first = column == indent;
    if (column + word > 98 && !first) {
      fprintf(out, "\n%*s", (int)indent, "");
      column = indent;
      first = true;
    }
    fprintf(out, "%s%.*s", first ? "" : " ", (int)word, text);
    column += word + 1;
    text += word + strspn(text + word, " ");
  }
  fputc('\n', out);
}

static void print_option(FILE *out, const mn_option *option) {
  enum { INDENT = 30 };
  char help[256];
  bool standard = *option->standard != 0;
  snprintf(help, sizeof help, "%s%s%s%s", option->help, standard ? " [" : "", option->standard,
           standard ? "]" : "");
  const char *head = option_head(option);
  if (strlen(head) > INDENT - 4)
    fprintf(out, "  %s\n%*s", head, INDENT, "");
  else
    fprintf(out, "  %-*s", INDENT - 2, head);
  print_wrapped(out, help, INDENT);
}

static void usage_line(FILE *out, const mn_command *command) {
  fprintf(out, "micronets %s [OPTION]...%s%s", command->name, *command->arguments != 0 ? " " : "",
          command->arguments);
}

void mn_cli_help_command(FILE *out, const mn_command *command) {
  for (size_t i = 0; i < MN_COUNT(command->example) && command->example[i] != NULL; i++)
    fprintf(out, "%s  %s\n", i == 0 ? "Example:\n" : "", command->example[i]);
  fprintf(out, "\nUsage: ");
  usage_line(out, command);
  fprintf(out, "\n  %s\n", command->summary);
  if (command->run == NULL) {
    fprintf(out, "\nNot built yet.\n");
    return;
  }
  if (command->detail != NULL) {
    fprintf(out, "\n");
    print_wrapped(out, command->detail, 0);
  }
  for (size_t k = 0; k < MN_COUNT(group_order); k++) {
    const mn_option_group *group = &command->group[group_order[k]];
    if (group->count == 0) continue;
    fprintf(out, "\n%s:\n", group_titles[group_order[k]]);
    for (size_t i = 0; i < group->count; i++)
      if (!is_later(&group->options[i])) print_option(out, &group->options[i]);
  }
}

void mn_cli_help_program(FILE *out) {
  size_t count;
  const mn_command *commands = mn_cli_commands(&count);
  fprintf(
      out,
      "Example:\n  micronets build --words yes,no,stop --target nucleo-f446re --budget sram=32K --out spotter\n\n"
      "Usage: micronets COMMAND [OPTION]... [ARGUMENT]...\n"
      "  examples or words in, proven microcontroller firmware out\n\nCommands:\n");
  for (size_t i = 0; i < count; i++)
    if (commands[i].run != NULL)
      fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
  fprintf(out, "\nmicronets COMMAND --help tells more of one. Exit codes:\n");
  for (size_t i = 0; i < MN_COUNT(exit_codes); i++)
    fprintf(out, "  %3d  %s\n", exit_codes[i].code, exit_codes[i].text);
}

/* ---- docs/cli.md ------------------------------------------------------------------------------*/
/* '|' would end a cell of a table. */
static void markdown_cell(FILE *out, const char *text) {
  for (; *text != 0; text++) fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void markdown_group(FILE *out, const mn_option_group *group) {
  fprintf(out, "\n| option | default | what it does |\n|---|---|---|\n");
  for (size_t i = 0; i < group->count; i++) {
    const mn_option *option = &group->options[i];
    if (is_later(option)) continue;
    fprintf(out, "| `");
    markdown_cell(out, option_head(option));
    fprintf(out, "` | %s%s%s | ", *option->standard != 0 ? "`" : "", option->standard,
            *option->standard != 0 ? "`" : "");
    markdown_cell(out, option->help);
    fprintf(out, " |\n");
  }
}

static void markdown_command(FILE *out, const mn_command *command) {
  fprintf(out, "\n## %s\n\n%s.\n\n```\n", command->name, command->summary);
  for (size_t i = 0; i < MN_COUNT(command->example) && command->example[i] != NULL; i++)
    fprintf(out, "%s\n", command->example[i]);
  fprintf(out, "```\n\nUsage: `");
  usage_line(out, command);
  fprintf(out, "`\n");
  if (command->detail != NULL) fprintf(out, "\n%s\n", command->detail);
  if (command->group[MN_GROUP_OWN].count != 0) markdown_group(out, &command->group[MN_GROUP_OWN]);
  if (command->group[MN_GROUP_DATA].count != 0)
    fprintf(out, "\nTakes the options of [data sets](#data-sets).\n");
  if (command->keys != NULL) fprintf(out, "\nJSON: `%s`\n", command->keys);
}

void mn_cli_help_markdown(FILE *out) {
  size_t count;
  const mn_command *commands = mn_cli_commands(&count);
  fprintf(
      out,
      "# The command line\n\n<!-- Written by `micronets help --markdown`; do not edit. -->\n\n"
      "Usage: `micronets COMMAND [OPTION]... [ARGUMENT]...`\n\n| command | what it does |\n|---|---|\n");
  for (size_t i = 0; i < count; i++)
    fprintf(out, "| `%s` | %s%s |\n", commands[i].name, commands[i].summary,
            commands[i].run == NULL ? " (not built yet)" : "");
  fprintf(
      out,
      "\n## Every command\n\nWith `--json` the result is one object on standard output: `micronets` (version), "
      "`command`, `seed` where randomness was used, `seconds`, and the keys named below. Sizes are bytes, "
      "shares are fractions of 1, what is unknown is `null`, what is modelled says so in its name.\n");
  markdown_group(out, &mn_cli_command("train")->group[MN_GROUP_COMMON]);
  fprintf(out, "\n## Data sets\n\nWherever a command takes data.\n");
  markdown_group(out, &mn_cli_command("train")->group[MN_GROUP_DATA]);
  for (size_t i = 0; i < count; i++)
    if (commands[i].run != NULL) markdown_command(out, &commands[i]);
  fprintf(out, "\nExit codes: [exit-codes.md](exit-codes.md).\n");
}

void mn_cli_help_exit_codes(FILE *out) {
  fprintf(out,
          "# Exit codes\n\n<!-- Written by `micronets help --exit-codes`; do not edit. -->\n\n"
          "| code | meaning |\n|---|---|\n");
  for (size_t i = 0; i < MN_COUNT(exit_codes); i++)
    fprintf(out, "| %d | %s |\n", exit_codes[i].code, exit_codes[i].text);
  fprintf(out, "\nThe status each comes from:\n\n| status | code | text |\n|---|---|---|\n");
#define X(name, value, code, text) fprintf(out, "| `MN_%s` | %d | %s |\n", #name, code, text);
  MN_STATUS_LIST(X)
#undef X
}

/* ---- The manual page --------------------------------------------------------------------------*/
static void man_text(FILE *out, const char *text) {
  for (; *text != 0; text++) {
    if (*text == '-' || *text == '\\') fputc('\\', out);
    fputc(*text, out);
  }
}

static void man_group(FILE *out, const mn_option_group *group) {
  for (size_t i = 0; i < group->count; i++) {
    const mn_option *option = &group->options[i];
    if (is_later(option)) continue;
    fprintf(out, ".TP\n.B ");
    man_text(out, option_head(option));
    fprintf(out, "\n");
    man_text(out, option->help);
    if (*option->standard != 0) fprintf(out, " [%s]", option->standard);
    fprintf(out, "\n");
  }
}

static void man_command(FILE *out, const mn_command *command) {
  fprintf(out, ".SH %s\n.B ", command->name);
  usage_line(out, command);
  fprintf(out, "\n.PP\n");
  man_text(out, command->summary);
  fprintf(out, ".\n");
  if (command->detail != NULL) man_text(out, command->detail), fputc('\n', out);
  man_group(out, &command->group[MN_GROUP_OWN]);
  fprintf(out, ".PP\nExample:\n.PP\n.nf\n");
  for (size_t i = 0; i < MN_COUNT(command->example) && command->example[i] != NULL; i++) {
    man_text(out, command->example[i]);
    fputc('\n', out);
  }
  fprintf(out, ".fi\n");
}

void mn_cli_help_man(FILE *out) {
  size_t count;
  const mn_command *commands = mn_cli_commands(&count);
  fprintf(
      out,
      ".\\\" Written by micronets help --man; do not edit.\n.TH MICRONETS 1 \"\" \"micronets " MICRONETS_VERSION
      "\"\n.SH NAME\nmicronets \\- examples or words in, proven microcontroller firmware out\n"
      ".SH SYNOPSIS\n.B micronets\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n.SH EVERY COMMAND\n");
  man_group(out, &mn_cli_command("train")->group[MN_GROUP_COMMON]);
  fprintf(out, ".SH DATA SETS\n");
  man_group(out, &mn_cli_command("train")->group[MN_GROUP_DATA]);
  for (size_t i = 0; i < count; i++)
    if (commands[i].run != NULL) man_command(out, &commands[i]);
  fprintf(out, ".SH EXIT STATUS\n");
  for (size_t i = 0; i < MN_COUNT(exit_codes); i++)
    fprintf(out, ".TP\n.B %d\n%s\n", exit_codes[i].code, exit_codes[i].text);
}
