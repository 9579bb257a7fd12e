/* pictures.c - the photo of one item, wherever it lies.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

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

static mn_status copy_record(mn_picture *picture, const mn_raw_photo *r, const char *name,
                             mn_error *error) {
  mn_picture made = {.channels = r->channels};
  MN_TRY(mn_picture_allocate(&made, r->width, r->height, name, error));
  int32_t plane = r->height * r->width;
  for (int32_t i = 0; i < plane; i++)
    for (int32_t c = 0; c < r->channels; c++)
      made.pixels[i * r->channels + c] = r->pixels[r->planar ? c * plane + i : i * r->channels + c];
  *picture = made;
  return MN_OK;
}

/* Keeps a square of the photo, which is told in the file's pixels; side 0: all of it. */
static mn_status crop(mn_picture *p, mn_crop square, const char *name, mn_error *error) {
  square.left >>= p->halvings, square.top >>= p->halvings, square.side >>= p->halvings;
  if (square.side < 1) return MN_OK;
  if (square.left < 0 || square.top < 0 || square.left > p->width - square.side ||
      square.top > p->height - square.side) {
    mn_free(p->pixels);
    p->pixels = NULL;
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found %d x %d pixels; expected the size that its annotation says",
                        name, (int)p->width, (int)p->height);
  }
  size_t row = (size_t)square.side * (size_t)p->channels;
  for (int32_t y = 0; y < square.side; y++)
    memmove(p->pixels + (size_t)y * row,
            p->pixels + ((ptrdiff_t)(square.top + y) * p->width + square.left) * p->channels, row);
  p->width = p->height = square.side;
  return MN_OK;
}

static mn_status decode_item(const mn_dataset *dataset, mn_picture *picture, int32_t item,
                             mn_error *error) {
  const mn_member *m = &dataset->source.members[dataset->entries[item].index];
  const char *name = dataset->items[item].file;
  const mn_raw_photo *record = &dataset->entries[item].record;
  if (record->pixels != NULL) return copy_record(picture, record, name, error);
  if (m->data != NULL)
    return mn_picture_decode(picture, (mn_bytes){m->data, (size_t)m->size}, name, error);
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", dataset->source.root, m->path);
  if (length < 0 || (size_t)length >= sizeof path)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: its path is too long", name);
  return decode_file(picture, path, name, error);
}

mn_status mn_dataset_picture(const mn_dataset *dataset, mn_picture *picture, int32_t item,
                             mn_error *error) {
  MN_TRY(decode_item(dataset, picture, item, error));
  return crop(picture, dataset->entries[item].crop, dataset->items[item].file, error);
}

mn_status mn_image_read(uint8_t *pixel, const char *path, int32_t size, int32_t channels,
                        mn_error *error) {
  mn_picture picture;
  MN_TRY(decode_file(&picture, path, path, error));
  mn_picture_resize(pixel, size, channels, &picture);
  mn_free(picture.pixels);
  return MN_OK;
}
