/* audit_image.c - what is measured of a photo and what is odd about one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

enum { TINY_SIDE = 16, FLAT_SPREAD = 8 };

mn_status mn_audit_measure_image(mn_image_info *info, const mn_dataset *dataset, int32_t item,
                                 mn_error *error) {
  mn_picture picture;
  MN_TRY(mn_dataset_picture(dataset, &picture, item, error));
  *info = mn_picture_measure(&picture);
  mn_free(picture.pixels);
  return MN_OK;
}

mn_status mn_audit_name_image(mn_dataset *dataset, int32_t item) {
  const mn_image_info *info = &dataset->entries[item].image;
  const char *file = dataset->items[item].file;
  if (info->width < TINY_SIDE || info->height < TINY_SIDE)
    MN_TRY(mn_problem_add(dataset, file, "tiny", "has %dx%d pixels", info->width, info->height));
  if (info->highest - info->lowest < FLAT_SPREAD)
    MN_TRY(mn_problem_add(dataset, file, "constant", "its values lie between %d and %d of 255",
                          info->lowest, info->highest));
  return MN_OK;
}
