/* picture.c - see picture.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/picture.h"

#include <string.h>

mn_status mn_picture_allocate(mn_picture *picture, int64_t width, int64_t height, const char *name,
                              mn_error *error) {
  if (width < 1 || height < 1)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: it has no pixels", name);
  if (width > MN_PICTURE_MOST_SIDE || height > MN_PICTURE_MOST_SIDE ||
      width * height > MN_PICTURE_MOST_PIXELS)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found %lldx%lld pixels; expected 64 million at most, sides to %d",
                        name, (long long)width, (long long)height, MN_PICTURE_MOST_SIDE);
  picture->width = (int32_t)width;
  picture->height = (int32_t)height;
  picture->pixels = mn_malloc((size_t)(width * height * picture->channels));
  return picture->pixels != NULL ? MN_OK
                                 : mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", name);
}

static bool begins(mn_bytes file, const char *magic, size_t size) {
  return file.size >= size && memcmp(file.data, magic, size) == 0;
}

/* Halves a photo whose shorter side the front end does not take: means of four. */
static void halve(mn_picture *p) {
  int32_t width = p->width / 2, height = p->height / 2, n = p->channels;
  ptrdiff_t row = (ptrdiff_t)p->width * n;
  uint8_t *to = p->pixels;
  for (int32_t y = 0; y < height; y++) {
    const uint8_t *from = p->pixels + 2 * y * row;
    for (int32_t i = 0; i < width * n; i++) {
      const uint8_t *at = from + i / n * 2 * n + i % n;
      *to++ = (uint8_t)((at[0] + at[n] + at[row] + at[row + n] + 2) / 4);
    }
  }
  p->width = width;
  p->height = height;
  p->halvings++;
}

mn_status mn_picture_decode(mn_picture *picture, mn_bytes file, const char *name, mn_error *error) {
  mn_picture made = {0};
  mn_status status;
  if (begins(file, "\xff\xd8\xff", 3))
    status = mn_jpeg_decode(&made, file, name, error);
  else if (begins(file, "\x89PNG\r\n\x1a\n", 8))
    status = mn_png_decode(&made, file, name, error);
  else
    status = mn_error_set(error, MN_ERR_FORMAT, "%s: cannot be decoded: %s; expected JPEG or PNG",
                          name, file.size == 0 ? "it has 0 bytes" : "unknown format");
  if (status != MN_OK) {
    mn_free(made.pixels);
    return status;
  }
  while (made.width > MN_IMAGE_MOST_FRAME && made.height > MN_IMAGE_MOST_FRAME) halve(&made);
  *picture = made;
  return MN_OK;
}

mn_image_info mn_picture_measure(const mn_picture *picture) {
  size_t count = (size_t)picture->width * (size_t)picture->height * (size_t)picture->channels;
  mn_image_info info = {picture->width, picture->height, picture->channels, 255, 0};
  for (size_t i = 0; i < count; i++) {
    if (picture->pixels[i] < info.lowest) info.lowest = picture->pixels[i];
    if (picture->pixels[i] > info.highest) info.highest = picture->pixels[i];
  }
  return info;
}

void mn_picture_resize(uint8_t *pixel, int32_t size, int32_t channels, const mn_picture *picture) {
  const mn_image_frame frame = {picture->pixels, picture->width, picture->height,
                                picture->channels == 1 ? MN_IMAGE_GREY8 : MN_IMAGE_RGB888};
  mn_image_resize(pixel, size, channels, &frame);
}
