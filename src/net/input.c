/* input.c - the input line: size, front end and its settings, to and from text. The same text is the
 * metadata of a .tflite and the key of the feature cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "net/parser.h"

/* ---- Tables ----------------------------------------------------------------------------------*/
typedef enum key_unit { UNIT_HZ, UNIT_US, UNIT_INT, UNIT_WORD } key_unit;

#define AUDIO (1u << MN_FRONTEND_MFCC | 1u << MN_FRONTEND_LOGMEL | 1u << MN_FRONTEND_SPECTRUM)
#define SOUND (1u << MN_FRONTEND_MFCC | 1u << MN_FRONTEND_LOGMEL)
#define SPECTRUM (1u << MN_FRONTEND_SPECTRUM)
#define IMAGE (1u << MN_FRONTEND_IMAGE)

typedef struct key_info {
  const char *text;
  size_t offset;
  key_unit unit;
  int32_t initial;
} key_info;

static const key_info keys[NET_KEYS] = {
#define X(key, field, unit, initial) {#key, offsetof(mn_frontend, field), UNIT_##unit, initial},
    MN_FRONTEND_KEYS(X)
#undef X
};

/* What the list in features.h does not say: which front ends have the setting, its largest number,
 * whether it is always written and whether it may be a choice. */
typedef struct key_use {
  uint32_t kinds;
  int32_t lowest, highest;
  bool always, choice;
} key_use;

static const key_use uses[NET_KEYS] = {
    [NET_KEY_rate] = {AUDIO, 1, 400000, true, false},
    [NET_KEY_length] = {AUDIO, 1, 600000000, true, false},
    [NET_KEY_window] = {AUDIO, 1, 60000000, true, false},
    [NET_KEY_step] = {AUDIO, 1, 60000000, true, false},
    [NET_KEY_mels] = {SOUND, 1, 1024, true, true},
    [NET_KEY_bands] = {SPECTRUM, 1, 1024, true, true},
    [NET_KEY_from] = {AUDIO, 0, 200000, true, false},
    [NET_KEY_to] = {AUDIO, 1, 200000, true, false},
    [NET_KEY_keep] = {1u << MN_FRONTEND_MFCC, 1, 1024, true, false},
    [NET_KEY_lifter] = {1u << MN_FRONTEND_MFCC, 0, 100, false, false},
    [NET_KEY_mel] = {SOUND, 0, 0, false, false},
    [NET_KEY_log] = {AUDIO, 0, 0, false, false},
    [NET_KEY_style] = {SOUND, 0, 0, false, false},
    [NET_KEY_level] = {SOUND, 0, 0, false, false},
    [NET_KEY_frames] = {AUDIO, 0, 10000, false, false},
    [NET_KEY_every] = {AUDIO, 0, 10000, false, false},
    [NET_KEY_channels] = {SPECTRUM, 1, 16, false, false},
    [NET_KEY_size] = {IMAGE, 1, 4096, true, true},
    [NET_KEY_colour] = {IMAGE, 0, 0, true, true},
};

static const struct {
  const char *text;
  mn_frontend_kind kind;
} kinds[] = {
    {"mfcc", MN_FRONTEND_MFCC},
    {"logmel", MN_FRONTEND_LOGMEL},
    {"spectrum", MN_FRONTEND_SPECTRUM},
    {"image", MN_FRONTEND_IMAGE},
};

static const struct {
  int32_t key, value;
  const char *text;
} key_words[] = {
#define X(key, word, value) {NET_KEY_##key, value, #word},
    MN_FRONTEND_WORDS(X)
#undef X
};

const char *net_key_word(int32_t key, int32_t value) {
  for (size_t i = 0; i < MN_COUNT(key_words); i++) {
    if (key_words[i].key == key && key_words[i].value == value) return key_words[i].text;
  }
  return NULL;
}

int32_t *net_key_field(mn_frontend *frontend, int32_t key) {
  return (int32_t *)(void *)((char *)frontend + keys[key].offset);
}

/* ---- Reading ---------------------------------------------------------------------------------*/
static int32_t find_key(const net_token *token) {
  for (int32_t key = 0; key < NET_KEYS; key++) {
    if (net_token_is(token, keys[key].text)) return key;
  }
  return -1;
}

static const char *kind_text(mn_frontend_kind kind) {
  for (size_t i = 0; i < MN_COUNT(kinds); i++) {
    if (kinds[i].kind == kind) return kinds[i].text;
  }
  return "none";
}

