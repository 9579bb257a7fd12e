/* feed.c - batches of one split: which items, in which order, with which targets. Every batch is a
 * pure function of (config, epoch, index). SPDX-License-Identifier: Apache-2.0 */
#include "data/feed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { DEFAULT_BATCH = 100, DEFAULT_VARIANTS = 8 };
enum { STREAM_ORDER = 0x0de7, STREAM_ITEM = 0x17e3 };

static mn_feed_config sound_defaults(const mn_dataset *dataset) {
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
  if (dataset->task == MN_TASK_AD)
    return (mn_feed_config){.batch = DEFAULT_BATCH,
                            .augment = true,
                            .shuffle = true,
                            .mixup = 0.3, /* the paper, section 5.2 */
                            .seed = dataset->config.seed};
  if (dataset->speech == NULL) return config;
  /* Synthetic speech needs heavy changes of the sound, none of the features (docs/speech.md). */
  config.speed = 0.25;
  config.roam = 1;
  config.reverb_probability = 0.35;
  config.eq_probability = 0.7;
  config.narrow_probability = 0.4;
  config.noise_probability = 0.8;
  config.noise_snr_low_db = 6;
  config.noise_snr_high_db = 60;
  config.coloured_noise = 0.5;
  config.level_low_dbfs = -36;
  config.level_high_dbfs = -10;
  config.floor_low_dbfs = -95;
  config.floor_high_dbfs = -60;
  config.contour_probability = 0.8;
  config.cut_probability = 0.15;
  config.time_masks = config.mel_masks = 0;
  config.pace = 0.5;
  config.rhythm = 0.3;
  return config;
}

/* Small photos are shifted by whole pixels; larger ones lose up to half of their area. */
static mn_feed_config photo_defaults(const mn_dataset *dataset) {
  int32_t width, height;
  mn_dataset_image_size(dataset, &width, &height);
  bool small = width < 64 || height < 64;
  return (mn_feed_config){.batch = DEFAULT_BATCH,
                          .augment = true,
                          .shuffle = true,
                          .flip_probability = 0.5,
                          .crop_area = small ? 1 : 0.5,
                          .crop_stretch = small ? 0 : 0.2,
                          .pixel_shift = small ? 0.125 : 0,
                          .brightness = 0.2,
                          .contrast = 0.2,
                          .saturation = 0.3,
                          .erase_probability = 0.2,
                          .label_smoothing = 0.1,
                          .seed = dataset->config.seed};
}

mn_feed_config mn_feed_defaults(const mn_dataset *dataset) {
  return dataset->images ? photo_defaults(dataset) : sound_defaults(dataset);
}

void mn_feed_scale(mn_feed_config *c, double strength) {
  double *extent[] = {&c->speed,    &c->shift_ms,     &c->gain_db,     &c->pace,
                      &c->rhythm,   &c->crop_stretch, &c->pixel_shift, &c->brightness,
                      &c->contrast, &c->saturation};
  double *probability[] = {&c->noise_probability,   &c->reverb_probability,
                           &c->eq_probability,      &c->narrow_probability,
                           &c->contour_probability, &c->cut_probability,
                           &c->erase_probability,   &c->roam};
  int32_t *length[] = {&c->time_mask_frames, &c->mel_mask_bands};
  for (size_t i = 0; i < MN_COUNT(extent); i++) *extent[i] *= strength;
  for (size_t i = 0; i < MN_COUNT(probability); i++)
    *probability[i] = fmin(*probability[i] * strength, 1);
  for (size_t i = 0; i < MN_COUNT(length); i++) *length[i] = (int32_t)lround(*length[i] * strength);
  c->flip_probability = fmin(c->flip_probability * strength, 0.5);
  c->crop_area = fmax(1 - (1 - c->crop_area) * strength, 0.1);
}

static bool in_part(const mn_dataset *dataset, int32_t item, int32_t part, int32_t parts) {
  const char *file = dataset->items[item].file;
  return (int32_t)(mn_hash64(0x9a27, file, strlen(file)) % (uint64_t)parts) == part;
}

int32_t mn_feed_values(const mn_feed *feed) {
  return feed->frontend.height * feed->frontend.width * feed->frontend.channels;
}

/* The classes, or for an auto-encoder the input itself. */
static int32_t target_size(const mn_feed *feed) {
  return feed->config.reconstruct ? mn_feed_values(feed) : feed->dataset->classes;
}

