/* augment_photo.h - draws a changed copy of a photo: crop, shift, flip, colours, erased rectangle.
 *
 * Reads     pixels [side][side][channels], 0 .. 255
 * Writes    features (pixel - 128) / 128 of [size][size][channels]
 * Repeats   a pure function of (settings, photo, rng): any thread may make any draw
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_AUGMENT_PHOTO_H
#define MN_DATA_AUGMENT_PHOTO_H

#include "micronets/base.h"
#include "micronets/data.h"

typedef struct mn_photo {
  const uint8_t *pixels;
  int32_t side, channels;
} mn_photo;

/* `config` NULL: no draw, the photo as it is (side must be size). */
void mn_photo_draw(float *x, int32_t size, mn_photo photo, const mn_feed_config *config,
                   mn_rng *rng);
/* A rectangle of x is replaced by that of `from`; returns the share of x that is left. */
float mn_photo_cut(float *x, const float *from, int32_t size, int32_t channels, mn_rng *rng);

#endif
