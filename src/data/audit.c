/* audit.c - every example is opened once: what cannot be read is left out, what is odd is named.
 * The measurements are kept in the cache under the content of all files.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/parallel.h"

enum { SILENT_PEAK = 10, LONG_SECONDS = 60 };
#define SHORT_SECONDS 0.1
#define ITSELF "it" /* a file that is measured has no name: measurements are kept by content */
#define CLIPPED_SHARE 0.005

/* One of the two, by the kind of data set. */
typedef struct measurement {
  mn_audio_info audio;
  mn_image_info image;
  int32_t status; /* of the decoder; 1: the bytes cannot be read */
} measurement;

typedef struct audit {
  mn_dataset *dataset;
  measurement *results;
} audit;

static void hash_item(void *context, int32_t item, int32_t thread) {
  (void)thread;
  const audit *a = context;
  mn_entry *entry = &a->dataset->entries[item];
  const mn_raw_photo *r = &entry->record;
  if (r->pixels != NULL)
    entry->hash = mn_hash64(0, r->pixels, (size_t)(r->height * r->width * r->channels));
  else if (!mn_source_hash(&entry->hash, &a->dataset->source, entry->index))
    a->results[item].status = 1;
}

static mn_status measure_audio(mn_audio_info *info, const mn_dataset *dataset, int32_t item,
                               mn_error *error) {
  char path[4096];
  mn_recording recording =
      mn_source_recording(&dataset->source, dataset->entries[item].index, path, sizeof path);
  recording.name = ITSELF;
  return mn_recording_measure(info, &recording, error);
}

static mn_status measure(measurement *m, const mn_dataset *dataset, int32_t item, mn_error *error) {
  return dataset->images ? mn_audit_measure_image(&m->image, dataset, item, error)
                         : measure_audio(&m->audio, dataset, item, error);
}

static void measure_item(void *context, int32_t item, int32_t thread) {
  (void)thread;
  const audit *a = context;
  measurement *result = &a->results[item];
  if (result->status == 0) result->status = (int32_t)measure(result, a->dataset, item, NULL);
}

static uint64_t content_key(const mn_dataset *dataset) {
  uint64_t key = dataset->images ? 3 : 2; /* version of the measurement */
  for (int32_t i = 0; i < dataset->count; i++) {
    key = mn_entry_hash(key, &dataset->entries[i]);
  }
  return key;
}

static mn_status measure_all(audit *a, mn_error *error) {
  mn_dataset *dataset = a->dataset;
  MN_TRY(mn_data_parallel(dataset, "data", hash_item, a, dataset->count, error));
  size_t size = sizeof *a->results * (size_t)dataset->count;
  uint64_t key = content_key(dataset);
  mn_arena_mark mark = mn_arena_mark_get(dataset->arena);
  mn_bytes kept;
  if (mn_cache_read(&kept, dataset->arena, dataset, "audit", key) && kept.size == size) {
    memcpy(a->results, kept.data, size);
    mn_arena_release(dataset->arena, mark);
    return MN_OK;
  }
  MN_TRY(mn_data_parallel(dataset, "audit", measure_item, a, dataset->count, error));
  mn_cache_write(dataset, "audit", key, a->results, size);
  return MN_OK;
}

static mn_status name_unreadable(mn_dataset *dataset, int32_t item) {
  const mn_entry *entry = &dataset->entries[item];
  const char *file = dataset->items[item].file;
  if (dataset->source.members[entry->index].size == 0)
    return mn_problem_add(dataset, file, "unreadable", "has 0 bytes; left out");
  measurement again;
  mn_error error = {{0}};
  if (measure(&again, dataset, item, &error) == MN_ERR_MEMORY) return MN_ERR_MEMORY;
  const char *text = error.text[0] != '\0' ? error.text : "cannot be read";
  bool itself = strncmp(text, ITSELF ":", strlen(ITSELF ":")) == 0;
  if (itself) text += strlen(ITSELF ":");
  bool line = itself && isdigit((unsigned char)text[0]);
  return mn_problem_add(dataset, file, "unreadable", "%s%s; left out", line ? "line " : "",
                        text + strspn(text, " "));
}

