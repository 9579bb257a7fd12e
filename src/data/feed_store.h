/* feed_store.h - features or photos of one split, made in parallel, kept in the cache folder and shared by
 * all open feeds of a data set that want the same. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_FEED_STORE_H
#define MN_DATA_FEED_STORE_H

#include "data/augment.h"
#include "data/dataset.h"

/* values [items][variants][height][width] in Q(fraction). An augmented set holds log mel bands, so
 * that bands can still be masked when a batch is made; its cepstrum follows then. Photos are kept as
 * pixels [items][height][width][channels], an augmented set's larger, so that crops stay sharp. */
typedef struct mn_feature_set {
  struct mn_feature_set *next;
  uint64_t key;
  int32_t references;
  int32_t items, variants, height, width, channels, fraction;
  int32_t *item;         /* [items] index in the data set */
  int32_t *window;       /* [items] which window of it */
  const int16_t *values; /* lives in `arena`; NULL for photos */
  const uint8_t *pixels;
  double mean; /* of all values, real units */
  mn_arena *arena;
} mn_feature_set;

static inline int32_t mn_set_values(const mn_feature_set *set) { /* of one input */
  return set->height * set->width * set->channels;
}

/* An augmented set where config->augment. Release with mn_feature_set_release. */
mn_status mn_feature_set_open(mn_feature_set **set, const mn_dataset *dataset, mn_split split,
                              const mn_frontend *frontend, const mn_feed_config *config,
                              mn_error *error) MN_MUST_CHECK;
void mn_feature_set_release(const mn_dataset *dataset, mn_feature_set *set);

/* photo_store.c: decodes and resizes all items of the set in the pool. */
mn_status mn_photo_set_fill(const mn_feature_set *set, uint8_t *pixels, const mn_dataset *dataset,
                            mn_error *error) MN_MUST_CHECK;
/* The side at which photos are kept for a network of side `size`. */
int32_t mn_photo_side(const mn_dataset *dataset, int32_t size, bool augment);

/* A front end ready to run, with its own memory: one per thread. */
typedef struct mn_extractor {
  mn_audio audio;
  void *tables, *state, *scratch;
  mn_window_size size;
  int16_t *pcm; /* [audio.length][channels] */
} mn_extractor;
mn_status mn_extractor_create(mn_extractor *extractor, mn_arena *arena,
                              const mn_frontend *frontend) MN_MUST_CHECK;
/* Clean features of a window of one item. */
mn_status mn_extractor_run(mn_extractor *extractor, int16_t *feature, const mn_dataset *dataset,
                           int32_t item, int32_t window, mn_error *error) MN_MUST_CHECK;

#endif
