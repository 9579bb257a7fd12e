/* data.h - datasets as --data takes them (docs/data.md): opened in place (folder, tar, zip), audited,
 * split; decoded, resampled, augmented, turned into features and cached; served as batches.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_DATA_H
#define MICRONETS_DATA_H

#include "micronets/base.h"
#include "micronets/features.h"

typedef enum mn_split { MN_SPLIT_TRAIN, MN_SPLIT_VAL, MN_SPLIT_TEST, MN_SPLIT_COUNT } mn_split;
typedef enum mn_task { MN_TASK_AUTO, MN_TASK_KWS, MN_TASK_VWW, MN_TASK_AD, MN_TASK_IC } mn_task;
const char *mn_split_text(mn_split split);
const char *mn_task_text(mn_task task);

/* Where examples come from: a path, or words to be spoken. */
typedef struct mn_data_config {
  const char *path;          /* --data; NULL with words */
  const char *words;         /* --words "yes,no" or "0=zero,1=one"; NULL with path */
  bool only_words;           /* --only-words: neither unknown nor silence */
  const char *classes;       /* --classes; NULL: every folder */
  const char *unknown_words; /* --unknown-words "A,B,..." or a file; NULL: chosen by sound */
  const char *language;      /* of espeak-ng; NULL: en */
  mn_task task;
  uint64_t seed;
  const char *cache_folder;  /* features and spoken clips; NULL: no cache on disk */
  mn_pool *pool;             /* borrowed for the dataset's life */
  const mn_monitor *monitor; /* may be NULL */
} mn_data_config;

typedef struct mn_problem {
  const char *file, *kind; /* "unreadable", "silent", "clipped", "duplicate", "leak", "empty_class", ... */
  const char *text;
} mn_problem;

typedef struct mn_item {
  const char *file;    /* inside the archive or folder; "silence:12" for made ones */
  const char *speaker; /* NULL where names do not tell */
  int32_t label;       /* class index; -1: a machine that no training recording shows (ad) */
  mn_split split;
  double seconds;
  const char *identity; /* ad: the machine or its state; NULL otherwise */
  bool anomalous;       /* ad: known to be; test only */
} mn_item;

/* Immutable once open. Owned; everything it returns is borrowed until mn_dataset_close. */
typedef struct mn_dataset mn_dataset;
mn_status mn_dataset_open(mn_dataset **dataset, const mn_data_config *config, mn_error *error) MN_MUST_CHECK;
void mn_dataset_close(mn_dataset *dataset);
mn_task mn_dataset_task(const mn_dataset *dataset);
const mn_monitor *mn_dataset_monitor(const mn_dataset *dataset); /* that of its config; may be NULL */
int32_t mn_dataset_classes(const mn_dataset *dataset);
const char *mn_dataset_class(const mn_dataset *dataset, int32_t index);
int32_t mn_dataset_items(const mn_dataset *dataset);
const mn_item *mn_dataset_item(const mn_dataset *dataset, int32_t index);
int32_t mn_dataset_sample_rate(const mn_dataset *dataset); /* of the first clip; 0 for images */
void mn_dataset_image_size(const mn_dataset *dataset, int32_t *width,
                           int32_t *height); /* of the first photo; 0, 0 for sound */
int32_t mn_dataset_problems(const mn_dataset *dataset);
const mn_problem *mn_dataset_problem(const mn_dataset *dataset, int32_t index);
const char *mn_dataset_trained_on(const mn_dataset *dataset); /* one plain sentence for reports */
/* Synthesisers with their versions, "flite 2.2, espeak-ng 1.51"; NULL: nothing was synthesised. */
const char *mn_dataset_engines(const mn_dataset *dataset);
uint64_t mn_dataset_hash(const mn_dataset *dataset);

/* The length in seconds that `share` of the spoken clips of words do not exceed; 0: nothing is spoken. */
double mn_dataset_spoken_seconds(const mn_dataset *dataset, double share);

/* Decodes one clip: int16 mono at rate_hz, resampled, cut or centred to `samples`. */
mn_status mn_dataset_clip(const mn_dataset *dataset, int16_t *pcm, int32_t item, int32_t rate_hz,
                          int32_t samples, mn_error *error) MN_MUST_CHECK;

/* Any one audio file, for `micronets run`. */
mn_status mn_audio_read(int16_t *pcm, const char *path, int32_t rate_hz, int32_t samples,
                        mn_error *error) MN_MUST_CHECK;

/* Any one photo, for `micronets run`: the centred square, [size][size][channels], 0 .. 255. */
mn_status mn_image_read(uint8_t *pixel, const char *path, int32_t size, int32_t channels,
                        mn_error *error) MN_MUST_CHECK;
/* ---- Windows: several inputs from one recording (task ad) -------------------------------------*/
/* What one input takes, in samples of the front end's rate. */
typedef struct mn_window_size {
  int32_t rate_hz, channels, samples, stride;
} mn_window_size;
/* Of the front end, which must have passed mn_frontend_check. */
mn_window_size mn_window_size_of(const mn_frontend *frontend);
/* Windows in a recording of that many seconds, at least 1. */
int32_t mn_window_count(const mn_window_size *size, double seconds);
/* Window `index` of an item: pcm [samples][channels]; a recording shorter than a window is centred.
 * A model of several channels takes recordings of as many; one channel takes a mix of all. */
mn_status mn_dataset_window(const mn_dataset *dataset, int16_t *pcm, int32_t item,
                            const mn_window_size *size, int32_t index, mn_error *error) MN_MUST_CHECK;
