/* bytes.c - sinks, buffers, hashes, near words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <stdio.h>
#include <string.h>

static uint64_t load(const uint8_t *from, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; i--) value = value << 8 | from[i];
  return value;
}

static void store(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> (8 * i));
}

uint32_t mn_load_u32(const uint8_t *from) {
  return (uint32_t)load(from, 4);
}

uint64_t mn_load_u64(const uint8_t *from) {
  return load(from, 8);
}

void mn_store_u32(uint8_t *to, uint32_t value) {
  store(to, value, 4);
}

void mn_store_u64(uint8_t *to, uint64_t value) {
  store(to, value, 8);
}

mn_status mn_sink_write(const mn_sink *sink, const void *data, size_t size) {
  return size == 0 ? MN_OK : sink->write(sink->context, data, size);
}

static mn_status print_large(const mn_sink *sink, size_t length, const char *format,
                             va_list arguments) {
  char *text = mn_malloc(length + 1);
  if (text == NULL) return MN_ERR_MEMORY;
  vsnprintf(text, length + 1, format, arguments);
  mn_status status = mn_sink_write(sink, text, length);
  mn_free(text);
  return status;
}

mn_status mn_sink_printf(const mn_sink *sink, const char *format, ...) {
  char small[512];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(small, sizeof small, format, arguments);
  va_end(arguments);
  mn_status status = MN_ERR_FAILED;
  if (length >= 0 && (size_t)length < sizeof small)
    status = mn_sink_write(sink, small, (size_t)length);
  else if (length >= 0)
    status = print_large(sink, (size_t)length, format, again);
  va_end(again);
  return status;
}

mn_status mn_buffer_append(mn_buffer *buffer, const void *data, size_t size) {
  if (size > SIZE_MAX / 2 - buffer->size) return MN_ERR_MEMORY;
  size_t need = buffer->size + size;
  if (need > buffer->capacity) {
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 256;
    while (capacity < need) capacity *= 2;
    uint8_t *moved = mn_realloc(buffer->data, capacity);
    if (moved == NULL) return MN_ERR_MEMORY;
    buffer->data = moved;
    buffer->capacity = capacity;
  }
  if (size > 0) memcpy(buffer->data + buffer->size, data, size);
  buffer->size = need;
  return MN_OK;
}

static mn_status buffer_write(void *context, const void *data, size_t size) {
  return mn_buffer_append(context, data, size);
}

mn_sink mn_buffer_sink(mn_buffer *buffer) {
  return (mn_sink){buffer_write, buffer};
}

void mn_buffer_free(mn_buffer *buffer) {
  mn_free(buffer->data);
  *buffer = (mn_buffer){0};
}

/* FNV-1a over bytes with a final avalanche: short, stable, good enough for content keys. */
uint64_t mn_hash64(uint64_t seed, const void *data, size_t size) {
  const uint8_t *from = data;
  uint64_t hash = 0xcbf29ce484222325u ^ (seed * 0x9e3779b97f4a7c15u);
  for (size_t i = 0; i < size; i++) hash = (hash ^ from[i]) * 0x100000001b3u;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;
  hash ^= hash >> 33;
  return hash;
}

enum { WORD_MAX = 64 };

static int edit_distance(const char *a, const char *b) {
  int row[WORD_MAX + 1];
  int columns = (int)strlen(b);
  for (int j = 0; j <= columns; j++) row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= columns; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[columns];
}

const char *mn_nearest(const char *word, const char *const *names, size_t count) {
  const char *best = NULL;
  int least = 3;
  if (strlen(word) > WORD_MAX) return NULL;
  for (size_t i = 0; i < count; i++) {
    if (strlen(names[i]) > WORD_MAX) continue;
    int distance = edit_distance(word, names[i]);
    if (distance < least && distance < (int)strlen(names[i])) {
      least = distance;
      best = names[i];
    }
  }
  return best;
}
