/* feed_store.c - see feed_store.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/feed_store.h"

#include <string.h>

#include "data/parallel.h"

enum { CACHE_VERSION = 3, NOISE_SECONDS = 120, MOST_NOISES = 32 };

typedef struct worker {
  mn_extractor extractor;
  mn_augment *augment;
  int16_t *natural; /* [natural_limit] */
} worker;

typedef struct build {
  const mn_dataset *dataset;
  const mn_feature_set *set;
  int16_t *values;
  uint64_t seed;
  int32_t rate_hz, natural_limit;
  worker *workers;
  mn_clip noises[MOST_NOISES];
  int32_t noise_count;
  mn_status *status; /* [items] */
} build;

mn_status mn_extractor_create(mn_extractor *extractor, mn_arena *arena,
                              const mn_frontend *frontend) {
  mn_extractor made = {.size = mn_window_size_of(frontend),
                       .tables = mn_arena_alloc(arena, mn_frontend_tables_bytes(frontend)),
                       .state = mn_arena_alloc(arena, mn_frontend_state_bytes(frontend)),
                       .scratch = mn_arena_alloc(arena, mn_frontend_scratch_bytes(frontend))};
  if (made.tables == NULL || made.state == NULL || made.scratch == NULL) return MN_ERR_MEMORY;
  mn_audio_build(&made.audio, made.tables, frontend);
  made.pcm =
      mn_arena_array(arena, (size_t)(made.audio.length * made.audio.channels), sizeof *made.pcm);
  if (made.pcm == NULL) return MN_ERR_MEMORY;
  *extractor = made;
  return MN_OK;
}

mn_status mn_extractor_run(mn_extractor *e, int16_t *feature, const mn_dataset *dataset,
                           int32_t item, int32_t window, mn_error *error) {
  MN_TRY(mn_dataset_window(dataset, e->pcm, item, &e->size, window, error));
  mn_audio_clip(&e->audio, feature, e->state, e->scratch, e->pcm);
  return MN_OK;
}

static mn_status extract_variants(const build *b, worker *w, int16_t *feature, int32_t item,
                                  mn_error *error) {
  const mn_feature_set *set = b->set;
  const mn_dataset *dataset = b->dataset;
  bool silence = dataset->silence >= 0 && dataset->items[item].label == dataset->silence &&
                 dataset->entries[item].origin != MN_ORIGIN_FILE;
  mn_clip clip = {w->natural, 0};
  if (!silence)
    MN_TRY(mn_dataset_natural(dataset, w->natural, &clip.samples, b->natural_limit, item,
                              b->rate_hz, error));
  for (int32_t v = 0; v < set->variants; v++) {
    mn_rng rng = mn_rng_stream(b->seed, (uint64_t)item, (uint64_t)v);
    if (silence)
      mn_augment_silence(w->augment, w->extractor.pcm, b->noises, b->noise_count, &rng);
    else
      mn_augment_run(w->augment, w->extractor.pcm, clip, b->noises, b->noise_count, &rng);
    mn_audio_clip(&w->extractor.audio, feature + (size_t)v * (size_t)mn_set_values(set),
                  w->extractor.state, w->extractor.scratch, w->extractor.pcm);
  }
  return MN_OK;
}

static mn_status extract(const build *b, int32_t index, int32_t thread, mn_error *error) {
  const mn_feature_set *set = b->set;
  worker *w = &b->workers[thread];
  size_t stride = (size_t)set->variants * (size_t)mn_set_values(set);
  int16_t *feature = b->values + (size_t)index * stride;
  if (w->augment != NULL) return extract_variants(b, w, feature, set->item[index], error);
  return mn_extractor_run(&w->extractor, feature, b->dataset, set->item[index], set->window[index],
                          error);
}

static void extract_item(void *context, int32_t item, int32_t thread) {
  const build *b = context;
  b->status[item] = extract(b, item, thread, NULL);
}

/* ---- Background noise for augmentation: the part that belongs to the split
 * -----------------------*/
static mn_status load_noises(build *b, mn_arena *arena, mn_split split, mn_error *error) {
  const mn_dataset *dataset = b->dataset;
  for (int32_t i = 0; i < dataset->noise_count && b->noise_count < MOST_NOISES; i++) {
    char path[4096];
    mn_recording recording =
        mn_source_recording(&dataset->source, dataset->noises[i], path, sizeof path);
    double start, length;
    mn_noise_range(&start, &length, dataset->noise_seconds[i], split);
    if (length > NOISE_SECONDS) length = NOISE_SECONDS;
    int32_t samples = (int32_t)(length * b->rate_hz);
    int16_t *pcm = samples > 0 ? mn_arena_array(arena, (size_t)samples, sizeof *pcm) : NULL;
    if (samples > 0 && pcm == NULL)
      return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", recording.name);
    if (samples < b->rate_hz / 10) continue;
    MN_TRY(mn_recording_decode(pcm, &samples, samples, &recording, b->rate_hz, start, error));
    b->noises[b->noise_count++] = (mn_clip){pcm, samples};
  }
  return MN_OK;
}

