/* picture_png.c - PNG by libpng's simplified interface: any kind of file becomes 8 bits, grey or RGB,
 * transparent parts over black. SPDX-License-Identifier: Apache-2.0 */
#include <png.h>

#include "data/picture.h"

mn_status mn_png_decode(mn_picture *picture, mn_bytes file, const char *name, mn_error *error) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  const png_color black = {0, 0, 0};
  mn_status status = MN_OK;
  if (png_image_begin_read_from_memory(&image, file.data, file.size) == 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: %s", name, image.message);
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* else 16 bits count as linear light */
  bool grey = (image.format & PNG_FORMAT_FLAG_COLOR) == 0;
  picture->channels = grey ? 1 : 3;
  image.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  status = mn_picture_allocate(picture, image.width, image.height, name, error);
  if (status == MN_OK && png_image_finish_read(&image, &black, picture->pixels, 0, NULL) == 0)
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: %s", name, image.message);
  png_image_free(&image);
  return status;
}
