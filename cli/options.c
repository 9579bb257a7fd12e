/* options.c - fills the option structs of a command from defaults, config file and flags.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const char *mn_cli_option_text(const mn_option *option) {
  static char text[4][40];
  static unsigned next;
  char *to = text[next++ & 3];
  snprintf(to, sizeof text[0], "%s", option->name);
  for (char *p = to; *p != 0; p++)
    if (*p == '_') *p = '-';
  return to;
}

static bool name_equal(const char *option, const char *word, size_t length) {
  if (strlen(option) != length) return false;
  for (size_t i = 0; i < length; i++)
    if (option[i] != (word[i] == '-' ? '_' : word[i])) return false;
  return true;
}

const mn_option *mn_cli_find(const mn_session *session, const char *name, size_t length,
                             int *group) {
  for (int g = 0; g < MN_GROUP_COUNT; g++) {
    const mn_option_group *at = &session->command->group[g];
    for (size_t i = 0; i < at->count; i++) {
      if (!name_equal(at->options[i].name, name, length)) continue;
      *group = g;
      return &at->options[i];
    }
  }
  return NULL;
}

static const mn_option *find_letter(const mn_session *session, char letter, int *group) {
  for (int g = 0; g < MN_GROUP_COUNT; g++) {
    const mn_option_group *at = &session->command->group[g];
    for (size_t i = 0; i < at->count; i++) {
      if (at->options[i].letter != letter) continue;
      *group = g;
      return &at->options[i];
    }
  }
  return NULL;
}

const char *mn_cli_nearest_option(const mn_session *session, const char *word) {
  const char *names[96];
  size_t count = 0;
  for (int g = 0; g < MN_GROUP_COUNT; g++)
    for (size_t i = 0; i < session->command->group[g].count && count < MN_COUNT(names); i++) {
      const mn_option *option = &session->command->group[g].options[i];
      names[count] = mn_arena_text(session->arena, "%s", mn_cli_option_text(option));
      if (names[count] != NULL) count++;
    }
  return mn_nearest(word, names, count);
}

/* ---- Values -----------------------------------------------------------------------------------*/
static bool word_allowed(const char *allowed, const char *word) {
  size_t length = strlen(word);
  for (const char *p = allowed; *p != 0;) {
    size_t span = strcspn(p, "|");
    if (span == length && memcmp(p, word, length) == 0) return true;
    p += span + (p[span] == '|');
  }
  return false;
}

static bool parse_integer(int64_t *value, const char *text) {
  char *end;
  errno = 0;
  long long parsed = strtoll(text, &end, 10);
  if (end == text || *end != 0 || errno != 0 || parsed < 0) return false;
  *value = parsed;
  return true;
}

static bool parse_real(double *value, const char *text) {
  char *end;
  errno = 0;
  double parsed = strtod(text, &end);
  if (end == text || *end != 0 || errno != 0 || !isfinite(parsed) || parsed < 0) return false;
  *value = parsed;
  return true;
}

static bool parse_flag(bool *value, const char *text) {
  static const char *const yes[] = {"", "true", "yes", "on", "1"}, *const no[] = {"false", "no",
                                                                                  "off", "0"};
  for (size_t i = 0; i < MN_COUNT(yes); i++)
    if (strcmp(text, yes[i]) == 0) return *value = true;
  for (size_t i = 0; i < MN_COUNT(no); i++)
    if (strcmp(text, no[i]) == 0) return !(*value = false);
  return false;
}

static mn_status list_append(mn_text_list *list, mn_arena *arena, const char *text) {
  const char **item = mn_arena_array(arena, (size_t)list->count + 1, sizeof *item);
  if (item == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < list->count; i++) item[i] = list->item[i];
  item[list->count] = text;
  list->item = item;
  list->count++;
  return MN_OK;
}

static mn_status bad_value(mn_error *error, const char *place, const char *text,
                           const char *expected) {
  return mn_error_set(error, MN_ERR_USAGE, "%s: found \"%s\"; expected %s", place, text, expected);
}

/* Flag given on the command line: only here do options that come later refuse themselves. */
static mn_status not_built(mn_error *error, const char *place, const mn_option *option) {
  return mn_error_set(error, MN_ERR_USAGE, "%s: --%s is not built yet; leave it out", place,
                      mn_cli_option_text(option));
}

