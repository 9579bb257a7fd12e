/* layout_records.c - data sets of raw pixels: IDX (MNIST, Fashion-MNIST) and CIFAR-10's binary files.
 * SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

#include "data/layout.h"

enum { CIFAR_SIDE = 32, CIFAR_CLASSES = 10, IDX_CLASSES = 256, MOST_UNPACKED = 1 << 29 };
enum { CIFAR_PIXELS = CIFAR_SIDE * CIFAR_SIDE * 3, CIFAR_RECORD = CIFAR_PIXELS + 1 };

static mn_status no_memory(const mn_dataset *dataset, mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->source.root);
}

/* ---- Bytes of a member ------------------------------------------------------------------------*/
static mn_status unpack(mn_buffer *out, mn_bytes packed, const char *name, mn_error *error) {
  enum { CHUNK = 1 << 16 };
  struct archive *file = archive_read_new();
  struct archive_entry *entry;
  uint8_t *chunk = mn_malloc(CHUNK);
  mn_status status = file != NULL && chunk != NULL ? MN_OK : MN_ERR_MEMORY;
  la_ssize_t got = -1;
  if (status == MN_OK) {
    archive_read_support_filter_gzip(file);
    archive_read_support_format_raw(file);
    if (archive_read_open_memory(file, packed.data, packed.size) == ARCHIVE_OK &&
        archive_read_next_header(file, &entry) == ARCHIVE_OK)
      while (status == MN_OK && (got = archive_read_data(file, chunk, CHUNK)) > 0)
        status =
            out->size > MOST_UNPACKED ? MN_ERR_FORMAT : mn_buffer_append(out, chunk, (size_t)got);
  }
  if (status != MN_OK || got < 0)
    status = mn_error_set(error, status == MN_ERR_MEMORY ? status : MN_ERR_FORMAT,
                          "%s: cannot be unpacked", name);
  mn_free(chunk);
  archive_read_free(file);
  return status;
}

mn_status mn_layout_load(mn_record_file *file, mn_dataset *dataset, mn_error *error) {
  const mn_member *m = &dataset->source.members[file->member];
  mn_buffer plain = {0};
  if (m->trouble != NULL) return mn_error_set(error, MN_ERR_FORMAT, "%s: %s", m->path, m->trouble);
  MN_TRY(mn_source_text(&file->bytes, &dataset->source, dataset->arena, file->member, error));
  if (file->bytes.size < 2 || file->bytes.data[0] != 0x1f || file->bytes.data[1] != 0x8b)
    return MN_OK;
  mn_status status = unpack(&plain, file->bytes, m->path, error);
  if (status == MN_OK) {
    const uint8_t *copy = mn_arena_copy(dataset->arena, plain.data, plain.size);
    file->bytes = (mn_bytes){copy, plain.size};
    if (copy == NULL) status = no_memory(dataset, error);
  }
  mn_buffer_free(&plain);
  return status;
}

mn_status mn_layout_add_record(mn_dataset *dataset, const mn_record_file *file, int32_t index,
                               const mn_raw_photo *record, const char *class_text,
                               mn_error *error) {
  const char *name = mn_arena_text(dataset->arena, "%s:%d",
                                   dataset->source.members[file->member].path, (int)index);
  if (name == NULL || class_text == NULL) return no_memory(dataset, error);
  dataset->items[dataset->count] = (mn_item){.file = name, .split = file->split};
  dataset->entries[dataset->count++] = (mn_entry){.origin = MN_ORIGIN_RECORD,
                                                  .index = file->member,
                                                  .record = *record,
                                                  .class_text = class_text};
  return MN_OK;
}

static mn_split split_of(const char *name) {
  bool test = strncmp(name, "t10k", 4) == 0 || strncmp(name, "test", 4) == 0;
  return test ? MN_SPLIT_TEST : strncmp(name, "val", 3) == 0 ? MN_SPLIT_VAL : MN_SPLIT_TRAIN;
}

/* ---- IDX ---------------------------------------------------------------------------------------*/
static bool is_idx_images(const mn_member *m) {
  const char *name = mn_base_name(m->path);
  return !m->is_folder && strstr(name, "images") != NULL && strstr(name, "idx3-ubyte") != NULL;
}

/* Kept beside its unpacked form: the same images again. */
static bool is_packed_twin(const mn_source *source, const mn_member *m) {
  const size_t length = strlen(m->path);
  if (length < 3 || strcmp(m->path + length - 3, ".gz") != 0) return false;
  for (int32_t i = 0; i < source->count; i++) {
    const char *path = source->members[i].path;
    if (strlen(path) == length - 3 && strncmp(path, m->path, length - 3) == 0) return true;
  }
  return false;
}

static bool idx_found(const mn_source *source) {
  for (int32_t i = 0; i < source->count; i++)
    if (is_idx_images(&source->members[i])) return true;
  return false;
}

static uint32_t big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

typedef struct idx_pair {
  mn_record_file images, labels;
  int32_t count, height, width;
} idx_pair;

