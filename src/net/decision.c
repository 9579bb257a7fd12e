/* decision.c - decisions and picks: reading, setting, drawing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_tree.h"

const char *mn_net_path(const mn_net *net) {
  return net->path;
}

int32_t mn_net_decisions(const mn_net *net) {
  return net->decision_count;
}

const mn_decision *mn_net_decision(const mn_net *net, int32_t index) {
  assert(index >= 0 && index < net->decision_count);
  return &net->decisions[index].face;
}

double mn_net_networks_log10(const mn_net *net) {
  double sum = 0;
  for (int32_t d = 0; d < net->decision_count; d++) sum += log10(net->decisions[d].face.options);
  return sum;
}

/* ---- Values under a pick ---------------------------------------------------------------------*/
int32_t net_option_value(const mn_net *net, int32_t decision, const mn_pick *pick) {
  const mn_decision *face = &net->decisions[decision].face;
  int32_t option = pick != NULL ? pick->option[decision] : 0;
  assert(option >= 0 && option < face->options);
  return face->value[option];
}

int32_t net_value_of(const mn_net *net, const net_value *value, const mn_pick *pick) {
  switch (value->kind) {
    case NET_VALUE_NAMED: return net->named[value->index].number;
    case NET_VALUE_DECISION: return net_option_value(net, value->index, pick);
    default: return value->number;
  }
}

bool net_layer_on(const mn_net *net, const net_layer *layer, const mn_pick *pick) {
  return layer->optional_decision < 0 || net_option_value(net, layer->optional_decision, pick) != 0;
}

/* Optional members count too: their shortcuts have the same stride. */
void net_layer_stride(const mn_net *net, int32_t layer, int32_t *stride_h, int32_t *stride_w) {
  const net_layer *first = &net->layers[layer];
  *stride_h = first->stride_h;
  *stride_w = first->stride_w;
  for (int32_t i = 1; i <= first->members; i++) {
    *stride_h *= net->layers[layer + i].stride_h;
    *stride_w *= net->layers[layer + i].stride_w;
  }
}

/* ---- Picks -----------------------------------------------------------------------------------*/
mn_status mn_pick_create(mn_pick *pick, mn_arena *arena, const mn_net *net) {
  int32_t *option = mn_arena_array(arena, (size_t)net->decision_count + 1, sizeof *option);
  if (option == NULL) return MN_ERR_MEMORY;
  *pick = (mn_pick){net->decision_count, option};
  return MN_OK;
}

void mn_pick_copy(mn_pick *to, const mn_pick *from) {
  assert(to->count == from->count);
  for (int32_t d = 0; d < from->count; d++) to->option[d] = from->option[d];
}

bool mn_pick_equal(const mn_pick *a, const mn_pick *b) {
  if (a->count != b->count) return false;
  for (int32_t d = 0; d < a->count; d++) {
    if (a->option[d] != b->option[d]) return false;
  }
  return true;
}

bool mn_pick_valid(const mn_pick *pick, const mn_net *net) {
  if (pick->count != net->decision_count) return false;
  for (int32_t d = 0; d < pick->count; d++)
    if (pick->option[d] < 0 || pick->option[d] >= net->decisions[d].face.options) return false;
  return true;
}

void mn_pick_smallest(mn_pick *pick, const mn_net *net) {
  pick->count = net->decision_count;
  for (int32_t d = 0; d < pick->count; d++) pick->option[d] = 0;
}

void mn_pick_largest(mn_pick *pick, const mn_net *net) {
  assert(pick->count == net->decision_count);
  for (int32_t d = 0; d < pick->count; d++) pick->option[d] = net->decisions[d].face.options - 1;
}

void mn_pick_random(mn_pick *pick, const mn_net *net, mn_rng *rng) {
  assert(pick->count == net->decision_count);
  for (int32_t d = 0; d < pick->count; d++) {
    pick->option[d] = (int32_t)mn_rng_below(rng, (uint32_t)net->decisions[d].face.options);
  }
}

static mn_status try_end(mn_pick *pick, double *least, bool *better, int32_t d, int32_t option,
                         mn_pick_cost *cost, void *context, mn_error *error) {
  const int32_t kept = pick->option[d];
  double value;
  if (option == kept) return MN_OK;
  pick->option[d] = option;
  mn_status status = cost(context, &value, pick, error);
  if (status == MN_OK && value < *least) {
    *least = value;
    *better = true;
    return MN_OK;
  }
  pick->option[d] = kept;
  return status;
}

