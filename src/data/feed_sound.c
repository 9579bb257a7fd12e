/* feed_sound.c - features of recordings: masked draws, their cosine transform, mixup.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "data/feed.h"

static void fill_dct(float *dct, int32_t mels, int32_t keep, int32_t lifter) {
  const double pi = 3.14159265358979323846;
  for (int32_t k = 0; k < keep; k++) {
    double lift = lifter > 0 ? 1.0 + 0.5 * lifter * sin(pi * k / lifter) : 1.0;
    for (int32_t n = 0; n < mels; n++) {
      dct[n * keep + k] = (float)(lift * sqrt(2.0 / mels) * cos(pi / mels * (n + 0.5) * k));
    }
  }
}

static mn_status make_room(mn_feed *feed) {
  size_t width = (size_t)feed->frontend.width, size = (size_t)mn_feed_values(feed);
  size_t held = (size_t)mn_set_values(feed->set);
  feed->row = mn_arena_array(feed->arena, held, sizeof *feed->row);
  feed->other = mn_arena_array(feed->arena, held, sizeof *feed->other);
  feed->unwarped = mn_arena_array(feed->arena, held, sizeof *feed->unwarped);
  feed->feature = mn_arena_array(feed->arena, size, sizeof *feed->feature);
  if (feed->row == NULL || feed->other == NULL || feed->unwarped == NULL || feed->feature == NULL)
    return MN_ERR_MEMORY;
  MN_TRY(mn_extractor_create(&feed->clean, feed->arena, &feed->frontend));
  if (!feed->heard || feed->frontend.kind != MN_FRONTEND_MFCC) return MN_OK;
  feed->dct = mn_arena_array(feed->arena, (size_t)feed->set->width * width, sizeof *feed->dct);
  if (feed->dct == NULL) return MN_ERR_MEMORY;
  fill_dct(feed->dct, feed->set->width, feed->frontend.width, feed->frontend.lifter);
  return MN_OK;
}

/* Features of one draw, masked, as the set holds them. Every epoch takes the next variant. */
static void load_draw(const mn_feed *feed, float *x, int32_t index, int32_t epoch, mn_rng *rng) {
  const mn_feature_set *set = feed->set;
  int32_t size = mn_set_values(set), item = feed->chosen[index];
  int32_t variant = (epoch + item) % set->variants;
  const int16_t *values =
      set->values + ((size_t)item * (size_t)set->variants + (size_t)variant) * (size_t)size;
  float unit = 1.0f / (float)(1 << set->fraction);
  const mn_feed_config *c = &feed->config;
  const bool warp = c->augment && (c->pace > 0 || c->rhythm > 0);
  const int32_t bands = set->width * set->channels;
  float *plain = warp ? feed->unwarped : x;
  for (int32_t i = 0; i < size; i++) plain[i] = (float)values[i] * unit;
  if (warp) mn_augment_warp(x, plain, set->height, bands, c, rng);
  if (c->augment) mn_augment_mask(x, set->height, bands, c, (float)set->mean, rng);
}

static void to_input(const mn_feed *feed, float *x, const float *held) {
  int32_t height = feed->set->height, width = feed->set->width, keep = feed->frontend.width;
  if (feed->dct == NULL) {
    memcpy(x, held, sizeof *x * (size_t)mn_set_values(feed->set));
    return;
  }
  memset(x, 0, sizeof *x * (size_t)(height * keep));
  for (int32_t row = 0; row < height; row++) {
    for (int32_t n = 0; n < width; n++) {
      float energy = held[row * width + n];
      for (int32_t k = 0; k < keep; k++) x[row * keep + k] += energy * feed->dct[n * keep + k];
    }
  }
}

static void fill_slot(mn_feed *feed, int32_t slot, int32_t index, int32_t epoch) {
  int32_t size = mn_feed_values(feed), other = index;
  mn_rng rng = mn_feed_rng(feed, index, epoch);
  load_draw(feed, feed->row, index, epoch, &rng);
  float share = 1.0f;
  if (feed->config.augment && feed->config.mixup > 0) {
    other = (int32_t)mn_rng_below(&rng, (uint32_t)feed->count);
    share = (float)mn_augment_beta(&rng, feed->config.mixup);
    load_draw(feed, feed->other, other, epoch, &rng);
    mn_augment_mix(feed->row, feed->other, share, mn_set_values(feed->set));
  }
  mn_feed_set_target(feed, slot, index, other, share);
  to_input(feed, feed->x + (size_t)slot * (size_t)size, feed->row);
}

/* An auto-encoder's slot: nothing but its input is wanted back. */
static void fill_reconstruction(mn_feed *feed, int32_t slot, int32_t index, int32_t epoch) {
  size_t size = (size_t)mn_feed_values(feed);
  float *x = feed->x + (size_t)slot * size;
  mn_rng rng = mn_feed_rng(feed, index, epoch);
  load_draw(feed, feed->row, index, epoch, &rng);
  to_input(feed, x, feed->row);
  memcpy(feed->target + (size_t)slot * size, x, size * sizeof *x);
  feed->label[slot] = -1;
  feed->item[slot] = feed->set->item[feed->chosen[index]];
}

static void fill(mn_feed *feed, int32_t first, int32_t items, int32_t epoch) {
  for (int32_t slot = 0; slot < items; slot++)
    (feed->config.reconstruct ? fill_reconstruction : fill_slot)(feed, slot,
                                                                 feed->order[first + slot], epoch);
}

static mn_status input_of(mn_feed *feed, int8_t *input, int32_t index, float scale,
                          int32_t zero_point, mn_error *error) {
  const mn_feature_set *set = feed->set;
  size_t size = (size_t)mn_feed_values(feed);
  const int16_t *feature = feed->feature;
  if (feed->heard) {
    int32_t row = feed->chosen[index];
    MN_TRY(mn_extractor_run(&feed->clean, feed->feature, feed->dataset, set->item[row],
                            set->window[row], error));
  } else {
    feature = set->values + (size_t)feed->chosen[index] * size;
  }
  mn_feature_scale to_s8 = mn_audio_scale(&feed->clean.audio, scale, zero_point);
  mn_feature_quantize_s8(input, feature, size, &to_s8);
  return MN_OK;
}

const mn_feed_kind mn_feed_sound = {make_room, fill, input_of};
