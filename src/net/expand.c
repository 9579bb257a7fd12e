/* expand.c - lines become layers: copies of times, names, a decision for every unnamed choice.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "net/parser.h"

/* A choice of the line becomes a decision of this copy, "ds4.width". */
static mn_status bind_value(net_parser *p, net_value *value, const char *layer, const char *what,
                            net_role role) {
  if (value->kind != NET_VALUE_CHOICE) return MN_OK;
  net_value choice = *value;
  mn_decision_kind kind = role == NET_ROLE_WIDTH ? MN_DECISION_WIDTH : MN_DECISION_BITS;
  *value = (net_value){.kind = NET_VALUE_DECISION};
  return net_add_decision(p, &value->index, mn_arena_text(p->arena, "%s.%s", layer, what), role,
                          kind, &choice, false);
}

static mn_status bind_optional(net_parser *p, net_layer *layer) {
  static const int32_t off_on[] = {0, 1};
  net_value choice = {.option = off_on, .options = 2, .line = layer->line, .column = layer->column};
  if (!layer->optional) return MN_OK;
  return net_add_decision(p, &layer->optional_decision,
                          mn_arena_text(p->arena, "%s.optional", layer->name), NET_ROLE_INPUT,
                          MN_DECISION_OPTIONAL, &choice, false);
}

/* Both ways through a branch must meet with one size, whatever was chosen. */
static mn_status check_branch_layer(const net_parser *p, const net_layer *layer) {
  bool keeps = net_words[layer->word].weights || layer->word == NET_WORD_BLOCK ||
               (layer->word == NET_WORD_POOL && layer->kernel_h > 0);
  if (!keeps) {
    return net_fail_at(p, layer->line, layer->column,
                       "%s inside a residual, projection or optional block changes the shape; "
                       "put it outside",
                       net_words[layer->word].text);
  }
  if (layer->padding == MN_PADDING_SAME || (layer->kernel_h == 1 && layer->kernel_w == 1))
    return MN_OK;
  return net_fail_at(p, layer->line, layer->column,
                     "valid inside a residual, projection or optional branch shrinks one way only; "
                     "use same");
}

static bool branches(const net_layer *layer) {
  return layer->optional || layer->shortcut != NET_SHORTCUT_NONE;
}

static mn_status bind(net_parser *p, net_layer *layer) {
  MN_TRY(bind_value(p, &layer->expand, layer->name, "expand", NET_ROLE_WIDTH));
  MN_TRY(bind_value(p, &layer->width, layer->name, "width", NET_ROLE_WIDTH));
  MN_TRY(bind_value(p, &layer->weights, layer->name, "weights", NET_ROLE_WEIGHTS));
  MN_TRY(bind_value(p, &layer->activations, layer->name, "activations", NET_ROLE_ACTIVATIONS));
  return bind_optional(p, layer);
}

static mn_status check_name(const net_parser *p, const net_layer *layer) {
  for (int32_t i = 0; i < p->net->layer_count; i++) {
    const net_layer *other = &p->net->layers[i];
    if (strcmp(other->name, layer->name) == 0) {
      return net_fail_at(p, layer->line, layer->column,
                         "two layers are called \"%s\"; the first is on line %d", layer->name,
                         other->line);
    }
  }
  return MN_OK;
}

/* block: NULL or the block the layer belongs to. count: layers so far, by word. */
static mn_status add_layer(net_parser *p, const net_layer *line, int32_t block, int32_t *count) {
  mn_net *net = p->net;
  net_layer layer = *line;
  const char *prefix = block >= 0 ? net->layers[block].name : "";
  const char *dot = block >= 0 ? "." : "";
  count[layer.word]++;
  layer.block = block;
  layer.name = layer.label != NULL ? mn_arena_text(p->arena, "%s%s%s", prefix, dot, layer.label)
                                   : mn_arena_text(p->arena, "%s%s%s%d", prefix, dot,
                                                   net_words[layer.word].text, count[layer.word]);
  if (layer.name == NULL) return net_no_memory(p);
  MN_TRY(check_name(p, &layer));
  if (branches(&layer) || (block >= 0 && branches(&net->layers[block]))) {
    MN_TRY(check_branch_layer(p, &layer));
  }
  if (net->layer_count == NET_MAX_LAYERS) {
    return net_fail_at(p, layer.line, layer.column, "more than %d layers", NET_MAX_LAYERS);
  }
  MN_TRY(bind(p, &layer));
  if (!net_reserve(p->arena, (void **)&net->layers, net->layer_count, &net->layer_capacity,
                   sizeof *net->layers)) {
    return net_no_memory(p);
  }
  net->layers[net->layer_count++] = layer;
  return MN_OK;
}