static mn_status make_workers(build *b, mn_arena *arena, const mn_frontend *frontend,
                              const mn_feed_config *config) {
  int32_t threads = mn_data_threads(b->dataset);
  b->workers = mn_arena_array(arena, (size_t)threads, sizeof *b->workers);
  if (b->workers == NULL) return MN_ERR_MEMORY;
  for (int32_t i = 0; i < threads; i++) {
    worker *w = &b->workers[i];
    MN_TRY(mn_extractor_create(&w->extractor, arena, frontend));
    if (!config->augment) continue;
    b->natural_limit = 2 * w->extractor.audio.length;
    w->natural = mn_arena_array(arena, (size_t)b->natural_limit, sizeof *w->natural);
    if (w->natural == NULL) return MN_ERR_MEMORY;
    mn_augment_config settings = mn_augment_of_feed(config, frontend->rate_hz);
    MN_TRY(mn_augment_create(&w->augment, &settings, w->extractor.audio.length));
  }
  return MN_OK;
}

static mn_status run_build(build *b, mn_arena *scratch, mn_split split, const mn_frontend *frontend,
                           const mn_feed_config *config, mn_error *error) {
  b->status = mn_arena_array(scratch, (size_t)b->set->items, sizeof *b->status);
  if (b->status == NULL || make_workers(b, scratch, frontend, config) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "features: out of memory");
  if (config->augment) MN_TRY(load_noises(b, scratch, split, error));
  MN_TRY(mn_data_parallel(b->dataset, "features", extract_item, b, b->set->items, error));
  for (int32_t i = 0; i < b->set->items; i++) {
    if (b->status[i] == MN_OK) continue;
    mn_status again = extract(b, i, 0, error); /* for its text */
    return again != MN_OK ? again
                          : mn_error_set(error, b->status[i], "features: failed once, then worked");
  }
  return MN_OK;
}

static mn_status fill_values(mn_feature_set *set, const mn_dataset *dataset, mn_split split,
                             const mn_frontend *frontend, const mn_feed_config *config,
                             mn_error *error) {
  size_t count = (size_t)set->items * (size_t)set->variants * (size_t)mn_set_values(set);
  size_t bytes = count * sizeof *set->values;
  mn_bytes kept;
  mn_arena_mark mark = mn_arena_mark_get(set->arena);
  if (mn_cache_read(&kept, set->arena, dataset, "features", set->key) && kept.size == bytes &&
      (uintptr_t)kept.data % sizeof *set->values == 0) {
    set->values = (const void *)kept.data;
    return MN_OK;
  }
  mn_arena_release(set->arena, mark);
  build b = {.dataset = dataset, .set = set, .seed = config->seed, .rate_hz = frontend->rate_hz};
  set->values = b.values = mn_arena_array(set->arena, count, sizeof *b.values);
  mn_arena *scratch = NULL;
  if (b.values == NULL || mn_arena_create(&scratch) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "features: out of memory (%zu MB)", bytes >> 20);
  mn_status status = run_build(&b, scratch, split, frontend, config, error);
  for (int32_t i = 0; b.workers != NULL && i < mn_data_threads(dataset); i++)
    mn_augment_destroy(b.workers[i].augment);
  mn_arena_destroy(scratch);
  if (status == MN_OK) mn_cache_write(dataset, "features", set->key, set->values, bytes);
  return status;
}

static uint64_t key_of(const mn_dataset *dataset, mn_split split, const mn_frontend *frontend,
                       const mn_feed_config *config) {
  int32_t numbers[64] = {CACHE_VERSION,     (int32_t)split,          config->augment,
                         config->variants,  (int32_t)frontend->kind, frontend->resize_h,
                         frontend->resize_w};
  size_t count = 7;
#define X(key, field, unit, value) numbers[count++] = frontend->field;
  MN_FRONTEND_KEYS(X)
#undef X
  uint64_t key = mn_hash64(dataset->hash, numbers, sizeof *numbers * count);
  if (!config->augment) return key;
  mn_augment_config settings;
  memset(&settings, 0, sizeof settings); /* padding must not count */
  mn_augment_config wanted = mn_augment_of_feed(config, frontend->rate_hz);
  memcpy(&settings, &wanted, sizeof settings);
  settings.rate_hz = 0;
  const double *values =
      (const double *)(const void *)((const char *)&settings + offsetof(mn_augment_config, speed));
  key = mn_hash64(key, values, sizeof settings - offsetof(mn_augment_config, speed));
  return mn_hash64(key, &config->seed, sizeof config->seed);
}

