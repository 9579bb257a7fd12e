/* restore.c - state coming back: a whole checkpoint for resume, or layers by name from another
 * network, narrower layers taking the leading channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "train/checkpoint.h"

/* ---- Attachments ------------------------------------------------------------------------------*/
void mn_trainer_attach(mn_trainer *trainer, const char *name, void *data, size_t bytes) {
  assert(trainer->attachment_count < MN_ATTACHMENTS);
  trainer->attachments[trainer->attachment_count++] = (mn_attachment){name, data, bytes};
}

static mn_status block_check(const mn_checkpoint *c, const char *name, size_t bytes,
                             const char *path, mn_error *error) {
  const mn_block *block = mn_checkpoint_block(c, name);
  if (block != NULL && block->data.size == bytes) return MN_OK;
  return mn_error_set(
      error, MN_ERR_FORMAT,
      "%s: %s has %zu bytes; %zu are needed; give the checkpoint of this kind of run", path, name,
      block != NULL ? block->data.size : 0, bytes);
}

static mn_status identity_check(const mn_checkpoint *c, uint64_t identity, const char *path,
                                mn_error *error) {
  if (c->identity == identity) return MN_OK;
  return mn_error_set(
      error, MN_ERR_FORMAT,
      "%s: is of run %016llx, this is run %016llx; give the network it was made for and, to resume, "
      "the same data, options, seed and number of ranks",
      path, (unsigned long long)c->identity, (unsigned long long)identity);
}

static mn_status arithmetic_check(const mn_trainer *t, const mn_checkpoint *c, const char *path,
                                  mn_error *error) {
  mn_arithmetic found = MN_ARITHMETIC_FLOAT32;
  for (uint32_t i = MN_ARITHMETIC_FLOAT32 + 1; i < MN_ARITHMETICS; i++)
    if (mn_checkpoint_block(c, mn_arithmetic_blocks[i]) != NULL) found = (mn_arithmetic)i;
  if (found == t->config.arithmetic) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: was trained with %s, this run is in %s; give --arithmetic %s", path,
                      mn_arithmetic_name(found), mn_arithmetic_name(t->config.arithmetic),
                      mn_arithmetic_name(found));
}

mn_status mn_checkpoint_attachment(const char *path, uint64_t identity, const char *name,
                                   void *data, size_t bytes, mn_error *error) {
  mn_arena *arena = NULL;
  mn_checkpoint c = {0};
  MN_TRY(mn_arena_create(&arena));
  mn_status status = mn_checkpoint_read(&c, arena, path, error);
  if (status == MN_OK) status = identity_check(&c, identity, path, error);
  if (status == MN_OK) status = block_check(&c, name, bytes, path, error);
  if (status == MN_OK && bytes > 0) memcpy(data, mn_checkpoint_block(&c, name)->data.data, bytes);
  mn_arena_destroy(arena);
  return status;
}

/* ---- Whole state ------------------------------------------------------------------------------*/
mn_status mn_trainer_save(const mn_trainer *trainer, const char *path, uint64_t identity,
                          mn_error *error) {
  return mn_checkpoint_write(trainer, path, identity, error);
}

static bool same_form(const mn_parameter *a, const mn_parameter *b) {
  return a->outer == b->outer && a->taps == b->taps && a->inner == b->inner &&
         a->taps_first == b->taps_first;
}

static mn_status check_whole(const mn_trainer *t, const mn_checkpoint *c, const char *path,
                             mn_error *error) {
  int32_t expected = 0;
  for (int32_t i = 0; i < t->parameter_count; i++)
    for (int32_t part = 0; part < 3; part++) {
      const mn_parameter *p = &t->parameters[i];
      if (mn_parameter_part(p, part) == NULL) continue;
      const mn_record *r = mn_checkpoint_find(c, p->op, p->kind, part);
      expected++;
      if (r == NULL || !same_form(p, &r->form))
        return mn_error_set(error, MN_ERR_FORMAT,
                            "%s: layer %s is missing or has another shape; the checkpoint of this "
                            "network is needed",
                            path, p->op);
    }
  for (int32_t i = 0; i < t->attachment_count; i++)
    MN_TRY(block_check(c, t->attachments[i].name, t->attachments[i].bytes, path, error));
  if (expected == c->record_count) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: holds %d records; this network has %d", path,
                      c->record_count, expected);
}

static void take_values(const mn_parameter *p, float *padded, const mn_record *r) {
  for (int32_t o = 0; o < p->outer; o++)
    for (int32_t k = 0; k < p->taps; k++)
      for (int32_t c = 0; c < p->inner; c++)
        memcpy(&padded[mn_parameter_padded(p, o, k, c)],
               r->values + (size_t)mn_parameter_canonical(&r->form, o, k, c) * sizeof(float),
               sizeof(float));
}

