/* parse.c - lines of a .net file: layers with their attributes, defaults, blocks (grammar in
 * docs/net.md).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "net/parser.h"

#define MAX_FILE (1 << 20)

/* ---- Messages --------------------------------------------------------------------------------*/
static mn_status fail_text(const net_parser *p, int32_t line, int32_t column, const char *format,
                           va_list arguments) {
  char text[400];
  vsnprintf(text, sizeof text, format, arguments);
  return mn_error_set(p->error, MN_ERR_FORMAT, "%s:%d:%d: %s", p->path, line, column, text);
}

mn_status net_fail(const net_parser *p, int32_t column, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  mn_status status = fail_text(p, p->lexer.line, column, format, arguments);
  va_end(arguments);
  return status;
}

mn_status net_fail_at(const net_parser *p, int32_t line, int32_t column, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  mn_status status = fail_text(p, line, column, format, arguments);
  va_end(arguments);
  return status;
}

mn_status net_no_memory(const net_parser *p) {
  return mn_error_set(p->error, MN_ERR_MEMORY, "%s: out of memory", p->path);
}

net_shown net_show(const net_token *token) {
  net_shown shown;
  uint8_t c = token->length > 0 ? (uint8_t)token->text[0] : 0;
  if (token->kind == NET_END) {
    snprintf(shown.text, sizeof shown.text, "the end of the line");
  } else if (c < 0x20 || c > 0x7e) {
    snprintf(shown.text, sizeof shown.text, "the byte 0x%02x", c);
  } else {
    snprintf(shown.text, sizeof shown.text, "\"%.*s\"", token->length < 40 ? token->length : 40,
             token->text);
  }
  return shown;
}

mn_status net_not(const net_parser *p, const net_token *token, const char *what,
                  const char *expected) {
  if (token->kind == NET_END) {
    return net_fail(p, token->column, "the line ends before the %s; %s", what, expected);
  }
  return net_fail(p, token->column, "%s is no %s; %s", net_show(token).text, what, expected);
}

net_hint net_hint_of(const net_token *token, const char *const *names, int32_t count,
                     const char *otherwise) {
  net_hint hint;
  char word[NET_MAX_NAME];
  snprintf(word, sizeof word, "%.*s", token->length, token->text);
  const char *near = token->kind == NET_WORD ? mn_nearest(word, names, (size_t)count) : NULL;
  if (near != NULL) {
    snprintf(hint.text, sizeof hint.text, "; did you mean \"%s\"?", near);
  } else {
    snprintf(hint.text, sizeof hint.text, "; %s", otherwise);
  }
  return hint;
}

mn_status net_expect_end(net_parser *p, const char *after) {
  net_token token = net_lexer_next(&p->lexer);
  if (token.kind == NET_END) return MN_OK;
  return net_fail(p, token.column, "%s after %s; the line should end there", net_show(&token).text,
                  after);
}

const char *net_token_copy(net_parser *p, const net_token *token) {
  return mn_arena_text(p->arena, "%.*s", token->length, token->text);
}

bool net_reserve(mn_arena *arena, void **items, int32_t count, int32_t *capacity, size_t size) {
  if (count < *capacity) return true;
  int32_t larger = *capacity > 0 ? 2 * *capacity : 16;
  void *memory = mn_arena_array(arena, (size_t)larger, size);
  if (memory == NULL) return false;
  if (count > 0) memcpy(memory, *items, (size_t)count * size);
  *items = memory;
  *capacity = larger;
  return true;
}

/* ---- Attributes ------------------------------------------------------------------------------*/
#define DEFAULTS_TAKE (NET_ACTIVATION | NET_PADDING | NET_BN | NET_BITS)

static const net_attribute_info *find_attribute(const net_token *token) {
  for (int32_t i = 0; i < net_attribute_count; i++) {
    if (net_token_is(token, net_attributes[i].text)) return &net_attributes[i];
  }
  return NULL;
}