static mn_status make_room(mn_feed *feed) {
  size_t batch = (size_t)feed->config.batch, classes = (size_t)target_size(feed);
  feed->x = mn_arena_array(feed->arena, batch * (size_t)mn_feed_values(feed), sizeof *feed->x);
  feed->target = mn_arena_array(feed->arena, batch * classes, sizeof *feed->target);
  feed->label = mn_arena_array(feed->arena, batch, sizeof *feed->label);
  feed->item = mn_arena_array(feed->arena, batch, sizeof *feed->item);
  if (feed->x == NULL || feed->target == NULL || feed->label == NULL || feed->item == NULL)
    return MN_ERR_MEMORY;
  return feed->kind->room(feed);
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

/* Items / (classes x items of the class): the mean over items is 1. */
static mn_status weigh_classes(mn_feed *feed) {
  int32_t classes = feed->dataset->classes;
  if (!feed->config.balance) return MN_OK;
  feed->weight = mn_arena_array(feed->arena, (size_t)classes, sizeof *feed->weight);
  if (feed->weight == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < feed->count; i++) {
    int32_t label = mn_feed_label_of(feed, i);
    if (label >= 0) feed->weight[label] += 1.0f;
  }
  for (int32_t c = 0; c < classes; c++)
    if (feed->weight[c] > 0.0f)
      feed->weight[c] = (float)feed->count / ((float)classes * feed->weight[c]);
  return MN_OK;
}

mn_status mn_feed_open(mn_feed **feed, const mn_dataset *dataset, mn_split split, int32_t part,
                       int32_t parts, const mn_frontend *frontend, const mn_feed_config *config,
                       mn_error *error) {
  assert(split < MN_SPLIT_COUNT && part >= 0 && part < parts);
  const char *refusal = mn_frontend_check(frontend);
  if (refusal != NULL)
    return mn_error_set(error, MN_ERR_ARGUMENT, "front end of the network: %s", refusal);
  if ((frontend->kind == MN_FRONTEND_IMAGE) != dataset->images)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "the network's front end takes %s; the data set holds %s",
                        dataset->images ? "sound" : "photos", dataset->images ? "photos" : "sound");
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "feed: out of memory");
  mn_feed *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) {
    mn_arena_destroy(arena);
    return mn_error_set(error, MN_ERR_MEMORY, "feed: out of memory");
  }
  *made = (mn_feed){.dataset = dataset,
                    .kind = dataset->images ? &mn_feed_photo : &mn_feed_sound,
                    .config = *config,
                    .frontend = *frontend,
                    .arena = arena};
  if (made->config.batch <= 0) made->config.batch = DEFAULT_BATCH;
  if (made->config.variants <= 0) made->config.variants = DEFAULT_VARIANTS;
  mn_frontend_shape(&made->frontend);
  made->heard = config->augment && dataset->task != MN_TASK_AD;
  mn_feed_config held = made->config;
  held.augment = made->heard;
  mn_status status = mn_feature_set_open(&made->set, dataset, split, &made->frontend, &held, error);
  if (status == MN_OK) {
    status = choose_items(made, part, parts);
    if (status == MN_OK) status = weigh_classes(made);
    if (status == MN_OK) status = make_room(made);
    if (status != MN_OK) mn_error_set(error, status, "feed: out of memory");
  }
  if (status == MN_OK)
    *feed = made;
  else
    mn_feed_close(made);
  return status;
}

mn_status mn_feed_expect(const mn_feed *feed, const char *purpose, mn_error *error) {
  if (feed->count > 0) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: found no example %s; expected more examples",
                      feed->dataset->config.path != NULL ? feed->dataset->config.path : "--words",
                      purpose);
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

int32_t mn_feed_label_of(const mn_feed *feed, int32_t index) {
  return feed->dataset->items[feed->set->item[feed->chosen[index]]].label;
}

mn_rng mn_feed_rng(const mn_feed *feed, int32_t index, int32_t epoch) {
  int32_t item = feed->set->item[feed->chosen[index]];
  return mn_rng_stream(feed->config.seed + STREAM_ITEM, (uint64_t)epoch, (uint64_t)item);
}

void mn_feed_set_target(mn_feed *feed, int32_t slot, int32_t index, int32_t other, float share) {
  int32_t classes = feed->dataset->classes, label = mn_feed_label_of(feed, index);
  int32_t second = mn_feed_label_of(feed, other);
  float *target = feed->target + slot * classes, smoothing = (float)feed->config.label_smoothing;
  for (int32_t c = 0; c < classes; c++) target[c] = smoothing / (float)classes;
  if (share < 1.0f) target[second] += (1.0f - smoothing) * (1.0f - share);
  if (label >= 0) target[label] += (1.0f - smoothing) * share;
  if (feed->weight != NULL && label >= 0) {
    float weight = share * feed->weight[label] + (1.0f - share) * feed->weight[second];
    for (int32_t c = 0; c < classes; c++) target[c] *= weight;
  }
  feed->label[slot] = share < 1.0f && second != label ? -1 : label;
  feed->item[slot] = feed->set->item[feed->chosen[index]];
}

mn_status mn_feed_share(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index, int32_t part,
                        int32_t parts, mn_error *error) {
  (void)error;
  assert(epoch >= 0 && index >= 0 && index < mn_feed_batches(feed) && part >= 0 && part < parts);
  int32_t start = index * feed->config.batch;
  int64_t whole =
      feed->count - start < feed->config.batch ? feed->count - start : feed->config.batch;
  int32_t first = (int32_t)(whole * part / parts),
          items = (int32_t)(whole * (part + 1) / parts) - first;
  order_epoch(feed, epoch);
  feed->kind->fill(feed, start + first, items, epoch);
  *batch = (mn_batch){.items = items,
                      .classes = target_size(feed),
                      .first = first,
                      .whole = (int32_t)whole,
                      .x = feed->x,
                      .target = feed->target,
                      .label = feed->label,
                      .item = feed->item};
  return MN_OK;
}

mn_status mn_feed_batch(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index,
                        mn_error *error) {
  return mn_feed_share(feed, batch, epoch, index, 0, 1, error);
}

mn_status mn_feed_input(mn_feed *feed, int8_t *input, int32_t index, float scale,
                        int32_t zero_point, mn_error *error) {
  assert(index >= 0 && index < feed->count);
  return feed->kind->input(feed, input, index, scale, zero_point, error);
}