/* Pixels of a set of photos: from the cache, or decoded. */
static mn_status fill_pixels(mn_feature_set *set, const mn_dataset *dataset, mn_error *error) {
  size_t bytes = (size_t)set->items * (size_t)mn_set_values(set);
  mn_bytes kept;
  mn_arena_mark mark = mn_arena_mark_get(set->arena);
  if (mn_cache_read(&kept, set->arena, dataset, "photos", set->key) && kept.size == bytes) {
    set->pixels = kept.data;
    return MN_OK;
  }
  mn_arena_release(set->arena, mark);
  uint8_t *pixels = mn_arena_alloc(set->arena, bytes + 1);
  if (pixels == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "photos: out of memory (%zu MB)", bytes >> 20);
  MN_TRY(mn_photo_set_fill(set, pixels, dataset, error));
  set->pixels = pixels;
  mn_cache_write(dataset, "photos", set->key, pixels, bytes);
  return MN_OK;
}

static double mean_of(const mn_feature_set *set) {
  size_t count = (size_t)set->items * (size_t)set->variants * (size_t)mn_set_values(set);
  int64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += set->values[i];
  return count > 0 ? (double)sum / (double)count / (1 << set->fraction) : 0;
}

/* The windows of every item of the split; one each but in anomaly detection. */
static int32_t list_windows(int32_t *item, int32_t *window, const mn_dataset *dataset,
                            mn_split split, const mn_window_size *size) {
  int32_t count = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    if (dataset->items[i].split != split) continue;
    int32_t windows =
        dataset->task == MN_TASK_AD ? mn_window_count(size, dataset->items[i].seconds) : 1;
    for (int32_t w = 0; w < windows; w++, count++) {
      if (item == NULL) continue;
      item[count] = i;
      window[count] = w;
    }
  }
  return count;
}

static mn_status make_set(mn_feature_set **made, const mn_dataset *dataset, mn_split split,
                          const mn_frontend *frontend, const mn_feed_config *config, uint64_t key,
                          mn_error *error) {
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "features: out of memory");
  mn_feature_set *set = mn_arena_alloc(arena, sizeof *set);
  mn_window_size size = mn_window_size_of(frontend);
  int32_t rows = list_windows(NULL, NULL, dataset, split, &size);
  int32_t *item = mn_arena_array(arena, (size_t)rows + 1, sizeof *item);
  int32_t *window = mn_arena_array(arena, (size_t)rows + 1, sizeof *window);
  mn_status status = set != NULL && item != NULL && window != NULL
                         ? MN_OK
                         : mn_error_set(error, MN_ERR_MEMORY, "features: out of memory");
  if (status == MN_OK) {
    *set = (mn_feature_set){.key = key,
                            .references = 1,
                            .variants = config->augment ? config->variants : 1,
                            .height = frontend->height,
                            .width = frontend->width,
                            .channels = frontend->channels,
                            .items = list_windows(item, window, dataset, split, &size),
                            .item = item,
                            .window = window,
                            .arena = arena};
    mn_extractor probe = {0};
    if (!dataset->images && mn_extractor_create(&probe, arena, frontend) != MN_OK)
      status = mn_error_set(error, MN_ERR_MEMORY, "features: out of memory");
    else
      set->fraction = probe.audio.fraction;
  }
  if (status == MN_OK)
    status = dataset->images ? fill_pixels(set, dataset, error)
                             : fill_values(set, dataset, split, frontend, config, error);
  if (status != MN_OK) {
    mn_arena_destroy(arena);
    return status;
  }
  if (!dataset->images) set->mean = mean_of(set);
  *made = set;
  return MN_OK;
}

/* Which sets are open is the one thing about a data set that changes. */
static struct mn_feature_set **sets_of(const mn_dataset *dataset) {
  union {
    const mn_dataset *seen;
    mn_dataset *changed;
  } same = {dataset};
  return &same.changed->sets;
}

mn_status mn_feature_set_open(mn_feature_set **set, const mn_dataset *dataset, mn_split split,
                              const mn_frontend *frontend, const mn_feed_config *config,
                              mn_error *error) {
  mn_frontend held = *frontend;
  mn_feed_config wanted = *config;
  if (dataset->images) { /* photos are kept as they are, and changed when a batch is made */
    held.size = mn_photo_side(dataset, frontend->size, config->augment);
    wanted = (mn_feed_config){.variants = 1};
  } else if (config->augment) {
    held.kind = MN_FRONTEND_LOGMEL;
  }
  mn_frontend_shape(&held);
  uint64_t key = key_of(dataset, split, &held, &wanted);
  for (mn_feature_set *open = dataset->sets; open != NULL; open = open->next) {
    if (open->key != key) continue;
    open->references++;
    *set = open;
    return MN_OK;
  }
  mn_feature_set *made = NULL;
  MN_TRY(make_set(&made, dataset, split, &held, &wanted, key, error));
  made->next = dataset->sets;
  *sets_of(dataset) = made;
  *set = made;
  return MN_OK;
}

void mn_feature_set_release(const mn_dataset *dataset, mn_feature_set *set) {
  if (set == NULL || --set->references > 0) return;
  mn_feature_set **link = sets_of(dataset);
  while (*link != set) link = &(*link)->next;
  *link = set->next;
  mn_arena_destroy(set->arena);
}