static mn_status unknown_key(net_parser *p, const net_token *token, mn_frontend_kind kind) {
  const char *names[NET_KEYS + 1];
  int32_t count = 0, known = find_key(token);
  if (known >= 0) {
    return net_fail(p, token->column, "\"%s\" is no setting of %s", keys[known].text,
                    kind_text(kind));
  }
  for (int32_t key = 0; key < NET_KEYS; key++) {
    if ((uses[key].kinds >> kind & 1) != 0) names[count++] = keys[key].text;
  }
  if (kind != MN_FRONTEND_IMAGE) names[count++] = "resize";
  return net_fail(p, token->column, "unknown word %s after %s%s", net_show(token).text,
                  kind_text(kind),
                  net_hint_of(token, names, count, "the name of a setting is expected").text);
}

static mn_status parse_unit(net_parser *p, int32_t *field, int32_t key, const net_token *token) {
  static const struct {
    key_unit unit;
    const char *text;
    int32_t scale;
  } units[] = {{UNIT_HZ, "Hz", 1},
               {UNIT_HZ, "kHz", 1000},
               {UNIT_US, "us", 1},
               {UNIT_US, "ms", 1000},
               {UNIT_US, "s", 1000000}};
  const char *example =
      keys[key].unit == UNIT_HZ ? "write it as 16kHz or 20Hz" : "write it as 40ms or 1s";
  for (size_t i = 0; i < MN_COUNT(units); i++) {
    if (units[i].unit != keys[key].unit ||
        !net_token_scaled(token, units[i].text, units[i].scale, field)) {
      continue;
    }
    if (*field >= uses[key].lowest && *field <= uses[key].highest) return MN_OK;
    return net_fail(p, token->column, "%s %s is out of range", keys[key].text,
                    net_show(token).text);
  }
  return net_not(p, token, keys[key].text, example);
}

static mn_status parse_word(net_parser *p, int32_t *field, int32_t key, const net_token *token) {
  const char *names[8];
  int32_t count = 0;
  for (const char *word; (word = net_key_word(key, count)) != NULL; count++) {
    if (net_token_is(token, word)) {
      *field = count;
      return MN_OK;
    }
    names[count] = word;
  }
  char otherwise[80] = "it takes ";
  for (int32_t i = 0; i < count; i++) {
    if (i > 0) strcat(otherwise, " or ");
    strcat(otherwise, names[i]);
  }
  return net_not(p, token, keys[key].text, net_hint_of(token, names, count, otherwise).text + 2);
}

static mn_status parse_key_choice(net_parser *p, net_input *input, int32_t key, bool choices,
                                  int32_t column) {
  net_value choice;
  net_choice_rule rule = {keys[key].text, NET_ROLE_INPUT, key};
  if (!uses[key].choice || !choices) {
    return net_fail(p, column, "%s cannot be a choice", keys[key].text);
  }
  MN_TRY(net_parse_choice(p, &choice, &rule, column));
  for (int32_t i = 0; keys[key].unit == UNIT_INT && i < choice.options; i++) {
    if (choice.option[i] > uses[key].highest) {
      return net_fail(p, column, "%s of %d; a number up to %d is expected", keys[key].text,
                      choice.option[i], uses[key].highest);
    }
  }
  const char *name = mn_arena_text(p->arena, "input.%s", keys[key].text);
  return net_add_decision(p, &input->decision[key], name, NET_ROLE_INPUT, MN_DECISION_INPUT,
                          &choice, false);
}

static mn_status parse_resize(net_parser *p, mn_frontend *frontend) {
  net_token token = net_lexer_next(&p->lexer);
  int32_t dims[2];
  if (net_token_size(&token, 4096, dims, 2) != 2) {
    return net_not(p, &token, "size", "write it as HxW, such as 32x32");
  }
  frontend->resize_h = dims[0];
  frontend->resize_w = dims[1];
  return MN_OK;
}

static mn_status parse_setting(net_parser *p, net_input *input, int32_t key, bool choices) {
  net_token token = net_lexer_next(&p->lexer);
  int32_t *field = net_key_field(&input->frontend, key);
  if (token.kind == NET_OPEN) return parse_key_choice(p, input, key, choices, token.column);
  if (keys[key].unit == UNIT_WORD) return parse_word(p, field, key, &token);
  if (keys[key].unit != UNIT_INT) return parse_unit(p, field, key, &token);
  if (net_token_integer(&token, uses[key].highest, field) && *field >= uses[key].lowest)
    return MN_OK;
  char expected[64];
  snprintf(expected, sizeof expected, "a number from %d to %d is expected", uses[key].lowest,
           uses[key].highest);
  return net_not(p, &token, keys[key].text, expected);
}

