/* value.c - numbers, names and choices on a line, and the steps that widths are taken from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "net/parser.h"

/* Options while a choice is read. */
typedef struct options {
  int32_t value[NET_MAX_OPTIONS];
  int32_t count;
} options;

mn_status net_parse_integer(net_parser *p, int32_t *number, int32_t lowest, int32_t highest,
                            const char *what) {
  net_token token = net_lexer_next(&p->lexer);
  if (net_token_integer(&token, highest, number) && *number >= lowest) return MN_OK;
  char expected[64];
  snprintf(expected, sizeof expected, "a number from %d to %d is expected", lowest, highest);
  return net_not(p, &token, what, expected);
}

mn_status net_check_number(const net_parser *p, int32_t number, net_role role, const char *what,
                           int32_t column) {
  if (role == NET_ROLE_WEIGHTS && number != 4 && number != 8) {
    return net_fail(p, column, "%s of %d bits; 4 or 8 are possible", what, number);
  }
  if (role == NET_ROLE_ACTIVATIONS && number != 4 && number != 8 && number != 16) {
    return net_fail(p, column, "%s of %d bits; 4, 8 or 16 are possible", what, number);
  }
  if (number < 1 || number > NET_MAX_SIZE) {
    return net_fail(p, column, "%s of %d; a number from 1 to %d is expected", what, number,
                    NET_MAX_SIZE);
  }
  return MN_OK;
}

/* ---- Steps -----------------------------------------------------------------------------------*/
mn_status net_parse_steps(net_parser *p) {
  net_token percent = net_lexer_next(&p->lexer);
  int32_t step = 0, multiple = 1;
  if (!net_token_scaled(&percent, "%", 1, &step) || step < 1 || step > 100 || 100 % step != 0) {
    return net_not(p, &percent, "step", "a percentage that divides 100 is expected, such as 10%");
  }
  net_token rounding = net_lexer_next(&p->lexer);
  if (!net_token_is(&rounding, "floor") && !net_token_is(&rounding, "nearest")) {
    static const char *const names[] = {"floor", "nearest"};
    return net_not(p, &rounding, "rounding",
                   net_hint_of(&rounding, names, 2, "floor or nearest is expected").text + 2);
  }
  if (net_lexer_peek(&p->lexer).kind != NET_END) {
    MN_TRY(net_parse_integer(p, &multiple, 1, 256, "multiple"));
  }
  p->steps_percent = step;
  p->steps_nearest = net_token_is(&rounding, "nearest");
  p->steps_multiple = multiple;
  return net_expect_end(p, "steps");
}

/* top * percent / 100, rounded to a multiple as the steps line says; exact, and never below one
 * multiple. */
static int32_t step_value(const net_parser *p, int32_t top, int32_t percent) {
  int64_t hundredths = (int64_t)top * percent, unit = 100 * (int64_t)p->steps_multiple;
  int64_t whole = p->steps_nearest ? (2 * hundredths + unit) / (2 * unit) : hundredths / unit;
  return (int32_t)(whole > 0 ? whole : 1) * p->steps_multiple;
}

/* ---- Choices ---------------------------------------------------------------------------------*/
/* Inserts in order, each value once: values that round alike count once. */
static mn_status add_option(const net_parser *p, options *o, int32_t value, int32_t column) {
  int32_t at = o->count;
  for (int32_t i = 0; i < o->count; i++) {
    if (o->value[i] == value) return MN_OK;
  }
  if (o->count == NET_MAX_OPTIONS) {
    return net_fail(p, column, "a choice of more than %d values", NET_MAX_OPTIONS);
  }
  while (at > 0 && o->value[at - 1] > value) {
    o->value[at] = o->value[at - 1];
    at--;
  }
  o->value[at] = value;
  o->count++;
  return MN_OK;
}

static mn_status choice_number(net_parser *p, int32_t *number, const net_choice_rule *rule) {
  net_token token = net_lexer_next(&p->lexer);
  if (!net_token_integer(&token, INT32_MAX, number)) {
    return net_fail(p, token.column,
                    "%s inside a choice; values are set apart by blanks, a range is a..b by s",
                    net_show(&token).text);
  }
  return net_check_number(p, *number, rule->role, rule->what, token.column);
}

/* "..N": the steps of N. */
static mn_status add_steps(net_parser *p, options *o, const net_choice_rule *rule, int32_t column) {
  int32_t top = 0;
  if (rule->role != NET_ROLE_WIDTH) {
    return net_fail(p, column, "%s has no steps; write its values", rule->what);
  }
  if (p->steps_percent == 0) {
    return net_fail(p, column, "{..N} needs a steps line above, such as: steps 10%% nearest 4");
  }
  MN_TRY(choice_number(p, &top, rule));
  for (int32_t percent = p->steps_percent; percent <= 100; percent += p->steps_percent) {
    MN_TRY(add_option(p, o, step_value(p, top, percent), column));
  }
  return MN_OK;
}