static mn_status name_audio(mn_dataset *dataset, int32_t item) {
  const mn_audio_info *info = &dataset->entries[item].info;
  const char *file = dataset->items[item].file;
  double seconds = dataset->items[item].seconds;
  if (info->peak <= SILENT_PEAK)
    MN_TRY(
        mn_problem_add(dataset, file, "silent", "its loudest sample is %d of 32767", info->peak));
  if ((double)info->at_full_scale > CLIPPED_SHARE * (double)info->measured)
    MN_TRY(mn_problem_add(dataset, file, "clipped", "%.1f %% of its samples are at full scale",
                          100.0 * (double)info->at_full_scale / (double)info->measured));
  if (seconds > LONG_SECONDS)
    MN_TRY(mn_problem_add(dataset, file, "long", "lasts %.0f s; its middle is used", seconds));
  if (seconds < SHORT_SECONDS)
    MN_TRY(mn_problem_add(dataset, file, "short", "lasts %.3f s; the rest of the clip is silence",
                          seconds));
  return MN_OK;
}

/* Readable items move up; what cannot be read is named. */
static mn_status keep_readable(mn_dataset *dataset, const measurement *results) {
  int32_t kept = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    const measurement *m = &results[i];
    if (m->status != MN_OK) {
      MN_TRY(name_unreadable(dataset, i));
      continue;
    }
    dataset->items[kept] = dataset->items[i];
    dataset->entries[kept] = dataset->entries[i];
    dataset->entries[kept].info = m->audio;
    dataset->entries[kept].image = m->image;
    if (!dataset->images) dataset->items[kept].seconds = (double)m->audio.frames / m->audio.rate_hz;
    MN_TRY(dataset->images ? mn_audit_name_image(dataset, kept) : name_audio(dataset, kept));
    kept++;
  }
  dataset->count = kept;
  return MN_OK;
}

/* What is changed on the way in is no fault of a file: one line for all files alike. */
static mn_status name_formats(mn_dataset *dataset) {
  int32_t stereo = 0, resampled = 0, first_stereo = -1, first_resampled = -1;
  for (int32_t i = dataset->count - 1; i >= 0; i--) {
    const mn_audio_info *info = &dataset->entries[i].info;
    if (info->channels > 1) stereo++, first_stereo = i;
    if (info->rate_hz != dataset->entries[0].info.rate_hz) resampled++, first_resampled = i;
  }
  /* Anomaly detection may want every axis of a sensor: the front end decides. */
  if (stereo > 0 && dataset->task != MN_TASK_AD)
    MN_TRY(mn_problem_add(dataset, dataset->items[first_stereo].file, "stereo",
                          "%d recordings of more than one channel, this one first; mixed down",
                          stereo));
  if (resampled > 0)
    MN_TRY(mn_problem_add(dataset, dataset->items[first_resampled].file, "rate",
                          "%d recordings of another rate than the first one's %d Hz, this one "
                          "first; all are resampled to the network's rate",
                          resampled, dataset->entries[0].info.rate_hz));
  return MN_OK;
}

/* ---- The same content, or the same speaker, twice ---------------------------------------------*/

typedef struct twin {
  uint64_t hash;
  int32_t item;
} twin;

static int by_content(const void *a, const void *b) {
  const twin *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return (x->item > y->item) - (x->item < y->item);
}

static mn_status name_twins(mn_dataset *dataset, twin *twins) {
  for (int32_t i = 0; i < dataset->count; i++) twins[i] = (twin){dataset->entries[i].hash, i};
  qsort(twins, (size_t)dataset->count, sizeof *twins, by_content);
  int32_t first = 0;
  for (int32_t i = 1; i < dataset->count; i++) {
    if (twins[i].hash != twins[first].hash) {
      first = i;
      continue;
    }
    const mn_item *item = &dataset->items[twins[i].item],
                  *other = &dataset->items[twins[first].item];
    bool leak = item->split != other->split;
    MN_TRY(mn_problem_add(dataset, item->file, leak ? "leak" : "duplicate", "the same %s as %s%s%s",
                          dataset->images ? "photo" : "recording", other->file,
                          leak ? ", of split " : "", leak ? mn_split_text(other->split) : ""));
  }
  return MN_OK;
}