/* "train-images-idx3-ubyte" goes with "train-labels-idx1-ubyte". */
static int32_t find_labels(const mn_source *source, const char *images) {
  char wanted[4096];
  if (snprintf(wanted, sizeof wanted, "%s", images) >= (int)sizeof wanted) return -1;
  char *word = strstr(wanted + (mn_base_name(images) - images), "images"), *kind;
  memcpy(word, "labels", 6);
  kind = strstr(word, "idx3-ubyte");
  if (kind != NULL) kind[3] = '1';
  size_t stem = strlen(wanted);
  if (stem > 3 && strcmp(wanted + stem - 3, ".gz") == 0) stem -= 3;
  for (int32_t i = 0; i < source->count; i++)
    if (strncmp(source->members[i].path, wanted, stem) == 0) return i;
  return -1;
}

static mn_status check_kind(mn_bytes file, uint32_t kind, const char *name, mn_error *error) {
  const bool images = kind == 0x803;
  if (file.size >= (images ? 16 : 8) && big_endian(file.data) == kind) return MN_OK;
  char found[16] = "a short file";
  if (file.size >= 4) snprintf(found, sizeof found, "%08lx", (unsigned long)big_endian(file.data));
  return mn_error_set(error, MN_ERR_FORMAT, "%s: found %s; expected an IDX file of %s, %08lx", name,
                      found, images ? "images" : "labels", (unsigned long)kind);
}

static mn_status check_idx(idx_pair *pair, const mn_dataset *dataset, mn_error *error) {
  const char *name = dataset->source.members[pair->images.member].path,
             *labels = dataset->source.members[pair->labels.member].path;
  mn_bytes x = pair->images.bytes, y = pair->labels.bytes;
  MN_TRY(check_kind(x, 0x803, name, error));
  MN_TRY(check_kind(y, 0x801, labels, error));
  uint64_t count = big_endian(x.data + 4), height = big_endian(x.data + 8),
           width = big_endian(x.data + 12);
  if (height < 1 || width < 1 || height > MN_IMAGE_MOST_FRAME || width > MN_IMAGE_MOST_FRAME ||
      count != (x.size - 16) / (height * width) || (x.size - 16) % (height * width) != 0)
    return mn_error_set(
        error, MN_ERR_FORMAT, "%s: found %zu bytes; expected %llu images of %llux%llu", name,
        x.size, (unsigned long long)count, (unsigned long long)width, (unsigned long long)height);
  if (count != big_endian(y.data + 4) || count != y.size - 8)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found %zu labels and %lu in its head; expected one for each of %llu "
                        "images",
                        labels, y.size - 8, (unsigned long)big_endian(y.data + 4),
                        (unsigned long long)count);
  pair->count = (int32_t)count;
  pair->height = (int32_t)height;
  pair->width = (int32_t)width;
  return MN_OK;
}

static mn_status open_pair(idx_pair *pair, mn_dataset *dataset, int32_t member, mn_error *error) {
  const char *path = dataset->source.members[member].path;
  *pair = (idx_pair){.images = {.member = member, .split = split_of(mn_base_name(path))},
                     .labels = {.member = find_labels(&dataset->source, path)}};
  if (pair->labels.member < 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: found no file of labels beside it; expected %s",
                        path, "...-labels-idx1-ubyte");
  MN_TRY(mn_layout_load(&pair->images, dataset, error));
  MN_TRY(mn_layout_load(&pair->labels, dataset, error));
  return check_idx(pair, dataset, error);
}

/* Numbers as class names; with two digits where needed, so that byte order is their order. */
static mn_status number_classes(const char **names, mn_dataset *dataset, const idx_pair *pairs,
                                int32_t count, mn_error *error) {
  int32_t most = 0;
  for (int32_t p = 0; p < count; p++)
    for (int32_t i = 0; i < pairs[p].count; i++)
      if (pairs[p].labels.bytes.data[8 + i] > most) most = pairs[p].labels.bytes.data[8 + i];
  for (int32_t c = 0; c <= most; c++) {
    names[c] = mn_arena_text(dataset->arena,
                             most < 10    ? "%d"
                             : most < 100 ? "%02d"
                                          : "%03d",
                             (int)c);
    if (names[c] == NULL) return no_memory(dataset, error);
  }
  return MN_OK;
}

static mn_status idx_read(mn_dataset *dataset, mn_error *error) {
  enum { MOST_PAIRS = 16 };
  idx_pair pairs[MOST_PAIRS];
  const char *names[IDX_CLASSES] = {0};
  int32_t count = 0;
  int64_t total = 0;
  for (int32_t i = 0; i < dataset->source.count; i++) {
    const mn_member *m = &dataset->source.members[i];
    if (!is_idx_images(m) || is_packed_twin(&dataset->source, m)) continue;
    if (count == MOST_PAIRS)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: found more than %d files of images; expected "
                          "at most as many",
                          m->path, MOST_PAIRS);
    MN_TRY(open_pair(&pairs[count], dataset, i, error));
    total += pairs[count++].count;
  }
  MN_TRY(mn_layout_grow(dataset, total, error));
  MN_TRY(number_classes(names, dataset, pairs, count, error));
  for (int32_t p = 0; p < count; p++) {
    size_t bytes = (size_t)pairs[p].height * (size_t)pairs[p].width;
    for (int32_t i = 0; i < pairs[p].count; i++) {
      mn_raw_photo record = {.pixels = pairs[p].images.bytes.data + 16 + bytes * (size_t)i,
                             .height = pairs[p].height,
                             .width = pairs[p].width,
                             .channels = 1};
      MN_TRY(mn_layout_add_record(dataset, &pairs[p].images, i, &record,
                                  names[pairs[p].labels.bytes.data[8 + i]], error));
    }
  }
  return MN_OK;
}