/* "a..b by s", after a. */
static mn_status add_range(net_parser *p, options *o, const net_choice_rule *rule, int32_t first,
                           int32_t column) {
  int32_t last = 0, by = 1;
  net_lexer_next(&p->lexer); /* .. */
  MN_TRY(choice_number(p, &last, rule));
  net_token word = net_lexer_peek(&p->lexer);
  if (net_token_is(&word, "by")) {
    net_lexer_next(&p->lexer);
    MN_TRY(net_parse_integer(p, &by, 1, NET_MAX_SIZE, "range step"));
  }
  if (last < first || (last - first) % by != 0) {
    return net_fail(p, column, "%d..%d by %d never reaches %d", first, last, by, last);
  }
  for (int32_t value = first; value <= last; value += by) {
    MN_TRY(net_check_number(p, value, rule->role, rule->what, column));
    MN_TRY(add_option(p, o, value, column));
  }
  return MN_OK;
}

/* Words of a setting of the input line, such as grey and rgb. */
static mn_status add_word(net_parser *p, options *o, const net_choice_rule *rule,
                          const net_token *token) {
  const char *names[8];
  int32_t count = 0;
  for (const char *word; (word = net_key_word(rule->key, count)) != NULL; count++) {
    if (net_token_is(token, word)) return add_option(p, o, count, token->column);
    names[count] = word;
  }
  return net_fail(p, token->column, "%s is no %s%s", net_show(token).text, rule->what,
                  net_hint_of(token, names, count, "it takes other words").text);
}

static mn_status add_item(net_parser *p, options *o, const net_choice_rule *rule) {
  net_token token = net_lexer_peek(&p->lexer);
  if (token.kind == NET_RANGE) {
    net_lexer_next(&p->lexer);
    return add_steps(p, o, rule, token.column);
  }
  if (rule->role == NET_ROLE_INPUT && net_key_word(rule->key, 0) != NULL) {
    net_lexer_next(&p->lexer);
    return add_word(p, o, rule, &token);
  }
  int32_t number = 0;
  MN_TRY(choice_number(p, &number, rule));
  if (net_lexer_peek(&p->lexer).kind == NET_RANGE)
    return add_range(p, o, rule, number, token.column);
  return add_option(p, o, number, token.column);
}

mn_status net_parse_choice(net_parser *p, net_value *value, const net_choice_rule *rule,
                           int32_t column) {
  options o;
  o.count = 0;
  for (net_token token = net_lexer_peek(&p->lexer); token.kind != NET_CLOSE;
       token = net_lexer_peek(&p->lexer)) {
    if (token.kind == NET_END) return net_fail(p, token.column, "the choice has no closing \"}\"");
    MN_TRY(add_item(p, &o, rule));
  }
  net_lexer_next(&p->lexer);
  if (o.count == 0) return net_fail(p, column, "an empty choice; write its values between { and }");
  *value =
      (net_value){.kind = NET_VALUE_CHOICE,
                  .option = mn_arena_copy(p->arena, o.value, (size_t)o.count * sizeof o.value[0]),
                  .options = o.count,
                  .line = p->lexer.line,
                  .column = column};
  return value->option != NULL ? MN_OK : net_no_memory(p);
}

/* ---- Names -----------------------------------------------------------------------------------*/
static net_symbol *find_symbol(const net_parser *p, const net_token *token) {
  for (int32_t i = 0; i < p->symbol_count; i++) {
    if (net_token_is(token, p->symbols[i].name)) return &p->symbols[i];
  }
  return NULL;
}

static net_role symbol_role(const net_parser *p, const net_symbol *symbol) {
  return symbol->is_decision ? p->net->decisions[symbol->index].role
                             : p->net->named[symbol->index].role;
}

mn_status net_add_decision(net_parser *p, int32_t *index, const char *name, net_role role,
                           mn_decision_kind kind, const net_value *choice, bool named) {
  mn_net *net = p->net;
  if (name == NULL || !net_reserve(p->arena, (void **)&net->decisions, net->decision_count,
                                   &net->decision_capacity, sizeof *net->decisions)) {
    return net_no_memory(p);
  }
  net->decisions[net->decision_count] = (net_decision){
      .face = {name, kind, choice->line, choice->column, choice->options, choice->option},
      .all_value = choice->option,
      .all_options = choice->options,
      .role = role,
      .named = named};
  *index = net->decision_count++;
  return MN_OK;
}