/* The attributes a line takes, as names for "did you mean" and as a list for the reader. */
static int32_t attribute_names(const char **names, char *list, size_t size, uint32_t groups) {
  int32_t count = 0;
  size_t used = 0;
  list[0] = 0;
  for (int32_t i = 0; i < net_attribute_count; i++) {
    if ((net_attributes[i].group & groups) == 0) continue;
    names[count++] = net_attributes[i].text;
    int wrote = snprintf(list + used, size - used, " %s", net_attributes[i].text);
    if (wrote > 0 && used + (size_t)wrote < size) used += (size_t)wrote;
  }
  return count;
}

static mn_status unknown_attribute(net_parser *p, const net_token *token, const char *word,
                                   uint32_t groups) {
  const char *names[32];
  char list[200], otherwise[240];
  int32_t count = attribute_names(names, list, sizeof list, groups);
  const net_attribute_info *known = find_attribute(token);
  if (known != NULL) {
    return net_fail(p, token->column, "\"%s\" has no meaning for %s; it takes%s", known->text, word,
                    count > 0 ? list : " no attributes");
  }
  snprintf(otherwise, sizeof otherwise, count > 0 ? "it takes%s" : "it takes no attributes%s",
           list);
  if (token->kind != NET_WORD) {
    return net_fail(p, token->column, "%s has no meaning after %s; %s", net_show(token).text, word,
                    otherwise);
  }
  return net_fail(p, token->column, "unknown word %s after %s%s", net_show(token).text, word,
                  net_hint_of(token, names, count, otherwise).text);
}

static mn_status parse_kernel(net_parser *p, int32_t *h, int32_t *w, const char *what) {
  net_token token = net_lexer_next(&p->lexer);
  int32_t dims[2];
  int32_t count = net_token_size(&token, NET_MAX_SIZE, dims, 2);
  if (token.kind == NET_OPEN) {
    return net_fail(p, token.column,
                    "a %s cannot be a choice; widths, bits and parts of the input line can", what);
  }
  if (count == 0) return net_not(p, &token, what, "write it as HxW, such as 3x3 or 2x1");
  *h = dims[0];
  *w = dims[count - 1];
  return MN_OK;
}

static mn_status parse_key(net_parser *p, net_layer *line, net_group group) {
  switch (group) {
    case NET_STRIDE: return parse_kernel(p, &line->stride_h, &line->stride_w, "stride");
    case NET_MULTIPLIER: return net_parse_integer(p, &line->multiplier, 1, 256, "multiplier");
    case NET_WEIGHTS: return net_parse_value(p, &line->weights, NET_ROLE_WEIGHTS, "weights");
    case NET_ACTIVATIONS:
      return net_parse_value(p, &line->activations, NET_ROLE_ACTIVATIONS, "activations");
    default: return net_parse_integer(p, &line->times, 1, 256, "number of copies");
  }
}

static void set_flag(net_layer *line, const net_attribute_info *flag) {
  switch (flag->group) {
    case NET_ACTIVATION: line->activation = (mn_activation)flag->value; break;
    case NET_PADDING: line->padding = (mn_padding)flag->value; break;
    case NET_BN: line->bn = flag->value != 0; break;
    case NET_OPTIONAL: line->optional = true; break;
    default: line->shortcut = (net_shortcut)flag->value; break;
  }
}

static mn_status parse_attributes(net_parser *p, net_layer *line, const char *word,
                                  uint32_t groups) {
  for (net_token token = net_lexer_next(&p->lexer); token.kind != NET_END;
       token = net_lexer_next(&p->lexer)) {
    const net_attribute_info *found = find_attribute(&token);
    if (found == NULL || (found->group & groups) == 0) {
      return unknown_attribute(p, &token, word, groups);
    }
    if ((line->own & (uint32_t)found->group) != 0) {
      return net_fail(p, token.column, "\"%s\" sets again what this line has set; keep one of them",
                      found->text);
    }
    line->own |= (uint32_t)found->group;
    if (!found->is_key) {
      set_flag(line, found);
    } else {
      MN_TRY(parse_key(p, line, found->group));
    }
  }
  return MN_OK;
}