static void take_whole(mn_trainer *t, const mn_checkpoint *c) {
  for (int32_t i = 0; i < t->parameter_count; i++)
    for (int32_t part = 0; part < 3; part++) {
      const mn_parameter *p = &t->parameters[i];
      if (mn_parameter_part(p, part) == NULL) continue;
      take_values(p, mn_parameter_part(p, part), mn_checkpoint_find(c, p->op, p->kind, part));
    }
  t->step = c->step;
  t->quantized = c->quantized_since >= 0;
  t->quantized_since = c->quantized_since;
  t->tally = c->tally;
  for (int32_t i = 0; i < t->attachment_count; i++) {
    const mn_attachment *a = &t->attachments[i];
    if (a->bytes > 0) memcpy(a->data, mn_checkpoint_block(c, a->name)->data.data, a->bytes);
  }
}

mn_status mn_trainer_load(mn_trainer *trainer, const char *path, uint64_t identity,
                          mn_error *error) {
  mn_arena *arena = NULL;
  mn_checkpoint c = {0};
  MN_TRY(mn_arena_create(&arena));
  mn_status status = mn_checkpoint_read(&c, arena, path, error);
  if (status == MN_OK) status = identity_check(&c, identity, path, error);
  if (status == MN_OK) status = arithmetic_check(trainer, &c, path, error);
  if (status == MN_OK) status = check_whole(trainer, &c, path, error);
  if (status == MN_OK) take_whole(trainer, &c);
  mn_arena_destroy(arena);
  return status;
}

/* ---- Layers by name ---------------------------------------------------------------------------*/
/* Whether `to` can take its values from the leading part of `from`. The last layer with weights keeps its
 * classes: the first few of other classes mean nothing. */
static bool holds(const mn_trainer *t, const mn_parameter *to, const mn_parameter *from) {
  const bool last =
      t->last_weights >= 0 && strcmp(t->graph->ops[t->last_weights].name, to->op) == 0;
  return to->taps == from->taps && to->taps_first == from->taps_first && to->outer <= from->outer &&
         to->inner <= from->inner && (!last || to->outer == from->outer);
}

static bool inherits(const mn_parameter *p) {
  return p->kind != MN_PARAMETER_RANGE; /* found anew when fake quantization starts */
}

mn_status mn_trainer_load_layers(mn_trainer *trainer, int32_t *layers, const char *path,
                                 mn_error *error) {
  mn_arena *arena = NULL;
  mn_checkpoint c = {0};
  *layers = 0;
  MN_TRY(mn_arena_create(&arena));
  const mn_status status = mn_checkpoint_read(&c, arena, path, error);
  for (int32_t i = 0; status == MN_OK && i < trainer->parameter_count; i++) {
    const mn_parameter *p = &trainer->parameters[i];
    const mn_parameter *own = mn_trainer_parameter(trainer, p->op, MN_PARAMETER_WEIGHTS);
    const mn_record *weights = mn_checkpoint_find(&c, p->op, MN_PARAMETER_WEIGHTS, 0);
    const mn_record *r = mn_checkpoint_find(&c, p->op, p->kind, 0);
    if (!inherits(p) || own == NULL || weights == NULL || r == NULL) continue;
    if (!holds(trainer, own, &weights->form) || !holds(trainer, p, &r->form)) continue;
    take_values(p, p->value, r);
    *layers += p->kind == MN_PARAMETER_WEIGHTS;
  }
  mn_arena_destroy(arena);
  return status;
}

static void take_leading(const mn_parameter *to, const mn_parameter *from) {
  for (int32_t o = 0; o < to->outer; o++)
    for (int32_t k = 0; k < to->taps; k++)
      for (int32_t c = 0; c < to->inner; c++)
        to->value[mn_parameter_padded(to, o, k, c)] =
            from->value[mn_parameter_padded(from, o, k, c)];
}

mn_status mn_trainer_inherit(mn_trainer *trainer, int32_t *layers, const mn_trainer *from,
                             mn_error *error) {
  (void)error;
  *layers = 0;
  for (int32_t i = 0; i < trainer->parameter_count; i++) {
    const mn_parameter *p = &trainer->parameters[i];
    const mn_parameter *own = mn_trainer_parameter(trainer, p->op, MN_PARAMETER_WEIGHTS);
    const mn_parameter *weights = mn_trainer_parameter(from, p->op, MN_PARAMETER_WEIGHTS);
    const mn_parameter *source = mn_trainer_parameter(from, p->op, p->kind);
    if (!inherits(p) || own == NULL || weights == NULL || source == NULL) continue;
    if (!holds(trainer, own, weights) || !holds(trainer, p, source)) continue;
    take_leading(p, source);
    *layers += p->kind == MN_PARAMETER_WEIGHTS;
  }
  return MN_OK;
}
