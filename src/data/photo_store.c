/* photo_store.c - photos of a split, decoded and resized once by the front end's own code.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/feed_store.h"
#include "data/parallel.h"

typedef struct build {
  const mn_feature_set *set;
  const mn_dataset *dataset;
  uint8_t *pixels;
  mn_status *status; /* [items] */
} build;

static mn_status take(const build *b, int32_t index, mn_error *error) {
  const mn_feature_set *set = b->set;
  size_t bytes = (size_t)(set->height * set->width) * (size_t)set->channels;
  mn_picture picture;
  MN_TRY(mn_dataset_picture(b->dataset, &picture, set->item[index], error));
  mn_picture_resize(b->pixels + (size_t)index * bytes, set->height, set->channels, &picture);
  mn_free(picture.pixels);
  return MN_OK;
}

static void take_item(void *context, int32_t item, int32_t thread) {
  (void)thread;
  const build *b = context;
  b->status[item] = take(b, item, NULL);
}

mn_status mn_photo_set_fill(const mn_feature_set *set, uint8_t *pixels, const mn_dataset *dataset,
                            mn_error *error) {
  build b = {set, dataset, pixels, mn_calloc((size_t)set->items + 1, sizeof(mn_status))};
  if (b.status == NULL) return mn_error_set(error, MN_ERR_MEMORY, "photos: out of memory");
  mn_status status = mn_data_parallel(dataset, "photos", take_item, &b, set->items, error);
  for (int32_t i = 0; status == MN_OK && i < set->items; i++) {
    if (b.status[i] == MN_OK) continue;
    status = take(&b, i, error); /* for its text */
  }
  mn_free(b.status);
  return status;
}

int32_t mn_photo_side(const mn_dataset *dataset, int32_t size, bool augment) {
  int32_t width, height;
  mn_dataset_image_size(dataset, &width, &height);
  int32_t most = width < height ? width : height, side = size + size / 4;
  if (!augment || most <= size) return size;
  return side < most ? side : most;
}
