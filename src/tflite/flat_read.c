/* flat_read.c - see flat_read.h. Bytes are composed one by one: no alignment or byte order of the
 * host is assumed. Container format: schema.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tflite/flat_read.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* An honest file is visited a few times over (shared zero points, vtables); a hostile one could
 * point a million times at the same megabyte. */
enum { MN_FLAT_WORK_FACTOR = 64, MN_FLAT_WORK_EXTRA = 1 << 16, MN_FLAT_TABLE_WORK = 16 };

static uint64_t load(const uint8_t *from, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
  return value;
}

void mn_flat_enter(mn_flat *flat, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(flat->where, sizeof flat->where, format, arguments);
  va_end(arguments);
}

mn_status mn_flat_fail(mn_flat *flat, mn_status status, size_t at, const char *format, ...) {
  if (flat->status != MN_OK) return flat->status;
  char text[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  flat->status = mn_error_set(flat->error, status, "offset %zu (%s): %s", at, flat->where, text);
  return flat->status;
}

static bool spend(mn_flat *flat, size_t at, uint64_t work) {
  if (flat->status != MN_OK) return false;
  if (work <= flat->work_left) {
    flat->work_left -= work;
    return true;
  }
  mn_flat_fail(flat, MN_ERR_FORMAT, at,
               "the same parts are used over and over; a file of %zu bytes needs less",
               flat->file.size);
  return false;
}

/* True where [at, at + bytes) lies inside the file and `at` is a multiple of `alignment`. */
static bool inside(mn_flat *flat, const char *what, size_t at, uint64_t bytes, size_t alignment) {
  if (flat->status != MN_OK) return false;
  if (at > flat->file.size || flat->file.size - at < bytes) {
    mn_flat_fail(
        flat, MN_ERR_FORMAT, at,
        "%s of %llu bytes runs past the end of the file (%zu bytes); the file is cut short or damaged",
        what, (unsigned long long)bytes, flat->file.size);
    return false;
  }
  if (at % alignment != 0) {
    mn_flat_fail(flat, MN_ERR_FORMAT, at, "%s is not aligned; expected a multiple of %zu", what,
                 alignment);
    return false;
  }
  return true;
}

static mn_flat_table table_at(mn_flat *flat, size_t at) {
  const mn_flat_table absent = {0};
  if (!inside(flat, "a table", at, 4, 4) || !spend(flat, at, MN_FLAT_TABLE_WORK)) return absent;
  int64_t vtable = (int64_t)at - (int32_t)(uint32_t)load(flat->file.data + at, 4);
  if (vtable < 0 || (uint64_t)vtable > flat->file.size) {
    mn_flat_fail(flat, MN_ERR_FORMAT, at,
                 "the table's field list would stand at %lld, outside the file (%zu bytes)",
                 (long long)vtable, flat->file.size);
    return absent;
  }
  mn_flat_table table = {.at = at, .vtable = (size_t)vtable};
  if (!inside(flat, "a field list", table.vtable, 4, 2)) return absent;
  table.vtable_bytes = (uint32_t)load(flat->file.data + table.vtable, 2);
  table.table_bytes = (uint32_t)load(flat->file.data + table.vtable + 2, 2);
  if (table.vtable_bytes < 4 || table.vtable_bytes % 2 != 0 || table.table_bytes < 4) {
    mn_flat_fail(
        flat, MN_ERR_FORMAT, table.vtable,
        "field list says %u bytes for itself and %u for its table; expected at least 4 each",
        table.vtable_bytes, table.table_bytes);
    return absent;
  }
  if (!inside(flat, "a field list", table.vtable, table.vtable_bytes, 2)) return absent;
  if (!inside(flat, "a table", at, table.table_bytes, 4)) return absent;
  return table;
}

mn_flat_table mn_flat_open(mn_flat *flat, mn_bytes file, const char *identifier, mn_error *error) {
  *flat = (mn_flat){.file = file, .error = error};
  flat->work_left = (uint64_t)file.size * MN_FLAT_WORK_FACTOR + MN_FLAT_WORK_EXTRA;
  mn_flat_enter(flat, "header");
  const mn_flat_table absent = {0};
  if (!inside(flat, "the header", 0, 8, 1)) return absent;
  if (memcmp(file.data + 4, identifier, 4) != 0) {
    mn_flat_fail(flat, MN_ERR_FORMAT, 4,
                 "identifier is %02x %02x %02x %02x; expected \"%s\": not a .tflite file",
                 file.data[4], file.data[5], file.data[6], file.data[7], identifier);
    return absent;
  }
  return table_at(flat, (size_t)load(file.data, 4));
}

/* Position of a field of `bytes`, or 0 where the table does not have it. */
static size_t field(mn_flat *flat, const mn_flat_table *table, int32_t slot, size_t bytes) {
  if (flat->status != MN_OK || table->at == 0) return 0;
  uint32_t entry = 4 + 2 * (uint32_t)slot;
  if (entry + 2 > table->vtable_bytes) return 0;
  uint32_t offset = (uint32_t)load(flat->file.data + table->vtable + entry, 2);
  if (offset == 0) return 0;
  if (offset < 4 || offset + bytes > table->table_bytes) {
    mn_flat_fail(flat, MN_ERR_FORMAT, table->at,
                 "field %d of %zu bytes at %u leaves its table of %u bytes", (int)slot, bytes,
                 offset, table->table_bytes);
    return 0;
  }
  if (!inside(flat, "a field", table->at + offset, bytes, bytes)) return 0;
  return table->at + offset;
}

bool mn_flat_has(mn_flat *flat, const mn_flat_table *table, int32_t slot) {
  return field(flat, table, slot, 1) != 0;
}

static uint64_t scalar(mn_flat *flat, const mn_flat_table *table, int32_t slot, size_t bytes,
                       uint64_t absent) {
  size_t at = field(flat, table, slot, bytes);
  return at == 0 ? absent : load(flat->file.data + at, bytes);
}

uint8_t mn_flat_u8(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint8_t absent) {
  return (uint8_t)scalar(flat, table, slot, 1, absent);
}

int32_t mn_flat_i32(mn_flat *flat, const mn_flat_table *table, int32_t slot, int32_t absent) {
  return (int32_t)(uint32_t)scalar(flat, table, slot, 4, (uint32_t)absent);
}

uint32_t mn_flat_u32(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint32_t absent) {
  return (uint32_t)scalar(flat, table, slot, 4, absent);
}

uint64_t mn_flat_u64(mn_flat *flat, const mn_flat_table *table, int32_t slot, uint64_t absent) {
  return scalar(flat, table, slot, 8, absent);
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Follows the offset that stands at `at`; 0 on failure. */
static size_t follow(mn_flat *flat, size_t at) {
  uint32_t distance = (uint32_t)load(flat->file.data + at, 4);
  if (distance == 0 || distance > flat->file.size - at) {
    mn_flat_fail(flat, MN_ERR_FORMAT, at, "offset %u leaves the file (%zu bytes)", distance,
                 flat->file.size);
    return 0;
  }
  return at + distance;
}

static mn_flat_vector vector_at(mn_flat *flat, size_t at, size_t element_bytes) {
  const mn_flat_vector absent = {0};
  if (!inside(flat, "a vector", at, 4, 4)) return absent;
  mn_flat_vector vector = {.at = at + 4, .count = (uint32_t)load(flat->file.data + at, 4)};
  uint64_t bytes = (uint64_t)vector.count * element_bytes;
  if (!inside(flat, "a vector", vector.at, bytes, vector.count == 0 ? 1 : element_bytes))
    return absent;
  return vector;
}

mn_flat_vector mn_flat_vector_of(mn_flat *flat, const mn_flat_table *table, int32_t slot,
                                 size_t element_bytes) {
  const mn_flat_vector absent = {0};
  size_t at = field(flat, table, slot, 4);
  size_t target = at == 0 ? 0 : follow(flat, at);
  if (target == 0) return absent;
  mn_flat_vector vector = vector_at(flat, target, element_bytes);
  /* raw bytes are borrowed, not visited */
  uint64_t work = element_bytes == 1 ? 4 : (uint64_t)vector.count * element_bytes + 4;
  return spend(flat, target, work) ? vector : absent;
}

int32_t mn_flat_item_i32(const mn_flat *flat, mn_flat_vector vector, uint32_t index) {
  assert(index < vector.count);
  return (int32_t)(uint32_t)load(flat->file.data + vector.at + (size_t)index * 4, 4);
}

int64_t mn_flat_item_i64(const mn_flat *flat, mn_flat_vector vector, uint32_t index) {
  assert(index < vector.count);
  return (int64_t)load(flat->file.data + vector.at + (size_t)index * 8, 8);
}

float mn_flat_item_f32(const mn_flat *flat, mn_flat_vector vector, uint32_t index) {
  return float_of((uint32_t)mn_flat_item_i32(flat, vector, index));
}

mn_flat_table mn_flat_item_table(mn_flat *flat, mn_flat_vector vector, uint32_t index) {
  assert(index < vector.count);
  const mn_flat_table absent = {0};
  if (flat->status != MN_OK) return absent;
  size_t target = follow(flat, vector.at + (size_t)index * 4);
  return target == 0 ? absent : table_at(flat, target);
}

mn_flat_table mn_flat_child(mn_flat *flat, const mn_flat_table *table, int32_t slot) {
  const mn_flat_table absent = {0};
  size_t at = field(flat, table, slot, 4);
  size_t target = at == 0 ? 0 : follow(flat, at);
  return target == 0 ? absent : table_at(flat, target);
}

const char *mn_flat_text(mn_flat *flat, const mn_flat_table *table, int32_t slot) {
  size_t at = field(flat, table, slot, 4);
  size_t target = at == 0 ? 0 : follow(flat, at);
  if (target == 0) return NULL;
  mn_flat_vector vector = vector_at(flat, target, 1);
  if (!spend(flat, target, (uint64_t)vector.count + 4)) return NULL;
  if (!inside(flat, "a string", vector.at, (uint64_t)vector.count + 1, 1)) return NULL;
  const uint8_t *end = memchr(flat->file.data + vector.at, 0, (size_t)vector.count + 1);
  if (end != flat->file.data + vector.at + vector.count) {
    mn_flat_fail(flat, MN_ERR_FORMAT, vector.at,
                 "the text of %u bytes does not end with a zero byte, or holds one inside",
                 vector.count);
    return NULL;
  }
  return (const char *)flat->file.data + vector.at;
}