mn_status net_expand_line(net_parser *p, const net_layer *line) {
  for (int32_t i = 0; i < line->times; i++) MN_TRY(add_layer(p, line, -1, p->count));
  return MN_OK;
}

static mn_status expand_copy(net_parser *p) {
  int32_t block = p->net->layer_count;
  int32_t count[NET_WORD_COUNT] = {0};
  MN_TRY(add_layer(p, &p->block, -1, p->count));
  for (int32_t i = 0; i < p->body_count; i++) {
    for (int32_t k = 0; k < p->body[i].times; k++) MN_TRY(add_layer(p, &p->body[i], block, count));
  }
  p->net->layers[block].members = p->net->layer_count - block - 1;
  return MN_OK;
}

mn_status net_expand_block(net_parser *p) {
  for (int32_t i = 0; i < p->block.times; i++) MN_TRY(expand_copy(p));
  return MN_OK;
}

/* ---- The whole file --------------------------------------------------------------------------*/
/* The last layer with weights gives the scores: always there, with a number of outputs of its own. */
static mn_status check_last(net_parser *p) {
  mn_net *net = p->net;
  for (int32_t i = 0; i < net->layer_count; i++) {
    if (net_words[net->layers[i].word].weights) net->last = i;
  }
  if (net->last < 0) return MN_OK;
  const net_layer *last = &net->layers[net->last];
  const net_layer *block = last->block >= 0 ? &net->layers[last->block] : last;
  if (last->optional || block->optional) {
    return net_fail_at(p, last->line, last->column, "%s gives the scores and cannot be optional",
                       last->name);
  }
  if (last->width.kind != NET_VALUE_DECISION || last->word == NET_WORD_DEPTHWISE) return MN_OK;
  return net_fail_at(p, last->line, last->column,
                     "%s gives the scores; its width cannot be a choice, write classes=12",
                     last->name);
}

/* Every option of the input line must make sense, not only those of the first pick. */
static mn_status check_input(net_parser *p) {
  const mn_net *net = p->net;
  mn_frontend frontend;
  mn_shape shape;
  mn_pick pick = {
      .count = net->decision_count,
      .option = mn_arena_array(p->arena, (size_t)net->decision_count + 1, sizeof(int32_t))};
  if (pick.option == NULL) return net_no_memory(p);
  MN_TRY(net_input_resolve(&frontend, &shape, net, &pick, p->error));
  for (int32_t key = 0; key < NET_KEYS; key++) {
    int32_t d = net->input.decision[key];
    for (int32_t k = 1; d >= 0 && k < net->decisions[d].face.options; k++) {
      pick.option[d] = k;
      MN_TRY(net_input_resolve(&frontend, &shape, net, &pick, p->error));
      pick.option[d] = 0;
    }
  }
  return MN_OK;
}

mn_status net_finish(net_parser *p) {
  if (p->in_block) {
    return net_fail_at(p, p->block.line, p->block.column, "block has no end");
  }
  if (p->net->input.line == 0) {
    return net_fail_at(p, 1, 1,
                       "there is no input line; begin with one, such as: input 49x10x1 mfcc");
  }
  if (p->net->layer_count == 0) {
    return net_fail_at(p, p->net->input.line, p->net->input.column,
                       "there are no layers below the input line");
  }
  MN_TRY(check_last(p));
  return check_input(p);
}
