/* feed_photo.c - photos as features: a draw of each item, made in the pool while a batch is asked for;
 * cutmix or mixup with another item's draw. SPDX-License-Identifier: Apache-2.0 */
#include "data/augment_photo.h"
#include "data/feed.h"
#include "data/parallel.h"

static mn_status make_room(mn_feed *feed) {
  if (!feed->config.augment || (feed->config.mixup <= 0 && feed->config.cutmix <= 0)) return MN_OK;
  size_t threads = (size_t)mn_data_threads(feed->dataset);
  feed->second =
      mn_arena_array(feed->arena, threads * (size_t)mn_feed_values(feed), sizeof *feed->second);
  return feed->second != NULL ? MN_OK : MN_ERR_MEMORY;
}

static void draw(const mn_feed *feed, float *x, int32_t index, mn_rng *rng) {
  const mn_feature_set *set = feed->set;
  size_t bytes = (size_t)(set->height * set->width) * (size_t)set->channels;
  mn_photo photo = {set->pixels + (size_t)feed->chosen[index] * bytes, set->height, set->channels};
  mn_photo_draw(x, feed->frontend.size, photo, feed->config.augment ? &feed->config : NULL, rng);
}

typedef struct filling {
  mn_feed *feed;
  int32_t first, epoch;
} filling;

static void fill_slot(void *context, int32_t slot, int32_t thread) {
  const filling *f = context;
  mn_feed *feed = f->feed;
  int32_t index = feed->order[f->first + slot], values = mn_feed_values(feed), other = index;
  float *x = feed->x + (ptrdiff_t)slot * values, share = 1.0f;
  mn_rng rng = mn_feed_rng(feed, index, f->epoch);
  draw(feed, x, index, &rng);
  if (feed->second != NULL) {
    float *second = feed->second + (ptrdiff_t)thread * values;
    bool cut = mn_rng_uniform(&rng) < feed->config.cutmix;
    if (cut || feed->config.mixup > 0) {
      other = (int32_t)mn_rng_below(&rng, (uint32_t)feed->count);
      draw(feed, second, other, &rng);
    }
    if (cut) {
      share = mn_photo_cut(x, second, feed->frontend.size, feed->frontend.channels, &rng);
    } else if (feed->config.mixup > 0) {
      share = (float)mn_augment_beta(&rng, feed->config.mixup);
      mn_augment_mix(x, second, share, values);
    }
  }
  mn_feed_set_target(feed, slot, index, other, share);
}

static void fill(mn_feed *feed, int32_t first, int32_t items, int32_t epoch) {
  filling f = {feed, first, epoch};
  if (feed->dataset->config.pool != NULL)
    mn_pool_run(feed->dataset->config.pool, fill_slot, &f, items);
  for (int32_t i = 0; feed->dataset->config.pool == NULL && i < items; i++) fill_slot(&f, i, 0);
}

static mn_status decode_again(const mn_feed *feed, uint8_t *pixels, int32_t index,
                              mn_error *error) {
  mn_picture picture;
  MN_TRY(mn_dataset_picture(feed->dataset, &picture, feed->set->item[feed->chosen[index]], error));
  mn_picture_resize(pixels, feed->frontend.size, feed->frontend.channels, &picture);
  mn_free(picture.pixels);
  return MN_OK;
}

static mn_status input_of(mn_feed *feed, int8_t *input, int32_t index, float scale,
                          int32_t zero_point, mn_error *error) {
  const mn_feature_scale to_s8 = mn_image_scale(scale, zero_point);
  size_t values = (size_t)mn_feed_values(feed);
  const uint8_t *pixels = (const uint8_t *)input;
  if (feed->config.augment)
    MN_TRY(decode_again(feed, (uint8_t *)input, index, error));
  else
    pixels = feed->set->pixels + (size_t)feed->chosen[index] * values;
  for (size_t i = 0; i < values; i++) input[i] = mn_image_quantize_s8(pixels[i], &to_s8);
  return MN_OK;
}

const mn_feed_kind mn_feed_photo = {make_room, fill, input_of};