mn_status mn_cli_set(mn_session *session, int group, const mn_option *option, const char *text,
                     mn_origin origin, const char *place, mn_error *error) {
  void *field = (char *)session->values[group] + option->offset;
  const mn_option_group *table = &session->command->group[group];
  switch (option->type) {
    case MN_OPTION_FLAG:
      if (!parse_flag(field, text)) return bad_value(error, place, text, "true or false");
      break;
    case MN_OPTION_COUNT:
      if (*text == 0)
        ++*(int64_t *)field;
      else if (!parse_integer(field, text))
        return bad_value(error, place, text, "a whole number");
      break;
    case MN_OPTION_INTEGER:
      if (!parse_integer(field, text)) return bad_value(error, place, text, "a whole number");
      break;
    case MN_OPTION_REAL:
      if (!parse_real(field, text)) return bad_value(error, place, text, "a number, 0 or more");
      break;
    case MN_OPTION_WORD:
      if (!word_allowed(option->value, text)) return bad_value(error, place, text, option->value);
      *(const char **)field = text;
      break;
    case MN_OPTION_TEXT:
      if (*text == 0) return bad_value(error, place, text, option->value);
      *(const char **)field = text;
      break;
    case MN_OPTION_LIST: MN_TRY(list_append(field, session->arena, text)); break;
    case MN_OPTION_LATER:
    case MN_OPTION_LATERV: return not_built(error, place, option);
  }
  session->origin[group][option - table->options] = (uint8_t)origin;
  return MN_OK;
}

mn_status mn_cli_defaults(mn_session *session, mn_error *error) {
  for (int g = 0; g < MN_GROUP_COUNT; g++) {
    const mn_option_group *group = &session->command->group[g];
    if (group->count == 0) continue;
    session->values[g] = mn_arena_alloc(session->arena, group->struct_bytes);
    session->origin[g] = mn_arena_alloc(session->arena, group->count);
    if (session->values[g] == NULL || session->origin[g] == NULL)
      return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < group->count; i++) {
      const mn_option *option = &group->options[i];
      if (*option->standard == 0) continue;
      MN_TRY(
          mn_cli_set(session, g, option, option->standard, MN_ORIGIN_DEFAULT, option->name, error));
    }
  }
  return MN_OK;
}

/* ---- Flags ------------------------------------------------------------------------------------*/
static bool takes_value(const mn_option *option) {
  return option->type != MN_OPTION_FLAG && option->type != MN_OPTION_COUNT &&
         option->type != MN_OPTION_LATER;
}