/* ---- Layers ----------------------------------------------------------------------------------*/
static mn_status parse_pool(net_parser *p, net_layer *line) {
  net_token token = net_lexer_next(&p->lexer);
  if (!net_token_is(&token, "avg") && !net_token_is(&token, "max")) {
    return net_not(p, &token, "pool", "write avg or max");
  }
  line->pool = net_token_is(&token, "max") ? NET_POOL_MAX : NET_POOL_AVG;
  net_token window = net_lexer_peek(&p->lexer);
  if (window.kind != NET_SIZE && window.kind != NET_NUMBER) return MN_OK;
  MN_TRY(parse_kernel(p, &line->kernel_h, &line->kernel_w, "pool window"));
  line->stride_h = line->kernel_h;
  line->stride_w = line->kernel_w;
  return MN_OK;
}

static mn_status parse_shape(net_parser *p, net_layer *line) {
  net_token token = net_lexer_next(&p->lexer);
  line->shape.dim[0] = 1;
  int32_t count = net_token_size(&token, NET_MAX_SIZE, line->shape.dim + 1, 3);
  if (count == 0) return net_not(p, &token, "shape", "write it as HxWxC, such as 49x10x1");
  line->shape.rank = count + 1;
  return MN_OK;
}

static mn_status parse_operand(net_parser *p, net_layer *line, net_operand operand) {
  switch (operand) {
    case NET_OPERAND_KERNEL: return parse_kernel(p, &line->kernel_h, &line->kernel_w, "kernel");
    case NET_OPERAND_WIDTH: return net_parse_value(p, &line->width, NET_ROLE_WIDTH, "width");
    case NET_OPERAND_EXPAND: return net_parse_value(p, &line->expand, NET_ROLE_WIDTH, "expansion");
    case NET_OPERAND_POOL: return parse_pool(p, line);
    case NET_OPERAND_SHAPE: return parse_shape(p, line);
    default: return MN_OK;
  }
}

/* What the lines above and the word itself say before the line speaks. */
static net_layer fresh_layer(const net_parser *p, net_word word, const char *label,
                             int32_t column) {
  uint32_t takes = net_words[word].attributes;
  net_layer line = p->defaults;
  if ((takes & NET_ACTIVATION) == 0 || word == NET_WORD_BLOCK) line.activation = MN_ACTIVATION_NONE;
  if ((takes & NET_PADDING) == 0 || word == NET_WORD_POOL) line.padding = MN_PADDING_SAME;
  if ((takes & NET_BITS) == 0) {
    line.weights = line.activations = (net_value){.kind = NET_VALUE_FIXED, .number = 8};
  }
  line.word = word;
  line.label = label;
  line.line = p->lexer.line;
  line.column = column;
  line.own = 0;
  return line;
}

/* Attributes whose meaning hangs on others of the same line. */
static mn_status check_line(net_parser *p, const net_layer *line) {
  const char *word = net_words[line->word].text;
  if (line->label != NULL && line->times > 1) {
    return net_fail(p, line->column,
                    "the name \"%s\" cannot stand for %d layers; leave it or times out",
                    line->label, line->times);
  }
  if (line->word == NET_WORD_BLOCK && (line->own & NET_ACTIVATION) != 0 &&
      line->shortcut == NET_SHORTCUT_NONE) {
    return net_fail(p, line->column,
                    "an activation of a block stands after its sum; add residual or projection");
  }
  if (line->word == NET_WORD_POOL && line->kernel_h == 0 && line->own != 0 &&
      (line->own & ~(uint32_t)NET_TIMES) != 0) {
    return net_fail(p, line->column,
                    "%s over the whole map takes no window attributes; give a window", word);
  }
  if (p->in_block && line->optional && p->block.optional) {
    return net_fail(p, line->column,
                    "%s is optional inside an optional block; only one of them can be", word);
  }
  return MN_OK;
}

