/* flat_write.c - see flat_write.h; container format: schema.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/flat_write.h"

#include <assert.h>
#include <string.h>

static const uint8_t zeros[4096];

static void put(mn_flat_out *out, const void *data, size_t size) {
  out->size += size;
  if (out->counting || out->status != MN_OK) return;
  const uint8_t *from = data;
  while (size > 0) {
    size_t part = data != NULL || size < sizeof zeros ? size : sizeof zeros;
    out->status = mn_buffer_append(&out->buffer, data != NULL ? from : zeros, part);
    if (out->status != MN_OK) return;
    size -= part;
    from = data != NULL ? from + part : NULL;
  }
}

static void put_number(mn_flat_out *out, uint32_t value, size_t bytes) {
  uint8_t byte[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                     (uint8_t)(value >> 24)};
  put(out, byte, bytes);
}

/* Zeros until `bytes` further on stands a multiple of `alignment`. */
static void pad(mn_flat_out *out, size_t bytes, size_t alignment) {
  size_t rest = (out->size + bytes) % alignment;
  if (rest != 0) put(out, NULL, alignment - rest);
}

void mn_flat_begin(mn_flat_out *out, const char *identifier) {
  put_number(out, 0, 4);
  put(out, identifier, 4);
}

/* Wide fields first: then none needs padding. Returns the table's own size. */
static uint32_t lay_fields(mn_flat_vtable *vtable, const mn_flat_field *fields, int32_t slots) {
  uint32_t at = 4, last = 0;
  for (uint8_t bytes = 4; bytes > 0; bytes = bytes == 4 ? 1 : 0) {
    for (int32_t slot = 0; slot < slots; slot++) {
      if (fields[slot].bytes != bytes) continue;
      vtable->entry[2 + slot] = (uint16_t)at;
      at += bytes;
      if ((uint32_t)slot + 1 > last) last = (uint32_t)slot + 1;
    }
  }
  vtable->bytes = 4 + 2 * last;
  vtable->entry[0] = (uint16_t)vtable->bytes;
  vtable->entry[1] = (uint16_t)at;
  return at;
}

/* Position of a vtable like this one, written now where there is none yet. */
static size_t place_vtable(mn_flat_out *out, mn_flat_vtable *vtable) {
  for (int32_t i = 0; i < out->vtable_count; i++) {
    const mn_flat_vtable *old = &out->vtables[i];
    if (old->bytes == vtable->bytes && memcmp(old->entry, vtable->entry, vtable->bytes) == 0)
      return old->at;
  }
  pad(out, vtable->bytes, 4); /* the table behind it needs no padding then */
  vtable->at = out->size;
  for (uint32_t i = 0; i < vtable->bytes / 2; i++) put_number(out, vtable->entry[i], 2);
  if (out->vtable_count < MN_FLAT_VTABLES) out->vtables[out->vtable_count++] = *vtable;
  return vtable->at;
}

size_t mn_flat_put_table(mn_flat_out *out, const mn_flat_field *fields, int32_t slots,
                         size_t *where) {
  assert(slots <= MN_FLAT_MAX_SLOTS);
  mn_flat_vtable vtable = {0};
  lay_fields(&vtable, fields, slots);
  size_t vtable_at = place_vtable(out, &vtable);
  pad(out, 0, 4);
  size_t at = out->size;
  put_number(out, (uint32_t)(at - vtable_at), 4);
  for (uint8_t bytes = 4; bytes > 0; bytes = bytes == 4 ? 1 : 0) {
    for (int32_t slot = 0; slot < slots; slot++) {
      if (fields[slot].bytes == bytes) put_number(out, fields[slot].value, bytes);
    }
  }
  for (int32_t slot = 0; slot < slots && where != NULL; slot++)
    where[slot] = at + vtable.entry[2 + slot];
  return at;
}

size_t mn_flat_put_vector(mn_flat_out *out, const void *data, size_t count, size_t element_bytes,
                          size_t alignment) {
  pad(out, 4, alignment < 4 ? 4 : alignment);
  size_t at = out->size;
  put_number(out, (uint32_t)count, 4);
  put(out, data, count * element_bytes);
  return at;
}

size_t mn_flat_put_text(mn_flat_out *out, const char *text) {
  size_t length = strlen(text);
  size_t at = mn_flat_put_vector(out, text, length, 1, 4);
  put(out, NULL, 1);
  return at;
}

void mn_flat_aim(mn_flat_out *out, size_t from, size_t to) {
  assert(to > from);
  if (out->counting || out->status != MN_OK) return;
  uint32_t distance = (uint32_t)(to - from);
  for (size_t i = 0; i < 4; i++) out->buffer.data[from + i] = (uint8_t)(distance >> (8 * i));
}

void mn_flat_release(mn_flat_out *out) {
  mn_buffer_free(&out->buffer);
}
