/* dataset.h - the inside of an open data set, shared by the files of this room.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_DATASET_H
#define MN_DATA_DATASET_H

#include "data/audio.h"
#include "data/picture.h"
#include "data/source.h"
#include "data/speech/speech.h"

typedef enum mn_origin {
  MN_ORIGIN_FILE,   /* index: member */
  MN_ORIGIN_RECORD, /* index: member; record: where its pixels lie */
  MN_ORIGIN_SPOKEN, /* index: clip of the synthesiser */
  MN_ORIGIN_SILENCE /* index: the how-many-th of its split */
} mn_origin;

/* Raw pixels of one example inside a member; planar: all red, then all green, then all blue. */
typedef struct mn_raw_photo {
  const uint8_t *pixels; /* NULL: a file of its own */
  int32_t height, width, channels;
  bool planar;
} mn_raw_photo;

/* A square of a photo; side 0: the centred one. */
typedef struct mn_crop {
  int32_t left, top, side;
} mn_crop;

typedef struct mn_entry {
  mn_origin origin;
  int32_t index;
  uint64_t hash;          /* of the content */
  const char *class_text; /* folder */
  mn_audio_info info;
  mn_image_info image;
  mn_raw_photo record;
  mn_crop crop;
} mn_entry;

/* Goes on from `sum` with the content and the square that is seen of it. */
uint64_t mn_entry_hash(uint64_t sum, const mn_entry *entry);

/* A growing list in heap memory. */
typedef struct mn_problems {
  mn_problem *items;
  int32_t count, capacity;
} mn_problems;

struct mn_feature_set; /* feed_store.h */

struct mn_dataset {
  mn_arena *arena;
  mn_data_config config; /* texts are copies in the arena */
  mn_task task;
  mn_source source;
  const mn_speech *speech; /* NULL: a source */
  const char **class_names;
  int32_t classes, silence; /* silence: label of made items; -1 none */
  mn_item *items;           /* [count], with entries beside them */
  mn_entry *entries;
  int32_t count;
  int32_t *noises;       /* members of _background_noise_ */
  double *noise_seconds; /* their lengths */
  int32_t noise_count;
  mn_problems problems;
  int32_t rate_hz;
  bool images; /* photos instead of recordings */
  bool tables; /* recordings as text */
  _Atomic(mn_csv *)
      *parsed; /* [source.count] samples of those, from their first window on; NULL: no tables */
  const char *engines; /* synthesisers; NULL: recordings */
  const char *trained_on;
  uint64_t hash;
  struct mn_feature_set *sets; /* features that open feeds share; the only part that changes */
};

#define MN_BACKGROUND "_background_noise_"
#define MN_UNKNOWN "unknown"
#define MN_SILENCE "silence"

/* "kind" is one of the words in docs/data.md. */
mn_status mn_problem_add(mn_dataset *dataset, const char *file, const char *kind,
                         const char *format, ...) MN_PRINTF(4, 5) MN_MUST_CHECK;

/* layout.c: whatever the layout (layout.h), examples become items with class text, speaker and split
 * (MN_SPLIT_COUNT where nothing tells). */
mn_status mn_layout_read(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
mn_split mn_layout_folder_split(const char *name, size_t size); /* "train"; MN_SPLIT_COUNT: none */
/* split.c: a split for the items that have none. */
mn_status mn_split_assign(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* labels.c: class texts become labels by the rule of --classes. */
mn_status mn_labels_assign(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* machines.c: whether the layout is that of anomaly detection; what stands there of machine, state and
 * label (before splits are dealt out); and classes, once splits are known. */
bool mn_machines_detect(const mn_dataset *dataset);
mn_status mn_machines_read(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
mn_status mn_machines_label(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* audit.c: measures every item, drops what cannot be read, names what is odd. */
mn_status mn_audit(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* Names classes that the training split does not show. */
mn_status mn_audit_classes(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* audit_image.c: the same for one photo; what is odd about it. */
mn_status mn_audit_measure_image(mn_image_info *info, const mn_dataset *dataset, int32_t item,
                                 mn_error *error) MN_MUST_CHECK;
mn_status mn_audit_name_image(mn_dataset *dataset, int32_t item) MN_MUST_CHECK;
/* silence.c: items of class silence, a ninth of the others in each split. */
mn_status mn_silence_add(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
mn_status mn_silence_clip(const mn_dataset *dataset, int16_t *pcm, int32_t item, int32_t rate_hz,
                          int32_t samples, mn_error *error) MN_MUST_CHECK;
/* The share of a background recording that belongs to a split, in seconds. */
void mn_noise_range(double *start_s, double *length_s, double seconds, mn_split split);

/* pictures.c: the photo of an item; mn_free its pixels. */
mn_status mn_dataset_picture(const mn_dataset *dataset, mn_picture *picture, int32_t item,
                             mn_error *error) MN_MUST_CHECK;

/* clips.c: items spoken by a synthesiser. */
mn_status mn_dataset_open_words(mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;

/* Any length up to `limit`, not centred: what augmentation places itself. Not for made silence. */
mn_status mn_dataset_natural(const mn_dataset *dataset, int16_t *pcm, int32_t *count, int32_t limit,
                             int32_t item, int32_t rate_hz, mn_error *error) MN_MUST_CHECK;

#endif
