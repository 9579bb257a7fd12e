/* source.c - see source.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct member_list {
  mn_arena *arena;
  mn_member *items; /* heap while it grows */
  int32_t count, capacity;
} member_list;

const char *mn_base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool ends_with(const char *path, const char *const *endings, size_t count) {
  const char *base = mn_base_name(path), *dot = strrchr(base, '.');
  if (dot == NULL || base[0] == '.') return false;
  for (size_t i = 0; i < count; i++) {
    if (strcasecmp(dot + 1, endings[i]) == 0) return true;
  }
  return false;
}

bool mn_is_audio(const char *path) {
  static const char *const endings[] = {"wav", "flac", "opus", "ogg", "oga", "mp3", "aiff",
                                        "aif", "aifc", "au",   "snd", "w64", "caf", "rf64"};
  return ends_with(path, endings, MN_COUNT(endings));
}

bool mn_is_image(const char *path) {
  static const char *const endings[] = {"jpg", "jpeg", "png", "bmp", "ppm", "pgm"};
  return ends_with(path, endings, MN_COUNT(endings));
}

/* Lists and annotations. */
static bool is_list(const char *path) {
  static const char *const endings[] = {"txt", "csv", "json"};
  return ends_with(path, endings, MN_COUNT(endings));
}

/* Raw pixels: IDX, packed or not, and CIFAR's batches. */
static bool is_records(const char *path) {
  static const char *const endings[] = {"bin", "gz"};
  const char *name = mn_base_name(path);
  return strstr(name, "-ubyte") != NULL ||
         (strstr(name, "_batch") != NULL && ends_with(path, endings, MN_COUNT(endings)));
}

static mn_status add_member(member_list *list, const char *path, mn_member **added) {
  if (list->count == list->capacity) {
    int32_t capacity = list->capacity > 0 ? 2 * list->capacity : 256;
    mn_member *items = mn_realloc(list->items, sizeof *items * (size_t)capacity);
    if (items == NULL) return MN_ERR_MEMORY;
    list->items = items;
    list->capacity = capacity;
  }
  const char *copy = mn_arena_text(list->arena, "%s", path);
  if (copy == NULL) return MN_ERR_MEMORY;
  mn_member *member = &list->items[list->count++];
  *member = (mn_member){.path = copy};
  *added = member;
  return MN_OK;
}

/* ---- Folder ---------------------------------------------------------------------------------*/

static mn_status add_entry(member_list *list, const FTSENT *entry, size_t root_length) {
  const char *relative = entry->fts_path + root_length;
  while (*relative == '/') relative++;
  mn_member *member;
  if (*relative == '\0' || entry->fts_info == FTS_DP) return MN_OK;
  MN_TRY(add_member(list, relative, &member));
  member->is_folder = entry->fts_info == FTS_D || entry->fts_info == FTS_DNR;
  if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS ||
      entry->fts_info == FTS_DC) {
    member->trouble =
        mn_arena_text(list->arena, "%s",
                      entry->fts_info == FTS_DC ? "a link that leads back to its own folder"
                                                : strerror(entry->fts_errno));
    if (member->trouble == NULL) return MN_ERR_MEMORY;
  } else if (!member->is_folder) {
    member->size = entry->fts_statp->st_size;
    if (!S_ISREG(entry->fts_statp->st_mode)) member->trouble = "no regular file";
  }
  return MN_OK;
}

