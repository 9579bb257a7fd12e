/* feed.c - batches of one split: which items, in which order, with which draws. Every batch is a
 * pure function of (config, epoch, index). SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "data/feed_store.h"

enum { DEFAULT_BATCH = 100, DEFAULT_VARIANTS = 8 };
enum { STREAM_ORDER = 0x0de7, STREAM_ITEM = 0x17e3 };

struct mn_feed {
  const mn_dataset *dataset;
  mn_feed_config config;
  mn_frontend frontend;
  mn_feature_set *set;
  mn_arena *arena;
  mn_extractor clean; /* for mn_feed_input */
  int16_t *feature;   /* [height * width] of the front end */
  int32_t count;
  int32_t *chosen; /* [count] index in the set */
  int32_t *order;  /* [count] of epoch_ordered */
  int32_t epoch_ordered;
  float *dct; /* [mels][keep]; NULL: the set holds what the network gets */
  float *x, *target, *row, *other;
  int32_t *label, *item;
};

mn_feed_config mn_feed_defaults(const mn_dataset *dataset) {
  mn_feed_config config = {
      .batch = DEFAULT_BATCH,
      .augment = true,
      .shuffle = true,
      .variants = DEFAULT_VARIANTS,
      .speed = 0.12,
      .shift_ms = 100,
      .gain_db = 6,
      .noise_probability = 0.8,
      .noise_snr_low_db = 0,
      .noise_snr_high_db = 20,
      .floor_low_dbfs = -95, /* digital silence is no sound that a microphone gives */
      .floor_high_dbfs = -65,
      .time_masks = 2,
      .time_mask_frames = 8,
      .mel_masks = 2,
      .mel_mask_bands = 6,
      .label_smoothing = 0.1,
      .seed = dataset->config.seed};
  if (dataset->speech == NULL) return config;
  /* Synthetic speech needs heavy changes of the sound, none of the features (docs/speech.md). */
  config.speed = 0.25;
  config.reverb_probability = 0.35;
  config.eq_probability = 0.7;
  config.narrow_probability = 0.4;
  config.noise_probability = 0.8;
  config.noise_snr_low_db = 2;
  config.noise_snr_high_db = 45;
  config.coloured_noise = 0.5;
  config.level_low_dbfs = -38;
  config.level_high_dbfs = -12;
  config.floor_low_dbfs = -90;
  config.floor_high_dbfs = -60;
  config.cut_probability = 0.5;
  config.time_masks = config.mel_masks = 0;
  return config;
}

static bool in_part(const mn_dataset *dataset, int32_t item, int32_t part, int32_t parts) {
  const char *file = dataset->items[item].file;
  return (int32_t)(mn_hash64(0x9a27, file, strlen(file)) % (uint64_t)parts) == part;
}

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
  size_t batch = (size_t)feed->config.batch, width = (size_t)feed->frontend.width;
  size_t size = (size_t)feed->frontend.height * width,
         held = (size_t)feed->set->height * (size_t)feed->set->width;
  size_t classes = (size_t)feed->dataset->classes;
  feed->x = mn_arena_array(feed->arena, batch * size, sizeof *feed->x);
  feed->target = mn_arena_array(feed->arena, batch * classes, sizeof *feed->target);
  feed->label = mn_arena_array(feed->arena, batch, sizeof *feed->label);
  feed->item = mn_arena_array(feed->arena, batch, sizeof *feed->item);
  feed->row = mn_arena_array(feed->arena, held, sizeof *feed->row);
  feed->other = mn_arena_array(feed->arena, held, sizeof *feed->other);
  feed->feature = mn_arena_array(feed->arena, size, sizeof *feed->feature);
  if (feed->x == NULL || feed->target == NULL || feed->label == NULL || feed->item == NULL ||
      feed->row == NULL || feed->other == NULL || feed->feature == NULL)
    return MN_ERR_MEMORY;
  MN_TRY(mn_extractor_create(&feed->clean, feed->arena, &feed->frontend));
  if (!feed->config.augment || feed->frontend.kind != MN_FRONTEND_MFCC) return MN_OK;
  feed->dct = mn_arena_array(feed->arena, (size_t)feed->set->width * width, sizeof *feed->dct);
  if (feed->dct == NULL) return MN_ERR_MEMORY;
  fill_dct(feed->dct, feed->set->width, feed->frontend.width, feed->frontend.lifter);
  return MN_OK;
}