static mn_status keep_line(net_parser *p, const net_layer *line) {
  if (!net_reserve(p->arena, (void **)&p->body, p->body_count, &p->body_capacity,
                   sizeof *p->body)) {
    return net_no_memory(p);
  }
  p->body[p->body_count++] = *line;
  return MN_OK;
}

static mn_status open_block(net_parser *p, const char *label, int32_t column) {
  if (p->in_block) {
    return net_fail(p, column, "a block inside the block of line %d; blocks hold layers only",
                    p->block.line);
  }
  net_layer line = fresh_layer(p, NET_WORD_BLOCK, label, column);
  MN_TRY(parse_attributes(p, &line, "block", net_words[NET_WORD_BLOCK].attributes));
  MN_TRY(check_line(p, &line));
  p->in_block = true;
  p->block = line;
  p->body_count = 0;
  return MN_OK;
}

/* The strides of a block's lines multiply in its shortcut. */
static mn_status check_strides(net_parser *p) {
  int64_t h = p->block.stride_h, w = p->block.stride_w;
  for (int32_t i = 0; i < p->body_count && h <= NET_MAX_SIZE && w <= NET_MAX_SIZE; i++) {
    h *= p->body[i].stride_h;
    w *= p->body[i].stride_w;
  }
  if (h <= NET_MAX_SIZE && w <= NET_MAX_SIZE) return MN_OK;
  return net_fail_at(p, p->block.line, p->block.column,
                     "the strides of this block make more than %d; expected less", NET_MAX_SIZE);
}

static mn_status close_block(net_parser *p, int32_t column) {
  bool always = false;
  MN_TRY(net_expect_end(p, "end"));
  if (!p->in_block) return net_fail(p, column, "\"end\" without a block");
  for (int32_t i = 0; i < p->body_count; i++) always = always || !p->body[i].optional;
  if (!always) {
    return net_fail_at(p, p->block.line, p->block.column,
                       "block holds no layer that is always there; give it one");
  }
  MN_TRY(check_strides(p));
  p->in_block = false;
  return net_expand_block(p);
}

static mn_status unknown_line(net_parser *p, const net_token *token) {
  const char *names[NET_WORD_COUNT + 4] = {"input", "default", "steps", "end"};
  for (int32_t w = 0; w < NET_WORD_COUNT; w++) names[4 + w] = net_words[w].text;
  return net_fail(p, token->column, "unknown word %s%s", net_show(token).text,
                  net_hint_of(token, names, NET_WORD_COUNT + 4,
                              "a line starts with input, default, steps, end or a layer: conv "
                              "depthwise ds ibn fc pool flatten reshape softmax block")
                      .text);
}

static mn_status parse_layer(net_parser *p, const net_token *first, const char *label) {
  net_word word = NET_WORD_COUNT;
  for (int32_t w = 0; w < NET_WORD_COUNT; w++) {
    if (net_token_is(first, net_words[w].text)) word = (net_word)w;
  }
  if (word == NET_WORD_COUNT) return unknown_line(p, first);
  if (p->net->input.line == 0) {
    return net_fail(p, first->column, "a layer stands above the input line; begin with \"input\"");
  }
  if (word == NET_WORD_BLOCK) return open_block(p, label, first->column);
  net_layer line = fresh_layer(p, word, label, first->column);
  for (int32_t i = 0; i < 3; i++) MN_TRY(parse_operand(p, &line, net_words[word].operand[i]));
  MN_TRY(parse_attributes(p, &line, net_words[word].text, net_words[word].attributes));
  MN_TRY(check_line(p, &line));
  return p->in_block ? keep_line(p, &line) : net_expand_line(p, &line);
}

/* ---- Statements ------------------------------------------------------------------------------*/
static mn_status parse_default(net_parser *p, int32_t column) {
  net_layer line = p->defaults;
  line.own = 0;
  MN_TRY(parse_attributes(p, &line, "default", DEFAULTS_TAKE));
  if (line.own == 0)
    return net_fail(p, column, "default needs attributes, such as relu or weights 4");
  p->defaults = line;
  return MN_OK;
}

