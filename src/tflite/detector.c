/* detector.c - detectors as metadata of a .tflite: entries "micronets_detector_embedding" and
 * "micronets_detector_bands", little-endian: "MND1", the numbers of MN_DETECTOR_NUMBERS as int32, the
 * tables of MN_DETECTOR_TABLES one behind the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/tflite.h"

enum { MAGIC_BYTES = 4, MOST_STATES = 1024, MOST_DIMS = 1024, MOST_ROWS = 1000 };
static const char *const names[MN_DETECTOR_COUNT] = {"micronets_detector_embedding",
                                                     "micronets_detector_bands"};

static void put(mn_buffer *file, mn_status *status, uint64_t value, size_t size) {
  uint8_t bytes[8];
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  if (*status == MN_OK) *status = mn_buffer_append(file, bytes, size);
}

mn_status mn_detector_write(mn_metadata *entry, mn_arena *arena, const mn_detector *d,
                            mn_detector_source source, mn_error *error) {
  mn_buffer file = {0};
  mn_status status = mn_buffer_append(&file, "MND1", MAGIC_BYTES);
#define X(name) put(&file, &status, (uint64_t)(uint32_t)d->name, 4);
  MN_DETECTOR_NUMBERS(X)
#undef X
#define X(name, type, count)            \
  for (int32_t i = 0; i < (count); i++) \
    put(&file, &status, (uint64_t)(int64_t)d->name[i], sizeof(type));
  MN_DETECTOR_TABLES(X)
#undef X
  void *copy = status == MN_OK ? mn_arena_copy(arena, file.data, file.size) : NULL;
  *entry = (mn_metadata){names[source], {copy, file.size}};
  mn_buffer_free(&file);
  return copy != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
}

static uint64_t take(const uint8_t **at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint64_t) * (*at)++ << (8 * i);
  return value;
}

static size_t table_bytes(const mn_detector *d) {
  size_t bytes = 0;
#define X(name, type, count) bytes += sizeof(type) * (size_t)(count);
  MN_DETECTOR_TABLES(X)
#undef X
  return bytes;
}

static bool is_sound(const mn_detector *d) {
  return d->states >= 1 && d->states <= MOST_STATES && d->dims >= 1 && d->dims <= MOST_DIMS &&
         d->rows >= 1 && d->rows <= MOST_ROWS && (d->factors == 1 || d->factors == d->states);
}

static mn_status read_tables(mn_detector *d, mn_arena *arena, const uint8_t *at, mn_error *error) {
#define X(name, type, count)                                                              \
  type *name = mn_arena_array(arena, (size_t)(count), sizeof *name);                      \
  if (name == NULL) return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory"); \
  for (int32_t i = 0; i < (count); i++) name[i] = (type)take(&at, sizeof(type));          \
  d->name = name;
  MN_DETECTOR_TABLES(X)
#undef X
  for (int32_t i = 0; i < d->factors * d->dims; i++)
    if (d->shift[i] > 62)
      return mn_error_set(error, MN_ERR_FORMAT, "detector: shift %d; expected 62 at most",
                          (int)d->shift[i]);
  return MN_OK;
}

mn_status mn_detector_read(const mn_detector **detector, mn_arena *arena, const mn_model *model,
                           mn_detector_source source, mn_error *error) {
  *detector = NULL;
  for (int32_t i = 0; i < model->metadata_count; i++) {
    const mn_metadata *entry = &model->metadata[i];
    if (strcmp(entry->name, names[source]) != 0) continue;
    const uint8_t *at = entry->data.data + MAGIC_BYTES;
    size_t head = MAGIC_BYTES;
#define X(name) head += 4;
    MN_DETECTOR_NUMBERS(X)
#undef X
    mn_detector *d = mn_arena_alloc(arena, sizeof *d);
    if (d == NULL) return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
    if (entry->data.size < head || memcmp(entry->data.data, "MND1", MAGIC_BYTES) != 0)
      return mn_error_set(error, MN_ERR_FORMAT, "metadata \"%s\": expected a detector",
                          entry->name);
#define X(name) d->name = (int32_t)(uint32_t)take(&at, 4);
    MN_DETECTOR_NUMBERS(X)
#undef X
    if (!is_sound(d) || entry->data.size != head + table_bytes(d))
      return mn_error_set(error, MN_ERR_FORMAT,
                          "metadata \"%s\": %zu bytes for %d states of %d values; expected others",
                          entry->name, entry->data.size, (int)d->states, (int)d->dims);
    MN_TRY(read_tables(d, arena, at, error));
    *detector = d;
    return MN_OK;
  }
  return MN_OK;
}