static mn_status choose_items(mn_feed *feed, int32_t part, int32_t parts) {
  const mn_feature_set *set = feed->set;
  feed->chosen = mn_arena_array(feed->arena, (size_t)set->items + 1, sizeof *feed->chosen);
  feed->order = mn_arena_array(feed->arena, (size_t)set->items + 1, sizeof *feed->order);
  if (feed->chosen == NULL || feed->order == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < set->items; i++) {
    if (in_part(feed->dataset, set->item[i], part, parts)) feed->chosen[feed->count++] = i;
  }
  feed->epoch_ordered = -1;
  return MN_OK;
}

mn_status mn_feed_open(mn_feed **feed, const mn_dataset *dataset, mn_split split, int32_t part,
                       int32_t parts, const mn_frontend *frontend, const mn_feed_config *config,
                       mn_error *error) {
  assert(split < MN_SPLIT_COUNT && part >= 0 && part < parts);
  const char *refusal = mn_frontend_check(frontend);
  if (refusal != NULL)
    return mn_error_set(error, MN_ERR_ARGUMENT, "front end of the network: %s", refusal);
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "feed: out of memory");
  mn_feed *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) {
    mn_arena_destroy(arena);
    return mn_error_set(error, MN_ERR_MEMORY, "feed: out of memory");
  }
  *made = (mn_feed){.dataset = dataset, .config = *config, .frontend = *frontend, .arena = arena};
  if (made->config.batch <= 0) made->config.batch = DEFAULT_BATCH;
  if (made->config.variants <= 0) made->config.variants = DEFAULT_VARIANTS;
  mn_frontend_shape(&made->frontend);
  mn_status status =
      mn_feature_set_open(&made->set, dataset, split, &made->frontend, &made->config, error);
  if (status == MN_OK) {
    status = choose_items(made, part, parts);
    if (status == MN_OK) status = make_room(made);
    if (status != MN_OK) mn_error_set(error, status, "feed: out of memory");
  }
  if (status == MN_OK && made->count == 0)
    status =
        mn_error_set(error, MN_ERR_FORMAT,
                     "split %s (part %d of %d) has no items; give the data set more recordings",
                     mn_split_text(split), part + 1, parts);
  if (status == MN_OK)
    *feed = made;
  else
    mn_feed_close(made);
  return status;
}

void mn_feed_close(mn_feed *feed) {
  if (feed == NULL) return;
  mn_feature_set_release(feed->dataset, feed->set);
  mn_arena_destroy(feed->arena);
}

int32_t mn_feed_items(const mn_feed *feed) {
  return feed->count;
}

/* A training epoch leaves out what does not fill a batch: the next epoch's order is another. */
int32_t mn_feed_batches(const mn_feed *feed) {
  int32_t batch = feed->config.batch;
  if (feed->config.augment && feed->count >= batch) return feed->count / batch;
  return (feed->count + batch - 1) / batch;
}

static void order_epoch(mn_feed *feed, int32_t epoch) {
  if (feed->epoch_ordered == epoch) return;
  for (int32_t i = 0; i < feed->count; i++) feed->order[i] = i;
  mn_rng rng = mn_rng_stream(feed->config.seed, STREAM_ORDER, (uint64_t)epoch);
  if (feed->config.shuffle) mn_rng_shuffle(&rng, feed->order, feed->count);
  feed->epoch_ordered = epoch;
}