static mn_status parse_input_line(net_parser *p, int32_t column) {
  if (p->net->input.line != 0) {
    return net_fail(p, column, "a second input line; the first is line %d", p->net->input.line);
  }
  if (p->in_block) return net_fail(p, column, "an input line inside a block");
  p->net->input.column = column;
  MN_TRY(net_parse_input(p, &p->net->input, true));
  p->net->input.line = p->lexer.line;
  return MN_OK;
}

static bool reserved(const net_token *token) {
  static const char *const others[] = {"input", "default", "steps", "end", "by"};
  for (size_t i = 0; i < MN_COUNT(others); i++) {
    if (net_token_is(token, others[i])) return true;
  }
  for (int32_t w = 0; w < NET_WORD_COUNT; w++) {
    if (net_token_is(token, net_words[w].text)) return true;
  }
  return find_attribute(token) != NULL;
}

static mn_status parse_label(net_parser *p, const char **label, net_token *token) {
  if (reserved(token)) {
    return net_fail(p, token->column, "%s is a word of the language and cannot be a name",
                    net_show(token).text);
  }
  if (token->length >= NET_MAX_NAME / 2) {
    return net_fail(p, token->column, "the name %s is too long; %d letters are possible",
                    net_show(token).text, NET_MAX_NAME / 2 - 1);
  }
  *label = net_token_copy(p, token);
  if (*label == NULL) return net_no_memory(p);
  net_lexer_next(&p->lexer); /* the colon */
  *token = net_lexer_next(&p->lexer);
  return MN_OK;
}

static mn_status parse_line(net_parser *p) {
  const char *label = NULL;
  net_token token = net_lexer_next(&p->lexer);
  if (token.kind == NET_END) return MN_OK;
  if (token.kind == NET_WORD && net_lexer_peek(&p->lexer).kind == NET_COLON) {
    MN_TRY(parse_label(p, &label, &token));
  } else if (net_token_is(&token, "input")) {
    return parse_input_line(p, token.column);
  } else if (net_token_is(&token, "default")) {
    return parse_default(p, token.column);
  } else if (net_token_is(&token, "steps")) {
    return net_parse_steps(p);
  } else if (net_token_is(&token, "end")) {
    return close_block(p, token.column);
  }
  return parse_layer(p, &token, label);
}

static net_layer first_defaults(void) {
  net_value bits = {.kind = NET_VALUE_FIXED, .number = 8};
  return (net_layer){.block = -1,
                     .stride_h = 1,
                     .stride_w = 1,
                     .multiplier = 1,
                     .times = 1,
                     .weights = bits,
                     .activations = bits,
                     .activation = MN_ACTIVATION_RELU6,
                     .padding = MN_PADDING_SAME,
                     .bn = true,
                     .optional_decision = -1};
}

mn_status mn_net_parse(mn_net **net, mn_arena *arena, const char *path, mn_bytes text,
                       mn_error *error) {
  mn_net *made = mn_arena_alloc(arena, sizeof *made);
  net_parser p = {.lexer = net_lexer_make(text),
                  .net = made,
                  .arena = arena,
                  .path = mn_arena_text(arena, "%s", path),
                  .error = error,
                  .defaults = first_defaults()};
  if (made == NULL || p.path == NULL) {
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  }
  if (text.size > MAX_FILE) {
    return mn_error_set(error, MN_ERR_FORMAT, "%s: has %zu bytes; a .net file has at most %d", path,
                        text.size, MAX_FILE);
  }
  *made = (mn_net){.arena = arena, .path = p.path, .last = -1};
  do {
    MN_TRY(parse_line(&p));
  } while (net_lexer_next_line(&p.lexer));
  MN_TRY(net_finish(&p));
  *net = made;
  return MN_OK;
}
