/* file.c - whole files: read with every error named, written by rename so that a half never shows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mn_status open_regular(int *file, size_t *size, const char *path, size_t max_size,
                              mn_error *error) {
  int opened = open(path, O_RDONLY | O_CLOEXEC);
  if (opened < 0) {
    const bool ours =
        errno == EMFILE || errno == ENFILE || errno == ENOMEM; /* not the file's fault */
    return mn_error_set(error, ours ? MN_ERR_IO : MN_ERR_FORMAT, "%s: cannot be opened: %s", path,
                        strerror(errno));
  }
  struct stat info;
  mn_status status = MN_OK;
  if (fstat(opened, &info) != 0)
    status = mn_error_set(error, MN_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
  else if (!S_ISREG(info.st_mode))
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: is no regular file", path);
  else if ((uint64_t)info.st_size > max_size)
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: has %lld bytes; at most %zu are expected here",
                          path, (long long)info.st_size, max_size);
  if (status != MN_OK) {
    close(opened);
    return status;
  }
  *file = opened;
  *size = (size_t)info.st_size;
  return MN_OK;
}

static mn_status read_all(int file, uint8_t *data, size_t size, const char *path, mn_error *error) {
  for (size_t done = 0; done < size;) {
    ssize_t got = read(file, data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return mn_error_set(error, MN_ERR_IO, "%s: reading failed after %zu of %zu bytes: %s", path,
                          done, size, got < 0 ? strerror(errno) : "the file became shorter");
    done += (size_t)got;
  }
  return MN_OK;
}

mn_status mn_file_read(mn_bytes *bytes, mn_arena *arena, const char *path, size_t max_size,
                       mn_error *error) {
  int file = -1;
  size_t size = 0;
  MN_TRY(open_regular(&file, &size, path, max_size > 0 ? max_size : (size_t)INT32_MAX, error));
  uint8_t *data = mn_arena_alloc(arena, size + 1);
  mn_status status = data != NULL ? read_all(file, data, size, path, error)
                                  : mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  close(file);
  if (status == MN_OK) *bytes = (mn_bytes){data, size};
  return status;
}

static mn_status cannot_write(const char *path, mn_error *error) {
  return mn_error_set(error, MN_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}

static mn_status write_all(int file, const char *path, const void *data, size_t size,
                           mn_error *error) {
  const uint8_t *from = data;
  while (size > 0) {
    ssize_t put = write(file, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return cannot_write(path, error);
    from += put;
    size -= (size_t)put;
  }
  return MN_OK;
}

/* A device such as /dev/full or a pipe is written in place: a rename would replace it. */
static mn_status write_in_place(const char *path, const void *data, size_t size, mn_error *error) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return cannot_write(path, error);
  mn_status status = write_all(file, path, data, size, error);
  close(file);
  return status;
}

/* Writes and closes `file`; bytes are on the disk when this returns MN_OK. */
static mn_status fill_and_close(int file, const char *path, const void *data, size_t size,
                                mn_error *error) {
  mn_status status = write_all(file, path, data, size, error);
  if (status == MN_OK && fsync(file) != 0 && errno != EINVAL) status = cannot_write(path, error);
  if (close(file) != 0 && status == MN_OK) status = cannot_write(path, error);
  return status;
}

mn_status mn_file_write(const char *path, const void *data, size_t size, mn_error *error) {
  if (mn_ranks_me() > 0) return MN_OK; /* rank 0 writes the same */
  if (strcmp(path, "-") == 0) return write_all(STDOUT_FILENO, "standard output", data, size, error);
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
    return write_in_place(path, data, size, error);
  char temporary[4096];
  int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
  if (length < 0 || (size_t)length >= sizeof temporary)
    return mn_error_set(error, MN_ERR_IO, "%.200s...: the path is too long", path);
  int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return cannot_write(path, error);
  mn_status status = fill_and_close(file, path, data, size, error);
  if (status == MN_OK && rename(temporary, path) != 0) status = cannot_write(path, error);
  if (status != MN_OK) unlink(temporary);
  return status;
}

mn_status mn_folder_make(const char *path, mn_error *error) {
  char part[4096];
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof part)
    return mn_error_set(error, MN_ERR_IO, "%.200s: is no usable folder name", path);
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != '\0') continue;
    memcpy(part, path, i);
    part[i] = '\0';
    struct stat info;
    if (mkdir(part, 0777) == 0 || (stat(part, &info) == 0 && S_ISDIR(info.st_mode))) continue;
    return mn_error_set(error, MN_ERR_IO, "%s: the folder cannot be made: %s", part,
                        strerror(errno == EEXIST ? ENOTDIR : errno));
  }
  return MN_OK;
}

bool mn_file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

mn_status mn_file_hash(uint64_t *hash, const char *path, mn_error *error) {
  mn_arena *arena = NULL;
  mn_bytes file;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  mn_status status = mn_file_read(&file, arena, path, 0, error);
  if (status == MN_OK) *hash = mn_hash64(*hash, file.data, file.size);
  mn_arena_destroy(arena);
  return status;
}