/* Features of one draw, masked, as the set holds them. Every epoch takes the next variant. */
static void load_draw(const mn_feed *feed, float *x, int32_t index, int32_t epoch, mn_rng *rng) {
  const mn_feature_set *set = feed->set;
  int32_t size = set->height * set->width, item = feed->chosen[index];
  int32_t variant = (epoch + item) % set->variants;
  const int16_t *values =
      set->values + ((size_t)item * (size_t)set->variants + (size_t)variant) * (size_t)size;
  float unit = 1.0f / (float)(1 << set->fraction);
  for (int32_t i = 0; i < size; i++) x[i] = (float)values[i] * unit;
  if (feed->config.augment)
    mn_augment_mask(x, set->height, set->width, &feed->config, (float)set->mean, rng);
}

static void to_input(const mn_feed *feed, float *x, const float *held) {
  int32_t height = feed->set->height, width = feed->set->width, keep = feed->frontend.width;
  if (feed->dct == NULL) {
    memcpy(x, held, sizeof *x * (size_t)(height * width));
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

static int32_t label_of(const mn_feed *feed, int32_t index) {
  return feed->dataset->items[feed->set->item[feed->chosen[index]]].label;
}

static void fill_slot(mn_feed *feed, int32_t slot, int32_t index, int32_t epoch) {
  int32_t item = feed->set->item[feed->chosen[index]], classes = feed->dataset->classes;
  int32_t size = feed->frontend.height * feed->frontend.width, label = label_of(feed, index);
  mn_rng rng = mn_rng_stream(feed->config.seed + STREAM_ITEM, (uint64_t)epoch, (uint64_t)item);
  load_draw(feed, feed->row, index, epoch, &rng);
  float *target = feed->target + slot * classes, smoothing = (float)feed->config.label_smoothing;
  for (int32_t c = 0; c < classes; c++) target[c] = smoothing / (float)classes;
  float share = 1.0f;
  if (feed->config.augment && feed->config.mixup > 0) {
    int32_t other = (int32_t)mn_rng_below(&rng, (uint32_t)feed->count);
    share = (float)mn_augment_beta(&rng, feed->config.mixup);
    load_draw(feed, feed->other, other, epoch, &rng);
    mn_augment_mix(feed->row, feed->other, share, feed->set->height * feed->set->width);
    int32_t second = label_of(feed, other);
    target[second] += (1.0f - smoothing) * (1.0f - share);
    feed->label[slot] = second == label ? label : -1;
  } else {
    feed->label[slot] = label;
  }
  target[label] += (1.0f - smoothing) * share;
  feed->item[slot] = item;
  to_input(feed, feed->x + (size_t)slot * (size_t)size, feed->row);
}

mn_status mn_feed_batch(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index,
                        mn_error *error) {
  (void)error;
  assert(epoch >= 0 && index >= 0 && index < mn_feed_batches(feed));
  int32_t first = index * feed->config.batch;
  int32_t items =
      feed->count - first < feed->config.batch ? feed->count - first : feed->config.batch;
  order_epoch(feed, epoch);
  for (int32_t slot = 0; slot < items; slot++)
    fill_slot(feed, slot, feed->order[first + slot], epoch);
  *batch = (mn_batch){.items = items,
                      .classes = feed->dataset->classes,
                      .x = feed->x,
                      .target = feed->target,
                      .label = feed->label,
                      .item = feed->item};
  return MN_OK;
}

mn_status mn_feed_input(mn_feed *feed, int8_t *input, int32_t index, float scale,
                        int32_t zero_point, mn_error *error) {
  assert(index >= 0 && index < feed->count);
  const mn_feature_set *set = feed->set;
  size_t size = (size_t)feed->frontend.height * (size_t)feed->frontend.width;
  const int16_t *feature = feed->feature;
  if (feed->config.augment) {
    MN_TRY(mn_extractor_run(&feed->clean, feed->feature, feed->dataset,
                            set->item[feed->chosen[index]], error));
  } else {
    feature = set->values + (size_t)feed->chosen[index] * size;
  }
  mn_feature_scale to_s8 = mn_audio_scale(&feed->clean.audio, scale, zero_point);
  mn_feature_quantize_s8(input, feature, size, &to_s8);
  return MN_OK;
}
