/* contains.c - whether a network is a member of a space. Lines of the network are laid against lines
 * of the space in order; an optional line may be missing, or stand there as its pool.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "net/net_tree.h"

/* The search tries both sides of every optional line; beyond this many tries it gives up. */
#define MAX_TRIES 1000000

typedef struct matcher {
  const mn_net *space, *network;
  int32_t *option; /* of the pick; -1 still open */
  int32_t *trail;  /* decisions answered so far, in order */
  int32_t trail_count;
  int32_t tries;
} matcher;

static bool answer(matcher *m, int32_t decision, int32_t value) {
  const mn_decision *face = &m->space->decisions[decision].face;
  int32_t *option = &m->option[decision];
  if (*option >= 0) return face->value[*option] == value;
  for (int32_t k = 0; k < face->options; k++) {
    if (face->value[k] != value) continue;
    *option = k;
    m->trail[m->trail_count++] = decision;
    return true;
  }
  return false;
}

static void forget(matcher *m, int32_t trail_count) {
  while (m->trail_count > trail_count) m->option[m->trail[--m->trail_count]] = -1;
}

static bool match_value(matcher *m, const net_value *space, const net_value *network) {
  int32_t number = net_value_of(m->network, network, NULL);
  if (space->kind == NET_VALUE_DECISION) return answer(m, space->index, number);
  return space->kind == NET_VALUE_NAMED || space->number == number;
}

/* ---- Lines -----------------------------------------------------------------------------------*/
/* What the end of a line does, with the rule of the last layer applied. */
typedef struct ending {
  mn_activation activation;
  bool bn;
} ending;

static ending ending_of(const mn_net *net, const net_layer *layer) {
  bool last = net->last >= 0 && layer == &net->layers[net->last];
  ending end = {layer->activation, layer->bn};
  if (last && (layer->own & NET_ACTIVATION) == 0) end.activation = MN_ACTIVATION_NONE;
  if (last && (layer->own & NET_BN) == 0) end.bn = false;
  return end;
}

static bool same_ending(const matcher *m, const net_layer *a, const net_layer *b) {
  ending x = ending_of(m->space, a), y = ending_of(m->network, b);
  bool several = a->word == NET_WORD_DS || a->word == NET_WORD_IBN;
  if (several && (a->activation != b->activation || a->bn != b->bn)) return false;
  if (a->word == NET_WORD_BLOCK) return a->activation == b->activation;
  return !net_words[a->word].weights || (x.activation == y.activation && x.bn == y.bn);
}

static bool same_form(const net_layer *a, const net_layer *b) {
  return a->word == b->word && a->kernel_h == b->kernel_h && a->kernel_w == b->kernel_w &&
         a->stride_h == b->stride_h && a->stride_w == b->stride_w &&
         a->multiplier == b->multiplier && a->pool == b->pool && a->padding == b->padding &&
         a->shortcut == b->shortcut && mn_shape_equal(&a->shape, &b->shape);
}

static bool match_line(matcher *m, const net_layer *a, const net_layer *b) {
  return same_form(a, b) && same_ending(m, a, b) && match_value(m, &a->expand, &b->expand) &&
         match_value(m, &a->width, &b->width) && match_value(m, &a->weights, &b->weights) &&
         match_value(m, &a->activations, &b->activations);
}

static bool is_pool_of(const net_layer *layer, int32_t stride_h, int32_t stride_w) {
  return layer->word == NET_WORD_POOL && layer->pool == NET_POOL_AVG &&
         layer->kernel_h == stride_h && layer->kernel_w == stride_w &&
         layer->stride_h == stride_h && layer->stride_w == stride_w &&
         layer->padding == MN_PADDING_SAME;
}

static bool match_from(matcher *m, int32_t i, int32_t j);

static bool match_present(matcher *m, int32_t i, int32_t j) {
  const net_layer *a = &m->space->layers[i];
  if (j >= m->network->layer_count) return false;
  const net_layer *b = &m->network->layers[j];
  if ((a->block >= 0) != (b->block >= 0)) return false;
  if (a->optional_decision >= 0 && !answer(m, a->optional_decision, 1)) return false;
  return match_line(m, a, b) && match_from(m, i + 1, j + 1);
}

static bool match_absent(matcher *m, int32_t i, int32_t j) {
  const net_layer *a = &m->space->layers[i];
  int32_t stride_h, stride_w;
  if (a->optional_decision < 0 || !answer(m, a->optional_decision, 0)) return false;
  net_layer_stride(m->space, i, &stride_h, &stride_w);
  if (stride_h == 1 && stride_w == 1) return match_from(m, i + 1 + a->members, j);
  return j < m->network->layer_count && (a->block >= 0) == (m->network->layers[j].block >= 0) &&
         is_pool_of(&m->network->layers[j], stride_h, stride_w) &&
         match_from(m, i + 1 + a->members, j + 1);
}

static bool match_from(matcher *m, int32_t i, int32_t j) {
  if (i == m->space->layer_count) return j == m->network->layer_count;
  if (++m->tries > MAX_TRIES) return false;
  int32_t trail = m->trail_count;
  if (match_present(m, i, j)) return true;
  forget(m, trail);
  if (match_absent(m, i, j)) return true;
  forget(m, trail);
  return false;
}

/* Where the line gives a size, the front end's settings do not decide a shape: they are the data's
 * business, and a network stays a member whatever features it was trained on. */
static bool match_input(matcher *m) {
  const net_input *a = &m->space->input;
  mn_frontend space = a->frontend, network = m->network->input.frontend;
  for (int32_t key = 0; key < NET_KEYS; key++) {
    int32_t pinned = m->network->input.decision[key];
    int32_t value = *net_key_field(&network, key);
    if (pinned >= 0) value = net_option_value(m->network, pinned, NULL);
    if (a->decision[key] >= 0 ? !answer(m, a->decision[key], value)
                              : a->size.rank == 0 && *net_key_field(&space, key) != value) {
      return false;
    }
  }
  return mn_shape_equal(&a->size, &m->network->input.size) &&
         (a->size.rank > 0 || (space.kind == network.kind && space.resize_h == network.resize_h &&
                               space.resize_w == network.resize_w));
}

bool mn_net_contains(mn_pick *pick, const mn_net *space, const mn_net *network) {
  for (int32_t d = 0; d < network->decision_count; d++) {
    if (network->decisions[d].face.options > 1) return false;
  }
  matcher m = {.space = space,
               .network = network,
               .option = pick->option,
               .trail = mn_calloc((size_t)space->decision_count + 1, sizeof *m.trail)};
  if (m.trail == NULL) return false;
  for (int32_t d = 0; d < space->decision_count; d++) m.option[d] = -1;
  bool found = match_input(&m) && match_from(&m, 0, 0);
  for (int32_t d = 0; d < space->decision_count; d++) {
    if (m.option[d] < 0) m.option[d] = 0;
  }
  mn_free(m.trail);
  return found;
}