static mn_status list_folder(member_list *list, const char *path, mn_error *error) {
  char *root = mn_arena_text(list->arena, "%s", path);
  if (root == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  char *const roots[] = {root, NULL};
  FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
  if (tree == NULL)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be read: %s", path, strerror(errno));
  mn_status status = MN_OK;
  FTSENT *entry;
  while (status == MN_OK && (entry = fts_read(tree)) != NULL) {
    if (entry->fts_level == 0 && entry->fts_info == FTS_DNR) {
      status = mn_error_set(error, MN_ERR_FORMAT,
                            "%s: the folder cannot be read: %s; give it read permission", path,
                            strerror(entry->fts_errno));
    } else if (add_entry(list, entry, strlen(root)) != MN_OK) {
      status = mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
    }
  }
  fts_close(tree);
  return status;
}

/* ---- Archive --------------------------------------------------------------------------------*/

static mn_status read_member(struct archive *file, mn_member *member, mn_arena *arena,
                             int64_t *total, const char *path, mn_error *error) {
  if (member->size > MN_MEMBER_LIMIT) {
    member->trouble = "too large to be kept in memory; unpack the archive into a folder";
    return MN_OK;
  }
  if ((*total += member->size) > MN_ARCHIVE_LIMIT)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: holds more than 4 GiB of examples; unpack it into a folder", path);
  uint8_t *data = mn_arena_alloc(arena, (size_t)member->size + 1);
  if (data == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  for (int64_t done = 0; done < member->size;) {
    la_ssize_t got = archive_read_data(file, data + done, (size_t)(member->size - done));
    if (got <= 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: %s: the archive breaks off (%s); fetch it again", path, member->path,
                          got < 0 ? archive_error_string(file) : "too few bytes");
    done += got;
  }
  member->data = data;
  return MN_OK;
}

static mn_status take_entry(member_list *list, struct archive *file, struct archive_entry *entry,
                            int64_t *total, const char *path, mn_error *error) {
  const char *name = archive_entry_pathname(entry);
  if (name == NULL) return MN_OK;
  while (strncmp(name, "./", 2) == 0) name += 2;
  bool folder = archive_entry_filetype(entry) == AE_IFDIR;
  if (*name == '\0' || (!folder && archive_entry_filetype(entry) != AE_IFREG)) return MN_OK;
  mn_member *member;
  if (add_member(list, name, &member) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  member->is_folder = folder;
  if (folder) {
    size_t length = strlen(name);
    if (name[length - 1] == '/') length--;
    member->path = mn_arena_text(list->arena, "%.*s", (int)length, name);
    return member->path != NULL ? MN_OK
                                : mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  }
  member->size = archive_entry_size(entry);
  if (!mn_is_audio(name) && !mn_is_image(name) && !is_list(name) && !is_records(name)) return MN_OK;
  return read_member(file, member, list->arena, total, path, error);
}

static mn_status list_archive(member_list *list, const char *path, mn_error *error) {
  struct archive *file = archive_read_new();
  if (file == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  archive_read_support_filter_all(file);
  archive_read_support_format_all(file);
  mn_status status = MN_OK;
  int64_t total = 0;
  int code = archive_read_open_filename(file, path, 1 << 16);
  struct archive_entry *entry;
  while (code >= ARCHIVE_WARN && status == MN_OK &&
         (code = archive_read_next_header(file, &entry)) >= ARCHIVE_WARN && code != ARCHIVE_EOF) {
    status = take_entry(list, file, entry, &total, path, error);
  }
  if (status == MN_OK && code != ARCHIVE_EOF) {
    const char *text = archive_error_string(file);
    status = mn_error_set(error, MN_ERR_FORMAT,
                          "%s: no folder and no sound archive: %s; expected a folder, tar or zip",
                          path, text != NULL ? text : "it cannot be read");
  }
  archive_read_free(file);
  return status;
}

/* ---- Both -----------------------------------------------------------------------------------*/

static int by_path(const void *a, const void *b) {
  return strcmp(((const mn_member *)a)->path, ((const mn_member *)b)->path);
}

mn_status mn_source_open(mn_source *source, mn_arena *arena, const char *path, mn_error *error) {
  struct stat info;
  if (stat(path, &info) != 0)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: cannot be opened: %s; expected a folder, tar or zip", path,
                        strerror(errno));
  member_list list = {.arena = arena};
  bool on_disk = S_ISDIR(info.st_mode);
  mn_status status = on_disk ? list_folder(&list, path, error) : list_archive(&list, path, error);
  mn_source result = {
      .root = mn_arena_text(arena, "%s", path), .on_disk = on_disk, .count = list.count};
  if (status == MN_OK && list.count > 0) {
    qsort(list.items, (size_t)list.count, sizeof *list.items, by_path);
    result.members = mn_arena_copy(arena, list.items, sizeof *list.items * (size_t)list.count);
  }
  if (status == MN_OK && (result.root == NULL || (list.count > 0 && result.members == NULL)))
    status = mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  mn_free(list.items);
  if (status == MN_OK) *source = result;
  return status;
}

static FILE *open_member(const mn_source *source, const mn_member *member) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", source->root, member->path);
  if (length < 0 || (size_t)length >= sizeof path) return NULL;
  return fopen(path, "rbe");
}

bool mn_source_hash(uint64_t *hash, const mn_source *source, int32_t member) {
  enum { CHUNK = 1 << 16 };
  const mn_member *m = &source->members[member];
  uint64_t sum = (uint64_t)m->size;
  if (m->trouble != NULL) return false;
  if (m->data != NULL) {
    for (int64_t at = 0; at < m->size; at += CHUNK) {
      sum = mn_hash64(sum, m->data + at, (size_t)(m->size - at < CHUNK ? m->size - at : CHUNK));
    }
    *hash = sum;
    return true;
  }
  FILE *file = open_member(source, m);
  if (file == NULL) return false;
  uint8_t chunk[CHUNK];
  size_t got;
  while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) sum = mn_hash64(sum, chunk, got);
  bool whole = !ferror(file);
  fclose(file);
  *hash = sum;
  return whole;
}

mn_status mn_source_text(mn_bytes *text, const mn_source *source, mn_arena *arena, int32_t member,
                         mn_error *error) {
  const mn_member *m = &source->members[member];
  if (m->data != NULL) {
    *text = (mn_bytes){m->data, (size_t)m->size};
    return MN_OK;
  }
  const char *path = mn_arena_text(arena, "%s/%s", source->root, m->path);
  if (path == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", m->path);
  return mn_file_read(text, arena, path, (size_t)MN_MEMBER_LIMIT, error);
}