static mn_status parse_settings(net_parser *p, net_input *input, bool choices) {
  uint32_t seen = 0;
  mn_frontend_kind kind = input->frontend.kind;
  for (net_token token = net_lexer_next(&p->lexer); token.kind != NET_END;
       token = net_lexer_next(&p->lexer)) {
    int32_t key = find_key(&token);
    bool resize = net_token_is(&token, "resize") && kind != MN_FRONTEND_IMAGE;
    if (!resize && (key < 0 || (uses[key].kinds >> kind & 1) == 0)) {
      return unknown_key(p, &token, kind);
    }
    uint32_t bit = 1u << (resize ? NET_KEYS : key);
    if ((seen & bit) != 0)
      return net_fail(p, token.column, "%s is given twice", net_show(&token).text);
    seen |= bit;
    if (resize) {
      MN_TRY(parse_resize(p, &input->frontend));
    } else {
      MN_TRY(parse_setting(p, input, key, choices));
    }
  }
  return MN_OK;
}

mn_status net_parse_input(net_parser *p, net_input *input, bool choices) {
  net_token token = net_lexer_next(&p->lexer);
  input->size = (mn_shape){0};
  input->frontend = mn_frontend_defaults(MN_FRONTEND_NONE);
  for (int32_t key = 0; key < NET_KEYS; key++) input->decision[key] = -1;
  if (token.kind == NET_SIZE || token.kind == NET_NUMBER) {
    int32_t rank = net_token_size(&token, NET_MAX_SIZE, input->size.dim + 1, 3);
    if (rank == 0) {
      return net_fail(p, token.column, "%s is no input size; write it as HxWxC, such as 49x10x1",
                      net_show(&token).text);
    }
    input->size.dim[0] = 1;
    input->size.rank = rank + 1;
    token = net_lexer_next(&p->lexer);
    if (token.kind == NET_END) return MN_OK;
  }
  const char *names[MN_COUNT(kinds)];
  for (size_t i = 0; i < MN_COUNT(kinds); i++) {
    names[i] = kinds[i].text;
    if (net_token_is(&token, kinds[i].text)) input->frontend.kind = kinds[i].kind;
  }
  if (input->frontend.kind != MN_FRONTEND_NONE) return parse_settings(p, input, choices);
  return net_not(p, &token, "front end",
                 net_hint_of(&token, names, (int32_t)MN_COUNT(kinds),
                             "a size or one of mfcc logmel spectrum image is expected")
                         .text +
                     2);
}

/* ---- Shape -----------------------------------------------------------------------------------*/
static const char *check_audio(const mn_frontend *f) {
  int64_t frames = f->frames > 0 ? f->frames : 1;
  if (frames * f->step_us > 600000000) return "the frames span more than 600 s";
  if (f->frames == 0 && f->length_us < f->window_us)
    return "the length must hold one window at least";
  if ((int64_t)f->rate_hz * f->step_us < 1000000) return "the step must hold one sample at least";
  if (f->kind == MN_FRONTEND_MFCC && f->keep > f->mels) return "keep must not exceed mels";
  if (f->to_hz <= f->from_hz || f->to_hz > f->rate_hz / 2) {
    return "the band must rise from \"from\" to \"to\", and end at half the rate or below";
  }
  return NULL;
}

/* Fills height, width, channels; NULL, or what stands in the way. */
static const char *fill_shape(mn_frontend *f, const mn_shape *size) {
  const char *problem = NULL;
  switch (f->kind) {
    case MN_FRONTEND_MFCC:
    case MN_FRONTEND_LOGMEL:
    case MN_FRONTEND_SPECTRUM:
      problem = check_audio(f);
      if (problem != NULL) return problem;
      mn_frontend_shape(f);
      break;
    case MN_FRONTEND_IMAGE:
      if (f->size == 0) return "an image needs its size in pixels, such as: size 96";
      f->height = f->width = f->size;
      f->channels = f->colour == MN_COLOUR_RGB ? 3 : 1;
      break;
    default:
      if (size->rank == 0) return "a size is needed here, such as 49x10x1";
      f->height = size->dim[1];
      f->width = size->rank > 2 ? size->dim[2] : 1;
      f->channels = size->rank > 3 ? size->dim[3] : 1;
      break;
  }
  if (f->resize_h > 0) {
    f->height = f->resize_h;
    f->width = f->resize_w;
  }
  if (f->height < 1 || f->width < 1) return "the front end gives no values";
  return NULL;
}

/* Empty text: all is well. */
static mn_status resolve(mn_frontend *frontend, mn_shape *shape, const mn_shape *size,
                         const char *where, mn_error *error) {
  const char *problem = fill_shape(frontend, size);
  if (problem != NULL) return mn_error_set(error, MN_ERR_FORMAT, "%s: %s", where, problem);
  mn_shape features = {4, {1, frontend->height, frontend->width, frontend->channels}};
  *shape = size->rank > 0 ? *size : features;
  int64_t wanted = mn_shape_elements(shape), given = mn_shape_elements(&features);
  if (wanted == given) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: the size holds %lld values; the front end gives %dx%dx%d", where,
                      (long long)wanted, frontend->height, frontend->width, frontend->channels);
}