/* The same of any file: measured, and where it is text read, once. Owned: close it. `path` is borrowed. */
typedef struct mn_listening mn_listening;
mn_status mn_listening_open(mn_listening **listening, const char *path, const mn_window_size *size,
                            mn_error *error) MN_MUST_CHECK;
int32_t mn_listening_windows(const mn_listening *listening); /* at least 1 */
mn_status mn_listening_window(const mn_listening *listening, int16_t *pcm, int32_t index,
                              mn_error *error) MN_MUST_CHECK;
void mn_listening_close(mn_listening *listening); /* NULL is fine */

/* ---- Batches -----------------------------------------------------------------------------*/
/* A batch's items are windows: one each but in task ad, where a recording has several.
 * x: features in real units [items, H, W, C]; target: class probabilities [items, classes] (one-hot,
 * smoothed or mixed; times the weight of the class where classes are balanced); label: the class,
 * -1 in mixed items. Borrowed until the next mn_feed call. */
typedef struct mn_batch {
  int32_t items, classes;
  int32_t first, whole; /* a share: items [first, first + items) of a batch of so many; whole 0: no share */
  const float *x;
  const float *target;
  const int32_t *label;
  const int32_t *item; /* dataset index */
} mn_batch;

typedef struct mn_feed_config {
  int32_t batch;
  bool augment;          /* train: draws; otherwise clean, in order, the last batch may be short */
  bool shuffle;
  int32_t variants;      /* augmented draws kept per item (0: default), made once, then reused by epochs */
  double speed;          /* 0.12: resample by 1 +- 12 % */
  double shift_ms, gain_db;
  double roam;           /* share of the window's free room in which a short clip may lie; shift_ms at least */
  double noise_probability, noise_snr_low_db, noise_snr_high_db;
  double reverb_probability, eq_probability;
  double narrow_probability;   /* telephone band: a model for 16 kHz that also hears 8 kHz recordings */
  double coloured_noise;       /* share of made noise (mn_noise_room) among the noises */
  double level_low_dbfs, level_high_dbfs; /* both 0: gain_db instead */
  double floor_low_dbfs, floor_high_dbfs; /* noise of the microphone; both 0: none */
  double contour_probability;  /* the voice falls or rises along the word */
  double cut_probability;      /* zeros around the word, as in collections of cut-out words */
  int32_t time_masks, time_mask_frames, mel_masks, mel_mask_bands; /* SpecAugment */
  /* Rows of features warped afresh in every epoch: pace 0.5: closer together or further apart by up to
   * 1.5, all alike; rhythm: the same, changing along the clip. */
  double pace, rhythm;
  /* photos */
  double flip_probability;     /* left and right */
  double crop_area;            /* least share of the area that a crop keeps; 1: no crop */
  double crop_stretch;         /* its sides differ by up to 1 +- this */
  double pixel_shift;          /* +- share of the side, in whole pixels, edges repeated */
  double brightness, contrast, saturation; /* +- share */
  double erase_probability;    /* a grey rectangle of up to a third of the area */
  double cutmix;               /* probability of a rectangle out of another photo */
  double mixup;          /* coefficient of the beta distribution; 0 none */
  double label_smoothing;
  bool reconstruct;      /* the target is the input itself: auto-encoders */
  bool balance;          /* targets weigh so much that every class weighs the same in all */
  uint64_t seed;
} mn_feed_config;
mn_feed_config mn_feed_defaults(const mn_dataset *dataset); /* recipe that suits the dataset (docs) */
/* Every random change of the items at `strength` (0 to 2) of what the recipe has: probabilities (at most 1; flips:
 * 0.5) and extents alike. Level and floor of the noise, mixing, smoothing and weights stay. */
void mn_feed_scale(mn_feed_config *config, double strength);

/* A feed serves one split or part of it: `part` of `parts` by a stable hash, for search's alternation
 * (part 0 of 1: everything). It may be empty: 0 items, 0 batches. */
typedef struct mn_feed mn_feed;
mn_status mn_feed_open(mn_feed **feed, const mn_dataset *dataset, mn_split split, int32_t part,
                       int32_t parts, const mn_frontend *frontend, const mn_feed_config *config,
                       mn_error *error) MN_MUST_CHECK;
/* MN_ERR_FORMAT where it is empty, naming the data and what the examples are for ("to train on"). */
mn_status mn_feed_expect(const mn_feed *feed, const char *purpose, mn_error *error) MN_MUST_CHECK;
void mn_feed_close(mn_feed *feed);
int32_t mn_feed_items(const mn_feed *feed);
int32_t mn_feed_batches(const mn_feed *feed); /* per epoch */
/* Batch `index` of epoch `epoch`: a pure function of (config, epoch, index), so resume is a seek. */
mn_status mn_feed_batch(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index,
                        mn_error *error) MN_MUST_CHECK;
/* Share `part` of `parts` of that batch: the same items as there, and nothing else is drawn. May be empty. */
mn_status mn_feed_share(mn_feed *feed, mn_batch *batch, int32_t epoch, int32_t index, int32_t part,
                        int32_t parts, mn_error *error) MN_MUST_CHECK;
/* Clean features of one item, quantized as the model's input tensor will be (the MCU's bytes). */
mn_status mn_feed_input(mn_feed *feed, int8_t *input, int32_t index, float scale, int32_t zero_point,
                        mn_error *error) MN_MUST_CHECK;

#endif
