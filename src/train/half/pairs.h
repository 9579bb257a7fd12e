/* pairs.h - the elements of products of 16-bit factors, two of them side by side. See lanes/tiles.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_PAIRS_H
#define MN_TRAIN_PAIRS_H

#include "train/half.h"
#include "train/lanes/vector.h"

enum { DEPTH = 2 };
typedef uint32_t element;
typedef vu elements;

/* Walks over rows (rows.h) hand every vector of values to `take`: to be stored as factors, or measured for their
 * scale before that. */
typedef enum pass { ONLY, MEASURES, STORES } pass;
typedef struct sink {
  vf magnitude;  /* the greatest so far */
  float inverse; /* 1 / scale */
} sink;

MN_INLINE elements elements_load(const element *p) {
  return *(const vu *)p;
}
MN_INLINE elements elements_spread(element x) {
  return (vu){0} + x;
}

#endif
