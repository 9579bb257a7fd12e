/* pictures.c - the photo of one item, wherever it lies.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "data/dataset.h"

/* A file read for the moment; released with its arena. */
static mn_status decode_file(mn_picture *picture, const char *path, const char *name,
                             mn_error *error) {
  mn_arena *arena = NULL;
  mn_bytes file;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", name);
  mn_status status = mn_file_read(&file, arena, path, (size_t)MN_MEMBER_LIMIT, error);
  if (status == MN_OK) status = mn_picture_decode(picture, file, name, error);
  mn_arena_destroy(arena);
  return status;
}

mn_status mn_dataset_picture(const mn_dataset *dataset, mn_picture *picture, int32_t item,
                             mn_error *error) {
  const mn_member *m = &dataset->source.members[dataset->entries[item].index];
  const char *name = dataset->items[item].file;
  if (m->data != NULL)
    return mn_picture_decode(picture, (mn_bytes){m->data, (size_t)m->size}, name, error);
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", dataset->source.root, m->path);
  if (length < 0 || (size_t)length >= sizeof path)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: its path is too long", name);
  return decode_file(picture, path, name, error);
}

mn_status mn_image_read(uint8_t *pixel, const char *path, int32_t size, int32_t channels,
                        mn_error *error) {
  mn_picture picture;
  MN_TRY(decode_file(&picture, path, path, error));
  mn_picture_resize(pixel, size, channels, &picture);
  mn_free(picture.pixels);
  return MN_OK;
}