static mn_status define(net_parser *p, const char *name, bool is_decision, int32_t index) {
  if (!net_reserve(p->arena, (void **)&p->symbols, p->symbol_count, &p->symbol_capacity,
                   sizeof *p->symbols)) {
    return net_no_memory(p);
  }
  p->symbols[p->symbol_count++] = (net_symbol){name, index, p->lexer.line, is_decision};
  return MN_OK;
}

static mn_status define_number(net_parser *p, net_value *value, const char *name, net_role role) {
  mn_net *net = p->net;
  if (!net_reserve(p->arena, (void **)&net->named, net->named_count, &net->named_capacity,
                   sizeof *net->named)) {
    return net_no_memory(p);
  }
  net->named[net->named_count] = (net_named){name, value->number, p->lexer.line, role};
  *value = (net_value){.kind = NET_VALUE_NAMED, .index = net->named_count};
  return define(p, name, false, net->named_count++);
}

static mn_status define_choice(net_parser *p, net_value *value, const char *name, net_role role) {
  static const mn_decision_kind kinds[] = {
      [NET_ROLE_WIDTH] = MN_DECISION_WIDTH,
      [NET_ROLE_WEIGHTS] = MN_DECISION_BITS,
      [NET_ROLE_ACTIVATIONS] = MN_DECISION_BITS,
      [NET_ROLE_INPUT] = MN_DECISION_INPUT,
  };
  net_value made = {.kind = NET_VALUE_DECISION};
  MN_TRY(net_add_decision(p, &made.index, name, role, kinds[role], value, true));
  *value = made;
  return define(p, name, true, made.index);
}

static mn_status check_new_name(net_parser *p, const net_token *name) {
  const net_symbol *old = find_symbol(p, name);
  if (old != NULL) {
    return net_fail(p, name->column, "%s is named twice; line %d names it first",
                    net_show(name).text, old->line);
  }
  for (int32_t i = 0; i < net_attribute_count; i++) {
    if (net_token_is(name, net_attributes[i].text)) {
      return net_fail(p, name->column, "%s is a word of the language and cannot be a name",
                      net_show(name).text);
    }
  }
  if (name->length < NET_MAX_NAME / 2) return MN_OK;
  return net_fail(p, name->column, "the name %s is too long; %d letters are possible",
                  net_show(name).text, NET_MAX_NAME / 2 - 1);
}

static mn_status refer(net_parser *p, net_value *value, const net_token *token, net_role role,
                       const char *what) {
  const char *names[64];
  int32_t count = p->symbol_count < 64 ? p->symbol_count : 64;
  const net_symbol *symbol = find_symbol(p, token);
  for (int32_t i = 0; i < count; i++) names[i] = p->symbols[i].name;
  if (symbol == NULL) {
    return net_fail(
        p, token->column, "%s is not named above%s", net_show(token).text,
        net_hint_of(token, names, count, "a number, a choice {...} or name=... is expected").text);
  }
  if (symbol_role(p, symbol) != role) {
    return net_fail(p, token->column, "%s is named on line %d for something else than %s",
                    net_show(token).text, symbol->line, what);
  }
  *value = (net_value){.kind = symbol->is_decision ? NET_VALUE_DECISION : NET_VALUE_NAMED,
                       .index = symbol->index};
  return MN_OK;
}

/* A number or a choice, already begun with `token`. */
static mn_status parse_plain(net_parser *p, net_value *value, const net_token *token, net_role role,
                             const char *what) {
  int32_t number = 0;
  if (token->kind == NET_OPEN) {
    net_choice_rule rule = {what, role, -1};
    return net_parse_choice(p, value, &rule, token->column);
  }
  if (!net_token_integer(token, INT32_MAX, &number)) {
    return net_not(p, token, what, "a number, a choice {...} or a name is expected");
  }
  *value = (net_value){.kind = NET_VALUE_FIXED, .number = number};
  return net_check_number(p, number, role, what, token->column);
}

mn_status net_parse_value(net_parser *p, net_value *value, net_role role, const char *what) {
  net_token token = net_lexer_next(&p->lexer);
  if (token.kind != NET_WORD) return parse_plain(p, value, &token, role, what);
  if (net_lexer_peek(&p->lexer).kind != NET_EQUAL) return refer(p, value, &token, role, what);
  MN_TRY(check_new_name(p, &token));
  net_lexer_next(&p->lexer); /* = */
  net_token first = net_lexer_next(&p->lexer);
  MN_TRY(parse_plain(p, value, &first, role, what));
  const char *name = net_token_copy(p, &token);
  if (name == NULL) return net_no_memory(p);
  if (value->kind == NET_VALUE_FIXED) return define_number(p, value, name, role);
  return define_choice(p, value, name, role);
}
