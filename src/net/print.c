/* print.c - a net back to text: one line per layer, every choice written out or, under a pick,
 * answered; names stay. parse(print(x)) = x.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "net/net_tree.h"

typedef struct printer {
  const mn_sink *out;
  const mn_net *net;
  const mn_pick *pick;                 /* NULL: the space */
  bool *seen;                          /* [named + decisions]: a name's first use defines it */
  int32_t count[NET_WORD_COUNT];       /* top-level lines so far, by word */
  int32_t inner_count[NET_WORD_COUNT]; /* of the present block */
} printer;

/* ---- Values ----------------------------------------------------------------------------------*/
static mn_status print_choice(printer *p, const mn_decision *face) {
  for (int32_t k = 0; k < face->options; k++) {
    MN_TRY(mn_sink_printf(p->out, "%s%d", k == 0 ? "{" : " ", face->value[k]));
  }
  return mn_sink_printf(p->out, "}");
}

static mn_status print_decision(printer *p, int32_t index) {
  const net_decision *decision = &p->net->decisions[index];
  bool *seen = &p->seen[p->net->named_count + index];
  if (p->pick != NULL || decision->face.options == 1) {
    return mn_sink_printf(p->out, "%d", net_option_value(p->net, index, p->pick));
  }
  if (!decision->named) return print_choice(p, &decision->face);
  MN_TRY(mn_sink_printf(p->out, "%s%s", decision->face.name, *seen ? "" : "="));
  if (*seen) return MN_OK;
  *seen = true;
  return print_choice(p, &decision->face);
}

static mn_status print_value(printer *p, const net_value *value) {
  if (value->kind == NET_VALUE_DECISION) return print_decision(p, value->index);
  if (value->kind == NET_VALUE_FIXED) return mn_sink_printf(p->out, "%d", value->number);
  const net_named *named = &p->net->named[value->index];
  bool *seen = &p->seen[value->index];
  if (*seen) return mn_sink_printf(p->out, "%s", named->name);
  *seen = true;
  return mn_sink_printf(p->out, "%s=%d", named->name, named->number);
}

static mn_status print_stride(printer *p, int32_t h, int32_t w) {
  if (h == w) return mn_sink_printf(p->out, " stride %d", h);
  return mn_sink_printf(p->out, " stride %dx%d", h, w);
}

/* ---- Lines -----------------------------------------------------------------------------------*/
static mn_status print_flag(printer *p, net_group group, int32_t value) {
  for (int32_t i = 0; i < net_attribute_count; i++) {
    const net_attribute_info *flag = &net_attributes[i];
    if (flag->group == group && !flag->is_key && flag->value == value) {
      return mn_sink_printf(p->out, " %s", flag->text);
    }
  }
  return MN_OK;
}

static bool is_last(const printer *p, const net_layer *layer) {
  return p->net->last >= 0 && layer == &p->net->layers[p->net->last];
}

static mn_status print_activation(printer *p, const net_layer *layer) {
  bool own = (layer->own & NET_ACTIVATION) != 0;
  mn_activation usual = layer->word == NET_WORD_BLOCK ? MN_ACTIVATION_NONE : MN_ACTIVATION_RELU6;
  if ((net_words[layer->word].attributes & NET_ACTIVATION) == 0) return MN_OK;
  if (is_last(p, layer) ? !own : layer->activation == usual) return MN_OK;
  return print_flag(p, NET_ACTIVATION, (int32_t)layer->activation);
}

static mn_status print_bn(printer *p, const net_layer *layer) {
  bool own = (layer->own & NET_BN) != 0;
  if ((net_words[layer->word].attributes & NET_BN) == 0) return MN_OK;
  if (is_last(p, layer) ? !own : layer->bn) return MN_OK;
  return print_flag(p, NET_BN, layer->bn);
}

static mn_status print_bits(printer *p, const char *key, const net_value *value) {
  bool open = value->kind == NET_VALUE_DECISION && p->pick == NULL &&
              p->net->decisions[value->index].face.options > 1;
  bool usual = value->kind != NET_VALUE_NAMED && !open && net_value_of(p->net, value, p->pick) == 8;
  if (usual) return MN_OK;
  MN_TRY(mn_sink_printf(p->out, " %s ", key));
  return print_value(p, value);
}

