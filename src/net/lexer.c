/* lexer.c - see lexer.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/lexer.h"

#include <string.h>

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

net_lexer net_lexer_make(mn_bytes text) {
  return (net_lexer){.text = (const char *)text.data, .size = text.size, .line = 1};
}

/* The character `ahead` of the position, or a newline beyond the end. */
static char look(const net_lexer *lexer, size_t ahead) {
  size_t at = lexer->at + ahead;
  return at < lexer->size ? lexer->text[at] : '\n';
}

static size_t digits(const net_lexer *lexer, size_t from) {
  while (is_digit(look(lexer, from))) from++;
  return from;
}

/* digits { "x" digits } is a size; digits [ "." digits ] [ unit ] is a number. */
static net_token_kind scan_number(const net_lexer *lexer, size_t *length) {
  size_t n = digits(lexer, 0);
  net_token_kind kind = NET_NUMBER;
  while (look(lexer, n) == 'x' && is_digit(look(lexer, n + 1))) {
    n = digits(lexer, n + 1);
    kind = NET_SIZE;
  }
  if (kind == NET_NUMBER && look(lexer, n) == '.' && is_digit(look(lexer, n + 1))) {
    n = digits(lexer, n + 1);
  }
  if (look(lexer, n) == '%') n++;
  size_t unit = n;
  while (is_letter(look(lexer, n)) || is_digit(look(lexer, n))) n++;
  if (kind == NET_SIZE && n > unit) kind = NET_BAD;
  *length = n;
  return kind;
}

static net_token_kind scan(const net_lexer *lexer, size_t *length) {
  char c = look(lexer, 0);
  *length = 1;
  if (is_digit(c)) return scan_number(lexer, length);
  if (is_letter(c)) {
    while (is_letter(look(lexer, *length)) || is_digit(look(lexer, *length))) (*length)++;
    return NET_WORD;
  }
  switch (c) {
    case '{': return NET_OPEN;
    case '}': return NET_CLOSE;
    case '=': return NET_EQUAL;
    case ':': return NET_COLON;
    case '.':
      if (look(lexer, 1) != '.') return NET_BAD;
      *length = 2;
      return NET_RANGE;
    default: return NET_BAD;
  }
}

net_token net_lexer_next(net_lexer *lexer) {
  char c = look(lexer, 0);
  while (c == ' ' || c == '\t' || c == '\r') {
    lexer->at++;
    c = look(lexer, 0);
  }
  net_token token = {.kind = NET_END,
                     .text = lexer->text + lexer->at,
                     .column = (int32_t)(lexer->at - lexer->line_start) + 1};
  if (c == '\n' || c == '#') return token;
  size_t length = 0;
  token.kind = scan(lexer, &length);
  token.length = (int32_t)length;
  lexer->at += length;
  return token;
}

net_token net_lexer_peek(const net_lexer *lexer) {
  net_lexer copy = *lexer;
  return net_lexer_next(&copy);
}

bool net_lexer_next_line(net_lexer *lexer) {
  while (lexer->at < lexer->size && lexer->text[lexer->at] != '\n') lexer->at++;
  if (lexer->at >= lexer->size) return false;
  lexer->at++;
  lexer->line_start = lexer->at;
  lexer->line++;
  return true;
}

bool net_token_is(const net_token *token, const char *word) {
  size_t length = strlen(word);
  return token->kind == NET_WORD && (size_t)token->length == length &&
         memcmp(token->text, word, length) == 0;
}

static bool digits_value(const char *text, int32_t length, int32_t max, int32_t *value) {
  int64_t sum = 0;
  if (length < 1) return false;
  for (int32_t i = 0; i < length; i++) {
    if (!is_digit(text[i])) return false;
    sum = 10 * sum + (text[i] - '0');
    if (sum > max) return false;
  }
  *value = (int32_t)sum;
  return true;
}

bool net_token_integer(const net_token *token, int32_t max, int32_t *value) {
  return token->kind == NET_NUMBER && digits_value(token->text, token->length, max, value);
}

/* Digits with the decimal point dropped, and the power of ten that was dropped with it. */
static bool decimal_value(const char *text, int32_t length, int64_t *mantissa, int64_t *power) {
  bool fraction = false;
  *mantissa = 0;
  *power = 1;
  for (int32_t i = 0; i < length; i++) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    if (*mantissa > INT32_MAX || *power > INT32_MAX) return false;
    *mantissa = 10 * *mantissa + (text[i] - '0');
    if (fraction) *power *= 10;
  }
  return length > 0;
}

bool net_token_scaled(const net_token *token, const char *unit, int32_t scale, int32_t *value) {
  int32_t number = 0;
  while (number < token->length && (is_digit(token->text[number]) || token->text[number] == '.')) {
    number++;
  }
  size_t unit_length = strlen(unit);
  if (token->kind != NET_NUMBER || (size_t)(token->length - number) != unit_length ||
      memcmp(token->text + number, unit, unit_length) != 0) {
    return false;
  }
  int64_t mantissa, power;
  if (!decimal_value(token->text, number, &mantissa, &power)) return false;
  int64_t scaled = mantissa * scale;
  if (scaled % power != 0 || scaled / power > INT32_MAX) return false;
  *value = (int32_t)(scaled / power);
  return true;
}

int32_t net_token_size(const net_token *token, int32_t max, int32_t *dims, int32_t dims_max) {
  int32_t count = 0, start = 0;
  if (token->kind != NET_SIZE && token->kind != NET_NUMBER) return 0;
  for (int32_t i = 0; i <= token->length; i++) {
    if (i < token->length && token->text[i] != 'x') continue;
    if (count == dims_max || !digits_value(token->text + start, i - start, max, &dims[count]) ||
        dims[count] < 1) {
      return 0;
    }
    count++;
    start = i + 1;
  }
  return count;
}
