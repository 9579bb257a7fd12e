/* photo_support.h - what the tests of photos share: made pixels, JPEG and PNG files of them, folders.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_PHOTO_SUPPORT_H
#define MN_TEST_PHOTO_SUPPORT_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "micronets/data.h"

static inline const char *photo_at(const char *folder, const char *name) {
  static char text[16][512];
  static int next;
  char *to = text[next++ & 15];
  snprintf(to, sizeof text[0], "%s/%s", folder, name);
  return to;
}

static inline void photo_folder_of(const char *path) {
  char folder[512];
  snprintf(folder, sizeof folder, "%s", path);
  *strrchr(folder, '/') = '\0';
  mn_error error = {{0}};
  assert_ok(mn_folder_make(folder, &error), &error);
}

/* A slope with noise of its own: content follows from `seed`. */
static inline uint8_t *photo_pixels(int width, int height, int channels, uint64_t seed) {
  uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
  mn_rng rng = mn_rng_seed(seed);
  for (int i = 0; i < width * height * channels; i++) {
    int x = i / channels % width, c = i % channels;
    int slope = (int)((unsigned)(x * 3 + c * 40) + (unsigned)seed * 17u) % 200;
    pixels[i] = (uint8_t)(slope + (int)mn_rng_below(&rng, 50));
  }
  return pixels;
}

static inline void photo_write_png(const char *path, int width, int height, int channels,
                                   uint64_t seed) {
  uint8_t *pixels = photo_pixels(width, height, channels, seed);
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
  photo_folder_of(path);
  assert_int_equal(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), 1);
  free(pixels);
}

static inline void photo_write_jpeg(const char *path, int width, int height, int channels,
                                    uint64_t seed) {
  uint8_t *pixels = photo_pixels(width, height, channels, seed);
  photo_folder_of(path);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  struct jpeg_compress_struct info;
  struct jpeg_error_mgr manager;
  info.err = jpeg_std_error(&manager);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, file);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < height; y++) {
    JSAMPROW row = pixels + (ptrdiff_t)y * width * channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  fclose(file);
  free(pixels);
}

static inline void photo_write_text(const char *path, const void *text, size_t size) {
  photo_folder_of(path);
  mn_error error = {{0}};
  assert_ok(mn_file_write(path, text, size, &error), &error);
}

#endif