static mn_status print_attributes(printer *p, const net_layer *layer) {
  bool pool = layer->word == NET_WORD_POOL && layer->kernel_h > 0;
  int32_t usual_h = pool ? layer->kernel_h : 1, usual_w = pool ? layer->kernel_w : 1;
  if (layer->stride_h != usual_h || layer->stride_w != usual_w) {
    MN_TRY(print_stride(p, layer->stride_h, layer->stride_w));
  }
  if (layer->multiplier != 1) MN_TRY(mn_sink_printf(p->out, " multiplier %d", layer->multiplier));
  if (layer->padding != MN_PADDING_SAME) MN_TRY(print_flag(p, NET_PADDING, MN_PADDING_VALID));
  MN_TRY(print_activation(p, layer));
  MN_TRY(print_bn(p, layer));
  if ((net_words[layer->word].attributes & NET_BITS) != 0) {
    MN_TRY(print_bits(p, "weights", &layer->weights));
    MN_TRY(print_bits(p, "activations", &layer->activations));
  }
  if (layer->shortcut != NET_SHORTCUT_NONE) {
    MN_TRY(print_flag(p, NET_RESIDUAL, (int32_t)layer->shortcut));
  }
  bool open = layer->optional_decision >= 0 && p->pick == NULL &&
              p->net->decisions[layer->optional_decision].face.options > 1;
  return open ? mn_sink_printf(p->out, " optional") : MN_OK;
}

static mn_status print_shape(printer *p, const mn_shape *shape) {
  for (int32_t d = 1; d < shape->rank; d++) {
    MN_TRY(mn_sink_printf(p->out, "%s%d", d == 1 ? " " : "x", shape->dim[d]));
  }
  return MN_OK;
}

static mn_status print_operand(printer *p, const net_layer *layer, net_operand operand) {
  switch (operand) {
    case NET_OPERAND_KERNEL:
      return mn_sink_printf(p->out, " %dx%d", layer->kernel_h, layer->kernel_w);
    case NET_OPERAND_WIDTH:
    case NET_OPERAND_EXPAND:
      MN_TRY(mn_sink_printf(p->out, " "));
      return print_value(p, operand == NET_OPERAND_WIDTH ? &layer->width : &layer->expand);
    case NET_OPERAND_POOL:
      MN_TRY(mn_sink_printf(p->out, layer->pool == NET_POOL_MAX ? " max" : " avg"));
      if (layer->kernel_h == 0) return MN_OK;
      return mn_sink_printf(p->out, " %dx%d", layer->kernel_h, layer->kernel_w);
    case NET_OPERAND_SHAPE: return print_shape(p, &layer->shape);
    default: return MN_OK;
  }
}

/* Indent, the name where the default one would differ, the word. */
static mn_status print_head(printer *p, const net_layer *layer, net_word word) {
  bool inner = layer->block >= 0;
  int32_t *count = inner ? p->inner_count : p->count;
  const char *name = layer->name, *text = net_words[word].text;
  if (inner) name += strlen(p->net->layers[layer->block].name) + 1;
  char usual[NET_MAX_NAME];
  snprintf(usual, sizeof usual, "%s%d", text, ++count[word]);
  if (inner) MN_TRY(mn_sink_printf(p->out, "  "));
  if (strcmp(name, usual) != 0) MN_TRY(mn_sink_printf(p->out, "%s: ", name));
  return mn_sink_printf(p->out, "%s", text);
}

/* An absent layer leaves a pool where it had a stride, else nothing. */
static mn_status print_absent(printer *p, int32_t index) {
  const net_layer *layer = &p->net->layers[index];
  int32_t h, w;
  net_layer_stride(p->net, index, &h, &w);
  if (h == 1 && w == 1) return MN_OK;
  MN_TRY(print_head(p, layer, NET_WORD_POOL));
  return mn_sink_printf(p->out, " avg %dx%d\n", h, w);
}

