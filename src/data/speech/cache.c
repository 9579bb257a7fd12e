/* cache.c - the takes of one text on disk. Layout, little endian:
 *
 *   8 bytes "MNSPEAK2", uint64 key, uint32 count, count x uint32 samples, all int16 samples, uint32 crc
 *
 * A file that is anything else counts as absent: it is spoken again and written anew.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "data/speech/parts.h"

enum { HEADER = 20, PATH_SIZE = 1024 };
static const char magic[8] = {'M', 'N', 'S', 'P', 'E', 'A', 'K', '2'};

uint64_t mn_takes_key(const mn_take *takes, int32_t count, const char *versions) {
  uint64_t key = mn_hash64(1, versions, strlen(versions));
  for (int32_t i = 0; i < count; i++) {
    char line[256];
    const mn_take *t = &takes[i];
    const int length = snprintf(line, sizeof line, "%d|%s|%s|%d|%d|%d|%.2f", t->engine, t->text,
                                t->voice, t->rate, t->pitch, t->range, t->tract);
    key = mn_hash64(key, line, (size_t)length);
  }
  return key;
}

static void path_of(char path[PATH_SIZE], const char *folder, uint64_t key) {
  (void)snprintf(path, PATH_SIZE, "%s/speech-%016llx.bin", folder, (unsigned long long)key);
}

static void put_header(uint8_t header[HEADER], uint64_t key, int32_t count) {
  memcpy(header, magic, sizeof magic);
  mn_store_u64(header + 8, key);
  mn_store_u32(header + 16, (uint32_t)count);
}

/* The file's sizes must add up, its bytes must be those that were written. */
static bool is_whole(mn_bytes file, int32_t count, uint64_t key) {
  uint8_t header[HEADER];
  put_header(header, key, count);
  const size_t table = HEADER + 4 * (size_t)count;
  if (file.size < table + 4 || memcmp(file.data, header, HEADER) != 0) return false;
  size_t samples = 0;
  for (int32_t i = 0; i < count; i++) samples += mn_load_u32(file.data + HEADER + 4 * (size_t)i);
  if (file.size != table + 2 * samples + 4) return false;
  return mn_crc32(0, file.data, file.size - 4) == mn_load_u32(file.data + file.size - 4);
}

static bool take_all(mn_take *takes, int32_t count, mn_bytes file) {
  const uint8_t *pcm = file.data + HEADER + 4 * (size_t)count;
  for (int32_t i = 0; i < count; i++) {
    const size_t samples = mn_load_u32(file.data + HEADER + 4 * (size_t)i);
    takes[i].samples = (int32_t)samples;
    if (samples == 0) continue;
    takes[i].pcm = mn_malloc(samples * sizeof(int16_t));
    if (takes[i].pcm == NULL) return false;
    for (size_t k = 0; k < samples; k++) {
      takes[i].pcm[k] = (int16_t)(uint16_t)(pcm[2 * k] | pcm[2 * k + 1] << 8);
    }
    pcm += 2 * samples;
  }
  return true;
}

bool mn_cache_load(mn_take *takes, int32_t count, const char *folder, uint64_t key) {
  char path[PATH_SIZE];
  path_of(path, folder, key);
  mn_arena *arena = NULL;
  if (!mn_file_exists(path) || mn_arena_create(&arena) != MN_OK) return false;
  mn_bytes file = {0};
  bool loaded = mn_file_read(&file, arena, path, 0, NULL) == MN_OK && is_whole(file, count, key) &&
                take_all(takes, count, file);
  mn_arena_destroy(arena);
  for (int32_t i = 0; !loaded && i < count; i++) {
    mn_free(takes[i].pcm);
    takes[i].pcm = NULL;
    takes[i].samples = 0;
  }
  return loaded;
}

static mn_status append_samples(mn_buffer *buffer, const mn_take *take) {
  for (int32_t i = 0; i < take->samples; i++) {
    const uint16_t v = (uint16_t)take->pcm[i];
    const uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    MN_TRY(mn_buffer_append(buffer, bytes, sizeof bytes));
  }
  return MN_OK;
}

static mn_status write_all(mn_buffer *buffer, const mn_take *takes, int32_t count, uint64_t key) {
  uint8_t header[HEADER], word[4];
  put_header(header, key, count);
  MN_TRY(mn_buffer_append(buffer, header, sizeof header));
  for (int32_t i = 0; i < count; i++) {
    mn_store_u32(word, (uint32_t)takes[i].samples);
    MN_TRY(mn_buffer_append(buffer, word, sizeof word));
  }
  for (int32_t i = 0; i < count; i++) MN_TRY(append_samples(buffer, &takes[i]));
  mn_store_u32(word, mn_crc32(0, buffer->data, buffer->size));
  return mn_buffer_append(buffer, word, sizeof word);
}

mn_status mn_cache_save(const mn_take *takes, int32_t count, const char *folder, uint64_t key,
                        mn_error *error) {
  char path[PATH_SIZE];
  path_of(path, folder, key);
  mn_buffer buffer = {0};
  mn_status status = mn_folder_make(folder, error);
  if (status == MN_OK) status = write_all(&buffer, takes, count, key);
  if (status == MN_OK) status = mn_file_write(path, buffer.data, buffer.size, error);
  mn_buffer_free(&buffer);
  return status;
}
