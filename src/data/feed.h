/* feed.h - the inside of a feed, shared by what is common (feed.c), sound and photos.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_FEED_H
#define MN_DATA_FEED_H

#include "data/feed_store.h"

/* What differs between sound and photos. */
typedef struct mn_feed_kind {
  mn_status (*room)(mn_feed *feed);
  /* Items order[first .. first + items) of an epoch into the slots of the batch. */
  void (*fill)(mn_feed *feed, int32_t first, int32_t items, int32_t epoch);
  mn_status (*input)(mn_feed *feed, int8_t *input, int32_t index, float scale, int32_t zero_point,
                     mn_error *error);
} mn_feed_kind;
extern const mn_feed_kind mn_feed_sound, mn_feed_photo;

struct mn_feed {
  const mn_dataset *dataset;
  const mn_feed_kind *kind;
  mn_feed_config config;
  mn_frontend frontend;
  mn_feature_set *set;
  mn_arena *arena;
  int32_t count;
  int32_t *chosen; /* [count] index in the set */
  int32_t *order;  /* [count] of epoch_ordered */
  int32_t epoch_ordered;
  float *x, *target;
  float *weight; /* [classes]; NULL: all alike */
  int32_t *label, *item;
  /* sound */
  mn_extractor clean; /* for mn_feed_input */
  bool heard;         /* the set holds draws of the sound, not its clean features */
  int16_t *feature;   /* [height * width] of the front end */
  float *dct;         /* [mels][keep]; NULL: the set holds what the network gets */
  float *row, *other, *unwarped;
  /* photos */
  float *second; /* [threads][values of one input] */
};

/* Values of one input. */
int32_t mn_feed_values(const mn_feed *feed);
int32_t mn_feed_label_of(const mn_feed *feed, int32_t index);
/* Random numbers of one item in one epoch, whatever the order. */
mn_rng mn_feed_rng(const mn_feed *feed, int32_t index, int32_t epoch);
/* Target and label of a slot: `share` of the class of `index`, the rest of that of `other`. */
void mn_feed_set_target(mn_feed *feed, int32_t slot, int32_t index, int32_t other, float share);

#endif