/* A last line of two or three layers inherits what its own flags cannot say: only the very last one
 * of them is bare. */
static mn_status print_inherited(printer *p, const net_layer *layer) {
  if (!is_last(p, layer) || (layer->word != NET_WORD_DS && layer->word != NET_WORD_IBN))
    return MN_OK;
  bool act = layer->word == NET_WORD_DS && (layer->own & NET_ACTIVATION) == 0 &&
             layer->activation != MN_ACTIVATION_RELU6;
  bool bn = (layer->own & NET_BN) == 0 && !layer->bn;
  if (!act && !bn) return MN_OK;
  MN_TRY(mn_sink_printf(p->out, "default"));
  if (act) MN_TRY(print_flag(p, NET_ACTIVATION, (int32_t)layer->activation));
  if (bn) MN_TRY(print_flag(p, NET_BN, false));
  return mn_sink_printf(p->out, "\n");
}

static mn_status print_line(printer *p, int32_t index) {
  const net_layer *layer = &p->net->layers[index];
  if (!net_layer_on(p->net, layer, p->pick) &&
      (p->pick != NULL || p->net->decisions[layer->optional_decision].face.options == 1)) {
    return print_absent(p, index);
  }
  MN_TRY(print_inherited(p, layer));
  MN_TRY(print_head(p, layer, layer->word));
  for (int32_t i = 0; i < 3; i++) {
    MN_TRY(print_operand(p, layer, net_words[layer->word].operand[i]));
  }
  MN_TRY(print_attributes(p, layer));
  MN_TRY(mn_sink_printf(p->out, "\n"));
  if (layer->word != NET_WORD_BLOCK) return MN_OK;
  memset(p->inner_count, 0, sizeof p->inner_count);
  for (int32_t i = 1; i <= layer->members; i++) MN_TRY(print_line(p, index + i));
  return mn_sink_printf(p->out, "end\n");
}

static mn_status print_input(printer *p) {
  const net_input *input = &p->net->input;
  mn_frontend frontend = input->frontend;
  MN_TRY(mn_sink_printf(p->out, "input"));
  MN_TRY(print_shape(p, &input->size));
  for (int32_t key = 0; p->pick != NULL && key < NET_KEYS; key++) {
    int32_t d = input->decision[key];
    if (d >= 0) *net_key_field(&frontend, key) = net_option_value(p->net, d, p->pick);
  }
  MN_TRY(net_frontend_print(p->out, &frontend, p->pick == NULL ? p->net : NULL, input->decision));
  return mn_sink_printf(p->out, "\n");
}

mn_status mn_net_print(const mn_sink *out, const mn_net *net, const mn_pick *pick) {
  size_t names = (size_t)(net->named_count + net->decision_count) + 1;
  printer p = {.out = out, .net = net, .pick = pick, .seen = mn_calloc(names, sizeof *p.seen)};
  if (p.seen == NULL) return MN_ERR_MEMORY;
  mn_status status = print_input(&p);
  for (int32_t i = 0; status == MN_OK && i < net->layer_count; i += 1 + net->layers[i].members) {
    status = print_line(&p, i);
  }
  mn_free(p.seen);
  return status;
}

/* ---- Identity --------------------------------------------------------------------------------*/
/* Hashes in blocks of its own, so that the result does not hang on how the text was written. */
typedef struct hasher {
  uint8_t block[256];
  size_t used;
  uint64_t hash;
} hasher;

static mn_status hash_write(void *context, const void *data, size_t size) {
  hasher *h = context;
  const uint8_t *from = data;
  for (size_t i = 0; i < size; i++) {
    h->block[h->used++] = from[i];
    if (h->used < sizeof h->block) continue;
    h->hash = mn_hash64(h->hash, h->block, h->used);
    h->used = 0;
  }
  return MN_OK;
}

uint64_t mn_net_hash(const mn_net *net) {
  hasher h = {.hash = 0};
  mn_sink sink = {hash_write, &h};
  if (mn_net_print(&sink, net, NULL) != MN_OK) return 0;
  return mn_hash64(h.hash, h.block, h.used);
}
