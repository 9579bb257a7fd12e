/* config.c - the config file: "key = value" under [command] sections, read by inih; keys are the long
 * options. --print-config writes one that reads back to the same values.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct reading {
  mn_session *session;
  const char *path;
  mn_error *error;
  mn_status status;
  const char *seen[128]; /* keys of this command met so far */
  size_t seen_count;
} reading;

static int fail(reading *r, mn_status status) {
  if (r->status == MN_OK) r->status = status;
  return 0;
}

/* The line number is inih's return value: messages get it in front afterwards. */
static int handle_unknown(reading *r, const char *key) {
  const char *near = mn_cli_nearest_option(r->session, key);
  return fail(r, near != NULL ? mn_error_set(r->error, MN_ERR_USAGE,
                                             "unknown key \"%s\"; did you mean \"%s\"?", key, near)
                              : mn_error_set(r->error, MN_ERR_USAGE,
                                             "unknown key \"%s\"; see micronets %s --help", key,
                                             r->session->command->name));
}

static bool known_anywhere(const char *key) {
  size_t count;
  const mn_command *commands = mn_cli_commands(&count);
  for (size_t i = 0; i < count; i++) {
    mn_session probe = {.command = &commands[i]};
    int group;
    if (mn_cli_find(&probe, key, strlen(key), &group) != NULL) return true;
  }
  return false;
}

static int handle(void *user, const char *section, const char *key, const char *value) {
  reading *r = user;
  if (r->status != MN_OK) return 0;
  const char *name = r->session->command->name;
  if (*section != 0 && mn_cli_command(section) == NULL)
    return fail(r, mn_error_set(r->error, MN_ERR_USAGE,
                                "unknown section [%s]; expected the name of a command", section));
  if (*section != 0 && strcmp(section, name) != 0) return 1; /* another command's */
  int group;
  const mn_option *option = mn_cli_find(r->session, key, strlen(key), &group);
  if (option == NULL && *section == 0 && known_anywhere(key)) return 1; /* shared file, not ours */
  if (option == NULL) return handle_unknown(r, key);
  if (strcmp(option->name, "config") == 0 || strcmp(option->name, "help") == 0)
    return fail(r, mn_error_set(r->error, MN_ERR_USAGE,
                                "key \"%s\" has no place in a config file; take it out", key));
  for (size_t i = 0; i < r->seen_count; i++)
    if (option->type != MN_OPTION_LIST && strcmp(r->seen[i], option->name) == 0)
      return fail(r, mn_error_set(r->error, MN_ERR_USAGE,
                                  "key \"%s\" stands here a second time; keep one", key));
  if (r->seen_count < MN_COUNT(r->seen)) r->seen[r->seen_count++] = option->name;
  if (*value == 0) return 1; /* as --print-config writes what is not set */
  const char *text = mn_arena_text(r->session->arena, "%s", value);
  if (text == NULL) return fail(r, mn_error_set(r->error, MN_ERR_MEMORY, "out of memory"));
  mn_status status = mn_cli_set(r->session, group, option, text, MN_ORIGIN_FILE, key, r->error);
  return status == MN_OK ? 1 : fail(r, status);
}

/* inih cuts longer lines in two; better to say so. */
static mn_status check_lines(const char *path, mn_bytes text, mn_error *error) {
  enum { LONGEST = 198 };
  int line = 1;
  size_t start = 0;
  for (size_t i = 0; i <= text.size; i++) {
    if (i < text.size && text.data[i] != '\n') continue;
    if (i - start > LONGEST)
      return mn_error_set(error, MN_ERR_USAGE,
                          "%s:%d: found a line of %zu characters; expected at most %d", path, line,
                          i - start, LONGEST);
    start = i + 1;
    line++;
  }
  return MN_OK;
}

mn_status mn_cli_config_read(mn_session *session, const char *path, mn_error *error) {
  mn_bytes text;
  mn_status status = mn_file_read(&text, session->arena, path, 1 << 20, error);
  if (status != MN_OK)
    return status == MN_ERR_FORMAT ? MN_ERR_USAGE : status; /* part of the command */
  MN_TRY(check_lines(path, text, error));
  reading r = {.session = session, .path = path, .error = error};
  int line = ini_parse_string((const char *)text.data, handle, &r);
  if (r.status != MN_OK) return mn_error_prefix(error, r.status, "%s:%d", path, line);
  if (line != 0)
    return mn_error_set(error, MN_ERR_USAGE,
                        "%s:%d: found neither key = value nor [command]; expected one of them",
                        path, line);
  return MN_OK;
}

/* The shortest of two forms that reads back to the same number. */
static const char *real_text(double value) {
  static char text[32];
  snprintf(text, sizeof text, "%.15g", value);
  if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
  return text;
}

static void print_value(FILE *out, const mn_option *option, const void *field, const char *origin) {
  const char *name = mn_cli_option_text(option);
  switch (option->type) {
    case MN_OPTION_FLAG:
      fprintf(out, "%s = %s ; %s\n", name, *(const bool *)field ? "true" : "false", origin);
      break;
    case MN_OPTION_COUNT:
    case MN_OPTION_INTEGER:
      fprintf(out, "%s = %lld ; %s\n", name, (long long)*(const int64_t *)field, origin);
      break;
    case MN_OPTION_REAL:
      fprintf(out, "%s = %s ; %s\n", name, real_text(*(const double *)field), origin);
      break;
    case MN_OPTION_TEXT:
    case MN_OPTION_WORD: {
      const char *text = *(const char *const *)field;
      fprintf(out, "%s = %s ; %s\n", name, text != NULL ? text : "", origin);
      break;
    }
    case MN_OPTION_LIST: {
      const mn_text_list *list = field;
      for (int32_t i = 0; i < list->count; i++)
        fprintf(out, "%s = %s ; %s\n", name, list->item[i], origin);
      break;
    }
    case MN_OPTION_LATER:
    case MN_OPTION_LATERV: break;
  }
}

static void print_options(FILE *out, const mn_session *session) {
  static const char *const origins[] = {"default", "file", "flag"};
  static const char *const own[] = {"config", "help", "print_config"};
  fprintf(out, "[%s]\n", session->command->name);
  for (int g = 0; g < MN_GROUP_COUNT; g++) {
    const mn_option_group *group = &session->command->group[g];
    for (size_t i = 0; i < group->count; i++) {
      const mn_option *option = &group->options[i];
      bool skip = false;
      for (size_t k = 0; k < MN_COUNT(own); k++) skip = skip || strcmp(option->name, own[k]) == 0;
      if (skip) continue;
      print_value(out, option, (const char *)session->values[g] + option->offset,
                  origins[session->origin[g][i]]);
    }
  }
}

mn_status mn_cli_config_print(FILE *out, const mn_session *session, mn_error *error) {
  char *text = NULL;
  size_t size = 0;
  FILE *memory = open_memstream(&text, &size);
  if (memory == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  print_options(memory, session);
  bool whole = fclose(memory) == 0;
  mn_status status =
      whole ? check_lines("--print-config", (mn_bytes){(const uint8_t *)text, size}, error)
            : mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  if (status == MN_OK) fwrite(text, 1, size, out);
  free(text);
  return status;
}