mn_status mn_pick_descend(mn_pick *pick, double *least, const mn_net *net, mn_pick_cost *cost,
                          void *context, mn_error *error) {
  enum { ROUNDS = 4 };
  bool better = true;
  MN_TRY(cost(context, least, pick, error));
  for (int round = 0; better && round < ROUNDS; round++) {
    better = false;
    for (int32_t d = 0; d < net->decision_count; d++) {
      const mn_decision *face = &net->decisions[d].face;
      MN_TRY(try_end(pick, least, &better, d, 0, cost, context, error));
      MN_TRY(try_end(pick, least, &better, d, face->options - 1, cost, context, error));
    }
  }
  return MN_OK;
}

mn_status mn_net_frontend(mn_frontend *frontend, const mn_net *net, const mn_pick *pick,
                          mn_error *error) {
  mn_shape shape;
  return net_input_resolve(frontend, &shape, net, pick, error);
}

/* ---- Set -------------------------------------------------------------------------------------*/
/* Which setting of the input line a decision is; -1 for others. */
static int32_t input_key(const mn_net *net, int32_t decision) {
  for (int32_t key = 0; key < NET_KEYS; key++) {
    if (net->input.decision[key] == decision) return key;
  }
  return -1;
}

static void option_text(char *text, size_t size, const mn_net *net, int32_t decision,
                        int32_t value) {
  int32_t key = input_key(net, decision);
  const char *word = key >= 0 ? net_key_word(key, value) : NULL;
  if (net->decisions[decision].face.kind == MN_DECISION_OPTIONAL) word = value != 0 ? "on" : "off";
  if (word != NULL) {
    snprintf(text, size, "%s", word);
  } else {
    snprintf(text, size, "%d", value);
  }
}

static mn_status pin(mn_net *net, int32_t decision, const char *value, mn_error *error) {
  net_decision *d = &net->decisions[decision];
  char text[24], list[300] = "";
  size_t used = 0;
  for (int32_t k = 0; k < d->all_options; k++) {
    option_text(text, sizeof text, net, decision, d->all_value[k]);
    if (strcmp(text, value) == 0) {
      d->face.value = &d->all_value[k];
      d->face.options = 1;
      return MN_OK;
    }
    int wrote = snprintf(list + used, sizeof list - used, " %s", text);
    if (wrote > 0 && used + (size_t)wrote < sizeof list) used += (size_t)wrote;
  }
  return mn_error_set(error, MN_ERR_ARGUMENT, "%s: %s cannot be %s; it is one of%s", net->path,
                      d->face.name, value, list);
}

void mn_net_pin(mn_net *net, int32_t decision, int32_t option) {
  mn_decision *face = &net->decisions[decision].face;
  face->value += option;
  face->options = 1;
}

static mn_status set_number(const mn_net *net, net_named *named, const char *value,
                            mn_error *error) {
  char *end;
  long number = strtol(value, &end, 10);
  bool bits = named->role == NET_ROLE_WEIGHTS || named->role == NET_ROLE_ACTIVATIONS;
  if (end == value || *end != 0 || number < 1 || number > NET_MAX_SIZE) {
    return mn_error_set(error, MN_ERR_ARGUMENT,
                        "%s: %s cannot be %s; a number from 1 to %d is expected", net->path,
                        named->name, value, NET_MAX_SIZE);
  }
  if (bits && number != 4 && number != 8 && (number != 16 || named->role == NET_ROLE_WEIGHTS)) {
    return mn_error_set(error, MN_ERR_ARGUMENT, "%s: %s cannot be %s bits; 4 or 8 are possible",
                        net->path, named->name, value);
  }
  named->number = (int32_t)number;
  return MN_OK;
}

static mn_status unknown_name(const mn_net *net, const char *name, mn_error *error) {
  const char *names[256] = {NULL};
  size_t count = 0;
  for (int32_t i = 0; i < net->named_count && count < MN_COUNT(names); i++) {
    names[count++] = net->named[i].name;
  }
  for (int32_t i = 0; i < net->decision_count && count < MN_COUNT(names); i++) {
    names[count++] = net->decisions[i].face.name;
  }
  const char *near = mn_nearest(name, names, count);
  if (near != NULL) {
    return mn_error_set(error, MN_ERR_ARGUMENT, "%s: nothing is named \"%s\"; did you mean \"%s\"?",
                        net->path, name, near);
  }
  return mn_error_set(error, MN_ERR_ARGUMENT, "%s: nothing is named \"%s\"; %s%s", net->path, name,
                      count > 0 ? "names are such as " : "the file names nothing that can be set",
                      count > 0 ? names[0] : "");
}

mn_status mn_net_set(mn_net *net, const char *name, const char *value, mn_error *error) {
  for (int32_t i = 0; i < net->named_count; i++) {
    if (strcmp(net->named[i].name, name) == 0) return set_number(net, &net->named[i], value, error);
  }
  for (int32_t d = 0; d < net->decision_count; d++) {
    if (strcmp(net->decisions[d].face.name, name) == 0) return pin(net, d, value, error);
  }
  return unknown_name(net, name, error);
}
