/* checkpoint.c - see checkpoint.h for the bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/checkpoint.h"

#include <string.h>

static const char magic[8] = {'M', 'N', 'T', 'R', 'A', 'I', 'N', '1'};
enum { HEADER_BYTES = 72, RECORD_BYTES = 28, BLOCK_BYTES = 8, CRC_BYTES = 4, PARTS = 3 };

/* ---- Writing --------------------------------------------------------------------------------*/
typedef struct writer {
  mn_buffer buffer;
  mn_status status;
} writer;

static void put(writer *w, const void *data, size_t size) {
  if (w->status == MN_OK) w->status = mn_buffer_append(&w->buffer, data, size);
}

static void put_u32(writer *w, uint32_t x) {
  uint8_t bytes[4];
  mn_store_u32(bytes, x);
  put(w, bytes, sizeof bytes);
}

static void put_u64(writer *w, uint64_t x) {
  uint8_t bytes[8];
  mn_store_u64(bytes, x);
  put(w, bytes, sizeof bytes);
}

static void put_double(writer *w, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  put_u64(w, bits);
}

static void put_floats(writer *w, const float *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    put_u32(w, bits);
  }
}

static void put_record(writer *w, const mn_parameter *p, int32_t part, const float *padded,
                       float *spare) {
  const size_t length = strlen(p->op);
  put_u32(w, (uint32_t)length);
  put_u32(w, (uint32_t)p->kind);
  put_u32(w, (uint32_t)part);
  put_u32(w, (uint32_t)p->outer);
  put_u32(w, (uint32_t)p->taps);
  put_u32(w, (uint32_t)p->inner);
  put_u32(w, p->taps_first);
  put(w, p->op, length);
  mn_parameter_get(p, spare, padded);
  put_floats(w, spare, mn_parameter_size(p));
}

static void put_block(writer *w, const mn_attachment *a) {
  put_u32(w, (uint32_t)strlen(a->name));
  put_u32(w, (uint32_t)a->bytes);
  put(w, a->name, strlen(a->name));
  put(w, a->data, a->bytes);
}

static uint32_t records_of(const mn_trainer *t) {
  uint32_t count = 0;
  for (int32_t i = 0; i < t->parameter_count; i++)
    for (int32_t part = 0; part < PARTS; part++)
      count += mn_parameter_part(&t->parameters[i], part) != NULL;
  return count;
}

static int64_t largest_parameter(const mn_trainer *t) {
  int64_t most = 1;
  for (int32_t i = 0; i < t->parameter_count; i++)
    if (mn_parameter_size(&t->parameters[i]) > most) most = mn_parameter_size(&t->parameters[i]);
  return most;
}

static void put_header(writer *w, const mn_trainer *t, uint64_t identity) {
  put(w, magic, sizeof magic);
  put_u64(w, identity);
  put_u64(w, (uint64_t)t->step);
  put_u64(w, (uint64_t)(t->quantized ? t->quantized_since : -1));
  put_double(w, t->tally.loss);
  put_u64(w, (uint64_t)t->tally.steps);
  put_u64(w, (uint64_t)t->tally.right);
  put_u64(w, (uint64_t)t->tally.counted);
  put_u32(w, records_of(t));
  put_u32(w, (uint32_t)t->attachment_count);
}

mn_status mn_checkpoint_write(const mn_trainer *t, const char *path, uint64_t identity,
                              mn_error *error) {
  writer w = {.status = MN_OK};
  float *spare = mn_malloc((size_t)largest_parameter(t) * sizeof *spare);
  if (spare == NULL) w.status = MN_ERR_MEMORY;
  put_header(&w, t, identity);
  for (int32_t i = 0; i < t->parameter_count && w.status == MN_OK; i++)
    for (int32_t part = 0; part < PARTS; part++) {
      const float *padded = mn_parameter_part(&t->parameters[i], part);
      if (padded != NULL) put_record(&w, &t->parameters[i], part, padded, spare);
    }
  for (int32_t i = 0; i < t->attachment_count; i++) put_block(&w, &t->attachments[i]);
  put_u32(&w, mn_crc32(0, w.buffer.data, w.buffer.size));
  mn_status status = w.status;
  if (status == MN_OK)
    status = mn_file_write(path, w.buffer.data, w.buffer.size, error);
  else
    mn_error_set(error, status, "%s: out of memory while writing a checkpoint", path);
  mn_buffer_free(&w.buffer);
  mn_free(spare);
  return status;
}

/* ---- Reading --------------------------------------------------------------------------------*/
typedef struct reader {
  const char *path;
  const uint8_t *data;
  size_t size, at;
  mn_error *error;
} reader;

static mn_status bad(const reader *r, const char *found) {
  return mn_error_set(r->error, MN_ERR_FORMAT,
                      "%s: byte %zu: %s; a checkpoint of this program is needed", r->path, r->at,
                      found);
}

static uint32_t get_u32(reader *r) { /* the caller has checked the room */
  r->at += 4;
  return mn_load_u32(r->data + r->at - 4);
}

