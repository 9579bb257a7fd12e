/* picture.h - one photo decoded: JPEG by libjpeg-turbo, PNG by libpng, 8 bits, grey or RGB.
 *
 * Sizes are read first: what is too large is refused before memory is asked for. What a file holds
 * decides, not its name. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_PICTURE_H
#define MN_DATA_PICTURE_H

#include "data/source.h"
#include "micronets/features.h"

/* Pixels of the largest photo that is decoded, and its longest side. */
enum { MN_PICTURE_MOST_PIXELS = 1 << 26, MN_PICTURE_MOST_SIDE = 16384 };

typedef struct mn_picture {
  int32_t width, height, channels; /* channels 1 or 3 */
  uint8_t *pixels;                 /* [height][width][channels]; mn_free */
  int32_t halvings;                /* how often both sides of the file's photo were halved */
} mn_picture;

typedef struct mn_image_info {
  int32_t width, height, channels;
  int32_t lowest, highest; /* of all values */
} mn_image_info;

/* Errors: MN_ERR_FORMAT with name and the decoder's reason. */
mn_status mn_picture_decode(mn_picture *picture, mn_bytes file, const char *name,
                            mn_error *error) MN_MUST_CHECK;
mn_image_info mn_picture_measure(const mn_picture *picture);
/* The centred square, size x size x channels. */
void mn_picture_resize(uint8_t *pixel, int32_t size, int32_t channels, const mn_picture *picture);

/* jpeg.c, png.c: bytes that begin as such a file does. */
mn_status mn_jpeg_decode(mn_picture *picture, mn_bytes file, const char *name,
                         mn_error *error) MN_MUST_CHECK;
mn_status mn_png_decode(mn_picture *picture, mn_bytes file, const char *name,
                        mn_error *error) MN_MUST_CHECK;
/* Checks the size and asks for memory; picture->channels is set. */
mn_status mn_picture_allocate(mn_picture *picture, int64_t width, int64_t height, const char *name,
                              mn_error *error) MN_MUST_CHECK;

#endif
