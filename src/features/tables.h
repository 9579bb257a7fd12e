/* tables.h - host only: what the makers of a front end's tables share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_FEATURES_TABLES_H
#define MN_FEATURES_TABLES_H

#include "features/parts.h"

static inline int64_t mn_nearest(double value) {
  return (int64_t)(value < 0.0 ? value - 0.5 : value + 0.5);
}

/* bands.c: triangles that share their slopes (edge [mels + 2], slope [bins]) and, for bands of equal
 * area, the logarithm of each band's height (area [mels], Q16; else NULL). */
void mn_bands_fill(uint16_t *edge, uint16_t *slope, int32_t *area, const mn_audio *audio,
                   const mn_frontend *frontend);

#endif