static uint64_t get_u64(reader *r) {
  r->at += 8;
  return mn_load_u64(r->data + r->at - 8);
}

static double get_double(reader *r) {
  const uint64_t bits = get_u64(r);
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static mn_status take_record(reader *r, mn_record *record) {
  if (r->size - r->at < RECORD_BYTES) return bad(r, "a record is cut short");
  const uint32_t length = get_u32(r), kind = get_u32(r), part = get_u32(r);
  const uint32_t outer = get_u32(r), taps = get_u32(r), inner = get_u32(r), taps_first = get_u32(r);
  const uint32_t most = 1u << 20; /* of one axis: the product cannot overflow */
  if (kind >= MN_PARAMETER_KINDS || part >= PARTS || taps_first > 1 || outer == 0 || outer > most ||
      taps == 0 || taps > most || inner == 0 || inner > most)
    return bad(r, "a record has an impossible kind or shape");
  if (length > r->size - r->at) return bad(r, "a name reaches past the end");
  record->op = (const char *)r->data + r->at;
  record->op_length = length;
  r->at += length;
  const uint64_t bytes = (uint64_t)outer * taps * inner * sizeof(float);
  if (bytes > r->size - r->at) return bad(r, "values reach past the end");
  record->values = r->data + r->at;
  record->part = (int32_t)part;
  record->form = (mn_parameter){.kind = (mn_parameter_kind)kind,
                                .outer = (int32_t)outer,
                                .taps = (int32_t)taps,
                                .inner = (int32_t)inner,
                                .taps_first = taps_first != 0};
  r->at += (size_t)bytes;
  return MN_OK;
}

static mn_status take_block(reader *r, mn_block *block) {
  if (r->size - r->at < BLOCK_BYTES) return bad(r, "an attachment is cut short");
  const uint32_t length = get_u32(r), bytes = get_u32(r);
  if (length > r->size - r->at || bytes > r->size - r->at - length)
    return bad(r, "an attachment reaches past the end");
  block->name = (const char *)r->data + r->at;
  block->name_length = length;
  block->data = (mn_bytes){r->data + r->at + length, bytes};
  r->at += (size_t)length + bytes;
  return MN_OK;
}

static mn_status take_header(reader *r, mn_checkpoint *c) {
  if (r->size < HEADER_BYTES + CRC_BYTES || memcmp(r->data, magic, sizeof magic) != 0)
    return bad(r, "no checkpoint header of this version");
  r->at = r->size - CRC_BYTES;
  const uint32_t crc = get_u32(r);
  r->size -= CRC_BYTES;
  r->at = sizeof magic;
  if (crc != mn_crc32(0, r->data, r->size)) return bad(r, "the checksum does not fit");
  c->identity = get_u64(r);
  c->step = (int64_t)get_u64(r);
  c->quantized_since = (int64_t)get_u64(r);
  c->tally.loss = get_double(r);
  c->tally.steps = (int64_t)get_u64(r);
  c->tally.right = (int64_t)get_u64(r);
  c->tally.counted = (int64_t)get_u64(r);
  const uint32_t records = get_u32(r), blocks = get_u32(r);
  if (c->step < 0 || c->quantized_since < -1 || records > r->size / RECORD_BYTES ||
      blocks > MN_ATTACHMENTS)
    return bad(r, "the header holds an impossible number");
  c->record_count = (int32_t)records;
  c->block_count = (int32_t)blocks;
  return MN_OK;
}

mn_status mn_checkpoint_read(mn_checkpoint *c, mn_arena *arena, const char *path, mn_error *error) {
  mn_bytes file = {0};
  MN_TRY(mn_file_read(&file, arena, path, 0, error));
  reader r = {.path = path, .data = file.data, .size = file.size, .error = error};
  MN_TRY(take_header(&r, c));
  c->records = mn_arena_array(arena, (size_t)c->record_count + 1, sizeof *c->records);
  c->blocks = mn_arena_array(arena, (size_t)c->block_count + 1, sizeof *c->blocks);
  if (c->records == NULL || c->blocks == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  for (int32_t i = 0; i < c->record_count; i++) MN_TRY(take_record(&r, &c->records[i]));
  for (int32_t i = 0; i < c->block_count; i++) MN_TRY(take_block(&r, &c->blocks[i]));
  return r.at == r.size ? MN_OK : bad(&r, "bytes follow the last record");
}

const mn_block *mn_checkpoint_block(const mn_checkpoint *c, const char *name) {
  const size_t length = strlen(name);
  for (int32_t i = 0; i < c->block_count; i++)
    if (c->blocks[i].name_length == length && memcmp(c->blocks[i].name, name, length) == 0)
      return &c->blocks[i];
  return NULL;
}

const mn_record *mn_checkpoint_find(const mn_checkpoint *c, const char *op, mn_parameter_kind kind,
                                    int32_t part) {
  const size_t length = strlen(op);
  for (int32_t i = 0; i < c->record_count; i++) {
    const mn_record *r = &c->records[i];
    if (r->form.kind == kind && r->part == part && r->op_length == length &&
        memcmp(r->op, op, length) == 0)
      return r;
  }
  return NULL;
}