const mn_layout mn_layout_idx = {"idx", idx_found, idx_read};

/* ---- CIFAR-10, binary --------------------------------------------------------------------------*/
static bool is_cifar(const mn_member *m) {
  const char *name = mn_base_name(m->path);
  size_t length = strlen(name);
  bool batch = strncmp(name, "data_batch_", 11) == 0 || strncmp(name, "test_batch", 10) == 0;
  return !m->is_folder && batch && length > 4 && strcmp(name + length - 4, ".bin") == 0;
}

static bool cifar_found(const mn_source *source) {
  for (int32_t i = 0; i < source->count; i++)
    if (is_cifar(&source->members[i])) return true;
  return false;
}

static mn_status check_names(const char *const *names, const char *path, mn_error *error) {
  for (int32_t c = 0; c < CIFAR_CLASSES; c++)
    for (int32_t k = 0; k < c; k++)
      if (names[c] != NULL && names[k] != NULL && strcmp(names[c], names[k]) == 0)
        return mn_error_set(error, MN_ERR_FORMAT,
                            "%s:%d: found \"%s\" again; expected ten different names", path,
                            (int)c + 1, names[c]);
  return MN_OK;
}

/* Names of batches.meta.txt, one a line, or the classes as they are known. */
static mn_status cifar_names(const char **names, mn_dataset *dataset, mn_error *error) {
  static const char *const known[CIFAR_CLASSES] = {
      "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  memcpy(names, known, sizeof known);
  for (int32_t i = 0; i < dataset->source.count; i++) {
    mn_bytes text;
    if (strcmp(mn_base_name(dataset->source.members[i].path), "batches.meta.txt") != 0) continue;
    MN_TRY(mn_source_text(&text, &dataset->source, dataset->arena, i, error));
    const char *at = (const char *)text.data, *end = at + text.size;
    for (int32_t c = 0; c < CIFAR_CLASSES && at < end; c++) {
      const char *stop = memchr(at, '\n', (size_t)(end - at));
      int size = (int)((stop != NULL ? stop : end) - at);
      while (size > 0 && at[size - 1] == '\r') size--;
      if (size > 0) names[c] = mn_arena_text(dataset->arena, "%.*s", size, at);
      at = stop != NULL ? stop + 1 : end;
    }
    MN_TRY(check_names(names, dataset->source.members[i].path, error));
  }
  return MN_OK;
}

static mn_status add_batch(mn_dataset *dataset, const mn_record_file *file,
                           const char *const *names, mn_error *error) {
  const char *path = dataset->source.members[file->member].path;
  for (size_t i = 0; i < file->bytes.size / CIFAR_RECORD; i++) {
    const uint8_t *at = file->bytes.data + i * CIFAR_RECORD;
    mn_raw_photo record = {at + 1, CIFAR_SIDE, CIFAR_SIDE, 3, true};
    if (at[0] >= CIFAR_CLASSES)
      return mn_error_set(error, MN_ERR_FORMAT, "%s: image %zu has label %d; expected 0 to 9", path,
                          i, at[0]);
    MN_TRY(mn_layout_add_record(dataset, file, (int32_t)i, &record, names[at[0]], error));
  }
  return MN_OK;
}

static mn_status cifar_read(mn_dataset *dataset, mn_error *error) {
  enum { MOST_FILES = 32 };
  mn_record_file files[MOST_FILES];
  const char *names[CIFAR_CLASSES];
  int32_t count = 0;
  int64_t total = 0;
  for (int32_t i = 0; i < dataset->source.count && count < MOST_FILES; i++) {
    const char *path = dataset->source.members[i].path;
    if (!is_cifar(&dataset->source.members[i])) continue;
    files[count] = (mn_record_file){.member = i, .split = split_of(mn_base_name(path))};
    MN_TRY(mn_layout_load(&files[count], dataset, error));
    if (files[count].bytes.size == 0 || files[count].bytes.size % CIFAR_RECORD != 0)
      return mn_error_set(
          error, MN_ERR_FORMAT,
          "%s: found %zu bytes; expected a multiple of %d, a label and 32x32x3 values", path,
          files[count].bytes.size, CIFAR_RECORD);
    total += (int64_t)(files[count++].bytes.size / CIFAR_RECORD);
  }
  MN_TRY(mn_layout_grow(dataset, total, error));
  MN_TRY(cifar_names(names, dataset, error));
  for (int32_t f = 0; f < count; f++) MN_TRY(add_batch(dataset, &files[f], names, error));
  return MN_OK;
}

const mn_layout mn_layout_cifar = {"cifar-10", cifar_found, cifar_read};
