/* lexer.h - splits one line of a .net file into tokens. Internal to room net.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_NET_LEXER_H
#define MN_NET_LEXER_H

#include "micronets/base.h"

typedef enum net_token_kind {
  NET_END,    /* of the line, or a comment */
  NET_WORD,   /* letter or _, then letters, digits, _ */
  NET_NUMBER, /* 12  4.5  40ms  10% */
  NET_SIZE,   /* 3x3  49x10x1 */
  NET_OPEN,   /* { */
  NET_CLOSE,  /* } */
  NET_EQUAL,  /* = */
  NET_COLON,  /* : */
  NET_RANGE,  /* .. */
  NET_BAD     /* a character that has no place here */
} net_token_kind;

typedef struct net_token {
  net_token_kind kind;
  const char *text; /* points into the file; not terminated */
  int32_t length, column;
} net_token;

typedef struct net_lexer {
  const char *text;
  size_t size, at, line_start;
  int32_t line;
} net_lexer;

net_lexer net_lexer_make(mn_bytes text);
net_token net_lexer_next(net_lexer *lexer);
net_token net_lexer_peek(const net_lexer *lexer);
/* Goes to the start of the next line; false at the end of the text. */
bool net_lexer_next_line(net_lexer *lexer);

bool net_token_is(const net_token *token, const char *word);
/* A number of digits alone; false also beyond `max`. */
bool net_token_integer(const net_token *token, int32_t max, int32_t *value);
/* A number with a unit, scaled: "7.6kHz" with unit "kHz" and scale 1000 is 7600. False where the
 * unit differs, the result is not whole or exceeds 2^31 - 1. */
bool net_token_scaled(const net_token *token, const char *unit, int32_t scale, int32_t *value);
/* The dimensions of a size, or a plain integer as one dimension; 0 where out of 1..max. */
int32_t net_token_size(const net_token *token, int32_t max, int32_t *dims, int32_t dims_max);

#endif
