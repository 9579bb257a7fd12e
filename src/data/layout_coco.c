/* layout_coco.c - COCO's photos with annotations/instances_*.json as visual wake words: `person` where
 * a person's box covers more than 0.5 % of the photo (Chowdhery et al. 2019), else `non_person`.
 *
 * The front end sees a square; it is slid along the longer side so that the largest person's box lies
 * as near its middle as the frame allows, else a label would speak of what was cut away.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/layout.h"

#define LEAST_SHARE 0.005
enum { MOST_JSON = 1 << 30 };

typedef struct photo {
  int64_t id;
  int32_t member;
  double width, height;
  double box[4], area; /* of the largest person: x, y, width, height */
} photo;

typedef struct photo_list {
  photo *items; /* sorted by id; heap */
  int32_t count, lost;
} photo_list;

static bool is_annotation(const mn_member *m) {
  const char *name = mn_base_name(m->path);
  size_t length = strlen(name);
  return !m->is_folder && strncmp(name, "instances_", 10) == 0 && length > 5 &&
         strcmp(name + length - 5, ".json") == 0;
}

static bool coco_found(const mn_source *source) {
  for (int32_t i = 0; i < source->count; i++)
    if (is_annotation(&source->members[i])) return true;
  return false;
}

static int by_id(const void *a, const void *b) {
  const photo *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* ---- Photos by file name ------------------------------------------------------------------------*/
typedef struct named {
  const char *name;
  int32_t member;
} named;

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static mn_status list_names(named **names, int32_t *count, const mn_source *source) {
  named *all = mn_malloc(sizeof *all * ((size_t)source->count + 1));
  if (all == NULL) return MN_ERR_MEMORY;
  *count = 0;
  for (int32_t i = 0; i < source->count; i++)
    if (!source->members[i].is_folder && mn_is_image(source->members[i].path))
      all[(*count)++] = (named){mn_base_name(source->members[i].path), i};
  qsort(all, (size_t)*count, sizeof *all, by_name);
  *names = all;
  return MN_OK;
}

/* ---- One annotation file ------------------------------------------------------------------------*/
static double number(const json_t *value) {
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool is_side(double pixels) {
  return pixels >= 1 && pixels <= MN_PICTURE_MOST_SIDE;
}

static void take_photos(photo_list *list, const json_t *images, const named *names, int32_t count) {
  size_t i;
  json_t *image;
  json_array_foreach(images, i, image) {
    const char *text = json_string_value(json_object_get(image, "file_name"));
    named key = {text != NULL ? mn_base_name(text) : "", 0};
    const named *found = bsearch(&key, names, (size_t)count, sizeof *names, by_name);
    photo p = {.id = (int64_t)json_integer_value(json_object_get(image, "id")),
               .width = number(json_object_get(image, "width")),
               .height = number(json_object_get(image, "height"))};
    if (found == NULL || !is_side(p.width) || !is_side(p.height)) {
      list->lost++;
      continue;
    }
    p.member = found->member;
    list->items[list->count++] = p;
  }
  qsort(list->items, (size_t)list->count, sizeof *list->items, by_id);
}

static int64_t person_category(const json_t *categories) {
  size_t i;
  json_t *category;
  json_array_foreach(categories, i, category) {
    const char *name = json_string_value(json_object_get(category, "name"));
    if (name != NULL && strcmp(name, "person") == 0)
      return (int64_t)json_integer_value(json_object_get(category, "id"));
  }
  return -1;
}

static bool read_box(double box[4], const json_t *numbers) {
  bool finite = json_array_size(numbers) == 4;
  for (size_t k = 0; k < 4 && finite; k++) {
    box[k] = number(json_array_get(numbers, k));
    finite = isfinite(box[k]);
  }
  return finite;
}

static mn_status take_boxes(const photo_list *list, const json_t *annotations, int64_t person,
                            const char *path, mn_error *error) {
  size_t i;
  json_t *annotation;
  json_array_foreach(annotations, i, annotation) {
    photo key = {.id = (int64_t)json_integer_value(json_object_get(annotation, "image_id"))};
    photo *p = bsearch(&key, list->items, (size_t)list->count, sizeof *list->items, by_id);
    double box[4];
    if (p == NULL || json_integer_value(json_object_get(annotation, "category_id")) != person)
      continue;
    if (!read_box(box, json_object_get(annotation, "bbox")))
      return mn_error_set(
          error, MN_ERR_FORMAT,
          "%s: found no box in annotation %zu, a person's; expected \"bbox\" of four "
          "numbers",
          path, i);
    if (!(box[2] * box[3] > p->area)) continue;
    p->area = box[2] * box[3];
    memcpy(p->box, box, sizeof box);
  }
  return MN_OK;
}

static int32_t slide(double middle, double room, int32_t side) {
  double at = floor(middle - 0.5 * side + 0.5);
  return (int32_t)(at < 0 ? 0 : at > room ? room : at);
}

static void add_photo(mn_dataset *dataset, const photo *p, mn_split split) {
  bool person = p->area > LEAST_SHARE * p->width * p->height;
  mn_entry entry = {
      .origin = MN_ORIGIN_FILE, .index = p->member, .class_text = person ? "person" : "non_person"};
  if (person) {
    int32_t side = (int32_t)fmin(p->width, p->height);
    entry.crop.side = side;
    entry.crop.left = slide(p->box[0] + 0.5 * p->box[2], p->width - side, side);
    entry.crop.top = slide(p->box[1] + 0.5 * p->box[3], p->height - side, side);
  }
  dataset->items[dataset->count] =
      (mn_item){.file = dataset->source.members[p->member].path, .split = split};
  dataset->entries[dataset->count++] = entry;
}

static mn_status add_photos(mn_dataset *dataset, const photo_list *list, const char *path,
                            mn_error *error) {
  mn_split split = strstr(mn_base_name(path), "val") != NULL ? MN_SPLIT_TEST : MN_SPLIT_TRAIN;
  for (int32_t i = 0; i < list->count; i++)
    if (i == 0 || list->items[i].id != list->items[i - 1].id)
      add_photo(dataset, &list->items[i], split);
  if (list->lost > 0 && mn_problem_add(dataset, path, "missing", "%d of its photos are not there",
                                       list->lost) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  return MN_OK;
}

static mn_status read_json(json_t **root, mn_dataset *dataset, int32_t member, mn_error *error) {
  const mn_member *m = &dataset->source.members[member];
  json_error_t fault;
  mn_arena *arena = NULL;
  mn_bytes text = {m->data, (size_t)m->size};
  mn_status status = MN_OK;
  if (m->trouble != NULL) return mn_error_set(error, MN_ERR_FORMAT, "%s: %s", m->path, m->trouble);
  if (mn_arena_create(&arena) != MN_OK) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  if (m->data == NULL) {
    const char *path = mn_arena_text(arena, "%s/%s", dataset->source.root, m->path);
    status = path == NULL ? MN_ERR_MEMORY : mn_file_read(&text, arena, path, MOST_JSON, error);
  }
  *root = status == MN_OK ? json_loadb((const char *)text.data, text.size, 0, &fault) : NULL;
  mn_arena_destroy(arena);
  if (status == MN_OK && *root == NULL)
    status = mn_error_set(error, MN_ERR_FORMAT, "%s:%d:%d: %s", m->path, fault.line, fault.column,
                          fault.text);
  return status;
}

static mn_status take_file(mn_dataset *dataset, const json_t *root, int32_t member,
                           const named *names, int32_t count, mn_error *error) {
  const char *path = dataset->source.members[member].path;
  const json_t *images = json_object_get(root, "images");
  int64_t person = person_category(json_object_get(root, "categories"));
  if (!json_is_array(images) || person < 0)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found no \"images\" or no category \"person\"; expected COCO's "
                        "instances",
                        path);
  photo_list list = {mn_calloc(json_array_size(images) + 1, sizeof(photo)), 0, 0};
  if (list.items == NULL) return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", path);
  take_photos(&list, images, names, count);
  mn_status status = take_boxes(&list, json_object_get(root, "annotations"), person, path, error);
  if (status == MN_OK) status = add_photos(dataset, &list, path, error);
  mn_free(list.items);
  return status;
}

static mn_status read_all(mn_dataset *dataset, const named *names, int32_t count, mn_error *error) {
  for (int32_t i = 0; i < dataset->source.count; i++) {
    json_t *root = NULL;
    if (!is_annotation(&dataset->source.members[i])) continue;
    MN_TRY(read_json(&root, dataset, i, error));
    int64_t room = dataset->count + (int64_t)json_array_size(json_object_get(root, "images"));
    mn_status status = mn_layout_grow(dataset, room, error);
    if (status == MN_OK) status = take_file(dataset, root, i, names, count, error);
    json_decref(root);
    MN_TRY(status);
  }
  return MN_OK;
}

static mn_status coco_read(mn_dataset *dataset, mn_error *error) {
  named *names = NULL;
  int32_t count = 0;
  if (list_names(&names, &count, &dataset->source) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", dataset->source.root);
  mn_status status = read_all(dataset, names, count, error);
  mn_free(names);
  if (status != MN_OK || dataset->count > 0) return status;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: holds annotations but none of their photos; put them beside each other",
                      dataset->source.root);
}

const mn_layout mn_layout_coco = {"coco", coco_found, coco_read};