/* A flag given twice is an error, but for lists and counts. */
static mn_status set_flag(mn_session *session, int group, const mn_option *option, const char *text,
                          mn_error *error) {
  const char *place = mn_arena_text(session->arena, "--%s", mn_cli_option_text(option));
  if (place == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  size_t index = (size_t)(option - session->command->group[group].options);
  bool many = option->type == MN_OPTION_LIST || option->type == MN_OPTION_COUNT ||
              option->type == MN_OPTION_FLAG;
  if (!many && session->origin[group][index] == MN_ORIGIN_FLAG)
    return mn_error_set(error, MN_ERR_USAGE, "%s: given twice; expected once", place);
  return mn_cli_set(session, group, option, text, MN_ORIGIN_FLAG, place, error);
}

static mn_status unknown_option(mn_session *session, const char *word, mn_error *error) {
  const char *near = mn_cli_nearest_option(session, word + strspn(word, "-"));
  const char *name = session->command->name;
  if (near != NULL)
    return mn_error_set(error, MN_ERR_USAGE, "%s: unknown option of %s; did you mean --%s?", word,
                        name, near);
  return mn_error_set(error, MN_ERR_USAGE, "%s: unknown option of %s; see micronets %s --help",
                      word, name, name);
}

/* --name, --name=value, --name value; *used: how many further words were taken. */
static mn_status parse_long(mn_session *session, char **words, int left, int *used,
                            mn_error *error) {
  const char *name = words[0] + 2;
  size_t length = strcspn(name, "=");
  int group;
  const mn_option *option = mn_cli_find(session, name, length, &group);
  if (option == NULL) {
    const char *word = mn_arena_text(session->arena, "%.*s", (int)length + 2, words[0]);
    return unknown_option(session, word != NULL ? word : words[0], error);
  }
  if (option->type == MN_OPTION_LATER || option->type == MN_OPTION_LATERV)
    return not_built(error, session->command->name, option);
  if (name[length] == '=') return set_flag(session, group, option, name + length + 1, error);
  if (!takes_value(option)) return set_flag(session, group, option, "", error);
  if (left < 1)
    return mn_error_set(error, MN_ERR_USAGE, "%s: found nothing after it; expected %s", words[0],
                        option->value);
  *used = 1;
  return set_flag(session, group, option, words[1], error);
}

/* -q, -vv, -o PATH, -oPATH. */
static mn_status parse_short(mn_session *session, char **words, int left, int *used,
                             mn_error *error) {
  for (const char *p = words[0] + 1; *p != 0; p++) {
    int group;
    const mn_option *option = find_letter(session, *p, &group);
    if (option == NULL) return unknown_option(session, words[0], error);
    if (!takes_value(option)) {
      MN_TRY(set_flag(session, group, option, "", error));
      continue;
    }
    if (p[1] != 0) return set_flag(session, group, option, p + 1, error);
    if (left < 1)
      return mn_error_set(error, MN_ERR_USAGE, "-%c: found nothing after it; expected %s", *p,
                          option->value);
    *used = 1;
    return set_flag(session, group, option, words[1], error);
  }
  return MN_OK;
}

static mn_status parse_words(mn_session *session, int count, char **words, mn_error *error) {
  bool options = true;
  for (int i = 0; i < count; i++) {
    int used = 0;
    if (options && strcmp(words[i], "--") == 0)
      options = false;
    else if (options && strncmp(words[i], "--", 2) == 0)
      MN_TRY(parse_long(session, words + i, count - i - 1, &used, error));
    else if (options && words[i][0] == '-' && words[i][1] != 0)
      MN_TRY(parse_short(session, words + i, count - i - 1, &used, error));
    else
      session->arguments[session->argument_count++] = words[i];
    i += used;
  }
  return MN_OK;
}

static mn_status check_arguments(const mn_session *session, mn_error *error) {
  const mn_command *command = session->command;
  if (session->argument_count < command->fewest)
    return mn_error_set(error, MN_ERR_USAGE,
                        "%s: found %d argument%s; expected %s; see micronets %s --help",
                        command->name, (int)session->argument_count,
                        session->argument_count == 1 ? "" : "s", command->arguments, command->name);
  if (session->argument_count > command->most)
    return mn_error_set(
        error, MN_ERR_USAGE, "%s: found \"%s\"; expected %s; see micronets %s --help",
        command->name, session->arguments[command->most],
        *command->arguments != 0 ? command->arguments : "options only", command->name);
  return MN_OK;
}

/* The file of --config must be read before the flags, which win over it. */
static const char *config_path(int count, char **words) {
  for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
    if (strncmp(words[i], "--config=", 9) == 0) return words[i] + 9;
    if (strcmp(words[i], "--config") == 0 && i + 1 < count) return words[i + 1];
  }
  return NULL;
}

mn_status mn_cli_parse(mn_session *session, int count, char **words, mn_error *error) {
  MN_TRY(mn_cli_defaults(session, error));
  session->arguments =
      mn_arena_array(session->arena, (size_t)count + 1, sizeof *session->arguments);
  if (session->arguments == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  const char *config = config_path(count, words);
  if (config != NULL) MN_TRY(mn_cli_config_read(session, config, error));
  MN_TRY(parse_words(session, count, words, error));
  const mn_options_common *common = session->values[MN_GROUP_COMMON];
  if (common->help || common->print_config) return MN_OK;
  return check_arguments(session, error);
}

/* ---- The resolved values, for run.json ---------------------------------------------------------*/
static json_t *value_json(const mn_option *option, const void *field) {
  switch (option->type) {
    case MN_OPTION_FLAG: return json_boolean(*(const bool *)field);
    case MN_OPTION_COUNT:
    case MN_OPTION_INTEGER: return json_integer(*(const int64_t *)field);
    case MN_OPTION_REAL: return json_real(*(const double *)field);
    case MN_OPTION_TEXT:
    case MN_OPTION_WORD: {
      const char *text = *(const char *const *)field;
      return text != NULL ? json_string(text) : json_null();
    }
    case MN_OPTION_LIST: {
      const mn_text_list *list = field;
      json_t *array = json_array();
      for (int32_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->item[i]));
      return array;
    }
    case MN_OPTION_LATER:
    case MN_OPTION_LATERV: break;
  }
  return NULL;
}

json_t *mn_cli_config_json(const mn_session *session) {
  json_t *object = json_object();
  for (int g = 0; g < MN_GROUP_COUNT; g++) {
    const mn_option_group *group = &session->command->group[g];
    for (size_t i = 0; i < group->count; i++) {
      const mn_option *option = &group->options[i];
      json_t *value = value_json(option, (const char *)session->values[g] + option->offset);
      if (value != NULL) json_object_set_new(object, option->name, value);
    }
  }
  return object;
}
