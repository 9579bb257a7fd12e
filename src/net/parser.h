/* parser.h - what the files that read .net text share. Internal to room net.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_NET_PARSER_H
#define MN_NET_PARSER_H

#include "net/lexer.h"
#include "net/net_tree.h"

typedef struct net_symbol {
  const char *name;
  int32_t index, line; /* of a decision or a named value */
  bool is_decision;
} net_symbol;

typedef struct net_parser {
  net_lexer lexer;
  mn_net *net;
  mn_arena *arena;
  const char *path;
  mn_error *error;
  /* state of the lines above */
  int32_t steps_percent, steps_multiple; /* percent 0: no steps line yet */
  bool steps_nearest;
  net_layer defaults;
  net_symbol *symbols;
  int32_t symbol_count, symbol_capacity;
  int32_t count[NET_WORD_COUNT]; /* of layers so far, for names */
  /* the open block: its own line, and lines kept until "end" */
  bool in_block;
  net_layer block;
  net_layer *body;
  int32_t body_count, body_capacity;
} net_parser;

/* Status MN_ERR_FORMAT, "path:line:column: ...". */
mn_status net_fail(const net_parser *p, int32_t column, const char *format, ...) MN_PRINTF(3, 4);
mn_status net_fail_at(const net_parser *p, int32_t line, int32_t column, const char *format, ...)
    MN_PRINTF(4, 5);
mn_status net_no_memory(const net_parser *p);
/* A token as messages show it: its text in quotes, or "the end of the line". */
typedef struct net_shown {
  char text[64];
} net_shown;
net_shown net_show(const net_token *token);
/* `"x" is no width; ...`, or `the line ends before the width; ...`. */
mn_status net_not(const net_parser *p, const net_token *token, const char *what,
                  const char *expected);
/* `; did you mean "x"?`, or `; <otherwise>`. */
typedef struct net_hint {
  char text[320];
} net_hint;
net_hint net_hint_of(const net_token *token, const char *const *names, int32_t count,
                     const char *otherwise);
mn_status net_expect_end(net_parser *p, const char *after);
const char *net_token_copy(net_parser *p, const net_token *token);

/* ---- Values (value.c) --------------------------------------------------------------------------*/
mn_status net_parse_value(net_parser *p, net_value *value, net_role role, const char *what);
/* After "{": options of a choice, sorted, each once. words NULL: numbers. */
typedef struct net_choice_rule {
  const char *what;
  net_role role;
  int32_t key; /* INPUT: which setting */
} net_choice_rule;
mn_status net_parse_choice(net_parser *p, net_value *value, const net_choice_rule *rule,
                           int32_t column);
mn_status net_check_number(const net_parser *p, int32_t number, net_role role, const char *what,
                           int32_t column);
mn_status net_parse_steps(net_parser *p);
/* A new decision; returns its index through `index`. */
mn_status net_add_decision(net_parser *p, int32_t *index, const char *name, net_role role,
                           mn_decision_kind kind, const net_value *choice, bool named);
/* Numbers from `lowest` to `highest` that stand alone. */
mn_status net_parse_integer(net_parser *p, int32_t *number, int32_t lowest, int32_t highest,
                            const char *what);

/* ---- Input line (input.c) ----------------------------------------------------------------------*/
/* After the word "input". `choices` false: one front end, nothing open. */
mn_status net_parse_input(net_parser *p, net_input *input, bool choices);

/* ---- Layers (expand.c) -------------------------------------------------------------------------*/
/* Turns one line (times copies) or a finished block into layers with names and decisions. */
mn_status net_expand_line(net_parser *p, const net_layer *line);
mn_status net_expand_block(net_parser *p);
mn_status net_finish(net_parser *p);

#endif