static int32_t by_speaker_order(const mn_dataset *dataset, int32_t a, int32_t b) {
  int order = strcmp(dataset->items[a].speaker, dataset->items[b].speaker);
  return order != 0 ? order : a - b;
}

/* Heap sort of item indices by speaker: qsort has no context. */
static void sift(const mn_dataset *dataset, int32_t *order, int32_t root, int32_t count) {
  for (int32_t child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && by_speaker_order(dataset, order[child], order[child + 1]) < 0) child++;
    if (by_speaker_order(dataset, order[root], order[child]) >= 0) return;
    int32_t swap = order[root];
    order[root] = order[child];
    order[child] = swap;
  }
}

static void sort_by_speaker(const mn_dataset *dataset, int32_t *order, int32_t count) {
  for (int32_t i = count / 2 - 1; i >= 0; i--) sift(dataset, order, i, count);
  for (int32_t end = count - 1; end > 0; end--) {
    int32_t swap = order[0];
    order[0] = order[end];
    order[end] = swap;
    sift(dataset, order, 0, end);
  }
}

static mn_status name_speaker_leaks(mn_dataset *dataset, int32_t *order) {
  int32_t count = 0;
  for (int32_t i = 0; i < dataset->count; i++) {
    if (dataset->items[i].speaker != NULL) order[count++] = i;
  }
  sort_by_speaker(dataset, order, count);
  bool named = false;
  for (int32_t i = 1; i < count; i++) {
    const mn_item *item = &dataset->items[order[i]], *before = &dataset->items[order[i - 1]];
    if (strcmp(item->speaker, before->speaker) != 0)
      named = false;
    else if (item->split != before->split && !named) {
      named = true;
      MN_TRY(mn_problem_add(dataset, item->file, "leak", "speaker %s is in split %s and in %s (%s)",
                            item->speaker, mn_split_text(before->split), mn_split_text(item->split),
                            before->file));
    }
  }
  return MN_OK;
}

static mn_status name_repetitions(mn_dataset *dataset) {
  twin *room = mn_malloc(sizeof *room * ((size_t)dataset->count + 1));
  int32_t *order = mn_malloc(sizeof *order * ((size_t)dataset->count + 1));
  mn_status status = room != NULL && order != NULL ? MN_OK : MN_ERR_MEMORY;
  if (status == MN_OK) status = name_twins(dataset, room);
  if (status == MN_OK) status = name_speaker_leaks(dataset, order);
  mn_free(order);
  mn_free(room);
  return status;
}

mn_status mn_audit(mn_dataset *dataset, mn_error *error) {
  audit a = {dataset, mn_calloc((size_t)dataset->count + 1, sizeof(measurement))};
  if (a.results == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->config.path);
  mn_status status = measure_all(&a, error);
  mn_status named = status == MN_OK ? keep_readable(dataset, a.results) : MN_OK;
  mn_free(a.results);
  if (status != MN_OK) return status;
  if (named == MN_OK && !dataset->images) named = name_formats(dataset);
  if (named == MN_OK) named = name_repetitions(dataset);
  if (named != MN_OK) return mn_error_set(error, named, "%s: out of memory", dataset->config.path);
  if (dataset->count == 0)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: not one of its %s can be read: %s: %s",
                        dataset->config.path, dataset->images ? "photos" : "recordings",
                        dataset->problems.items[0].file, dataset->problems.items[0].text);
  return MN_OK;
}

mn_status mn_audit_classes(mn_dataset *dataset, mn_error *error) {
  bool *trained = mn_calloc((size_t)dataset->classes + 1, sizeof *trained);
  if (trained == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (int32_t i = 0; i < dataset->count; i++)
    if (dataset->items[i].split == MN_SPLIT_TRAIN && dataset->items[i].label >= 0)
      trained[dataset->items[i].label] = true;
  mn_status status = MN_OK;
  for (int32_t c = 0; c < dataset->classes && status == MN_OK; c++)
    if (!trained[c] && c != dataset->silence)
      status = mn_problem_add(dataset, dataset->class_names[c], "untrained",
                              "a class without an example to train on");
  mn_free(trained);
  return status == MN_OK ? MN_OK : mn_error_set(error, status, "out of memory");
}