mn_status net_input_resolve(mn_frontend *frontend, mn_shape *shape, const mn_net *net,
                            const mn_pick *pick, mn_error *error) {
  mn_frontend made = net->input.frontend;
  char where[300];
  snprintf(where, sizeof where, "%s:%d:%d", net->path, net->input.line, net->input.column);
  for (int32_t key = 0; key < NET_KEYS; key++) {
    int32_t decision = net->input.decision[key];
    if (decision >= 0) *net_key_field(&made, key) = net_option_value(net, decision, pick);
  }
  MN_TRY(resolve(&made, shape, &net->input.size, where, error));
  *frontend = made;
  return MN_OK;
}

/* ---- Writing ---------------------------------------------------------------------------------*/
static mn_status print_us(const mn_sink *out, int32_t us) {
  if (us % 1000000 == 0) return mn_sink_printf(out, "%ds", us / 1000000);
  if (us % 1000 == 0) return mn_sink_printf(out, "%dms", us / 1000);
  return mn_sink_printf(out, "%dus", us);
}

static mn_status print_setting(const mn_sink *out, int32_t key, int32_t value) {
  switch (keys[key].unit) {
    case UNIT_HZ:
      if (value > 0 && value % 1000 == 0) return mn_sink_printf(out, "%dkHz", value / 1000);
      return mn_sink_printf(out, "%dHz", value);
    case UNIT_US: return print_us(out, value);
    case UNIT_WORD: {
      const char *word = net_key_word(key, value);
      return mn_sink_printf(out, "%s", word != NULL ? word : "?");
    }
    default: return mn_sink_printf(out, "%d", value);
  }
}

static mn_status print_options(const mn_sink *out, const mn_net *net, int32_t decision,
                               int32_t key) {
  const mn_decision *face = &net->decisions[decision].face;
  for (int32_t k = 0; k < face->options; k++) {
    MN_TRY(mn_sink_printf(out, "%s", k == 0 ? "{" : " "));
    MN_TRY(print_setting(out, key, face->value[k]));
  }
  return mn_sink_printf(out, "}");
}

/* Settings that decide the features are always written; the rest where it differs from the default. */
static bool written(const mn_frontend *f, int32_t key) {
  mn_frontend copy = *f;
  if ((uses[key].kinds >> f->kind & 1) == 0) return false;
  if (*net_key_field(&copy, key) != keys[key].initial) return true;
  return uses[key].always && !(key == NET_KEY_length && f->frames > 0);
}

mn_status net_frontend_print(const mn_sink *out, const mn_frontend *frontend, const mn_net *net,
                             const int32_t *decision) {
  mn_frontend copy = *frontend;
  if (frontend->kind == MN_FRONTEND_NONE) return MN_OK;
  MN_TRY(mn_sink_printf(out, " %s", kind_text(frontend->kind)));
  for (int32_t key = 0; key < NET_KEYS; key++) {
    bool open = net != NULL && decision[key] >= 0;
    if (!open && !written(frontend, key)) continue;
    MN_TRY(mn_sink_printf(out, " %s ", keys[key].text));
    if (open && net->decisions[decision[key]].face.options > 1) {
      MN_TRY(print_options(out, net, decision[key], key));
    } else {
      int32_t value =
          open ? net_option_value(net, decision[key], NULL) : *net_key_field(&copy, key);
      MN_TRY(print_setting(out, key, value));
    }
  }
  if (frontend->resize_h == 0) return MN_OK;
  return mn_sink_printf(out, " resize %dx%d", frontend->resize_h, frontend->resize_w);
}

mn_status mn_frontend_print(const mn_sink *out, const mn_frontend *frontend) {
  MN_TRY(mn_sink_printf(out, "input"));
  if (frontend->kind == MN_FRONTEND_NONE) {
    MN_TRY(mn_sink_printf(out, " %dx%dx%d", frontend->height, frontend->width, frontend->channels));
  }
  return net_frontend_print(out, frontend, NULL, NULL);
}

mn_status mn_frontend_parse(mn_frontend *frontend, const char *text, mn_error *error) {
  net_parser p = {.lexer = net_lexer_make((mn_bytes){(const uint8_t *)text, strlen(text)}),
                  .path = "input line",
                  .error = error};
  net_input input = {0};
  mn_shape shape;
  net_token token = net_lexer_next(&p.lexer);
  if (!net_token_is(&token, "input")) {
    return net_fail(&p, token.column, "%s where \"input\" is expected", net_show(&token).text);
  }
  MN_TRY(net_parse_input(&p, &input, false));
  MN_TRY(resolve(&input.frontend, &shape, &input.size, "input line:1:1", error));
  *frontend = input.frontend;
  return MN_OK;
}
