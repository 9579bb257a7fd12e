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
  const char *name, *path;
  int32_t member;
} named;

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

/* How many folders the two paths share, counted from their ends. */
static int32_t shared_folders(const char *a, const char *b) {
  size_t i = strlen(a), k = strlen(b);
  int32_t shared = 0;
  while (i > 0 && k > 0 && a[i - 1] == b[k - 1]) {
    i--, k--;
    shared += a[i] == '/';
  }
  return shared + (i == 0 && (k == 0 || b[k - 1] == '/'));
}

static bool in_folder_of(const char *path, mn_split split) {
  const char *end = mn_base_name(path), *at = end;
  while (at > path && (at == end || at[-1] != '/')) at--;
  const char *word = split == MN_SPLIT_TEST ? "val" : "train";
  return memmem(at, (size_t)(end - at), word, strlen(word)) != NULL;
}

/* The photo that an annotation file calls `name`: of those of the same base name the one that shares most
 * folders with it, then that of the annotation's split. Member -1: none, -2: several alike. */
static int32_t find_photo(const named *names, int32_t count, const char *name, mn_split split) {
  named key = {.name = mn_base_name(name)};
  const named *at = bsearch(&key, names, (size_t)count, sizeof *names, by_name);
  if (at == NULL) return -1;
  while (at > names && by_name(at - 1, &key) == 0) at--;
  int32_t best = -1, found = -1;
  for (; at < names + count && by_name(at, &key) == 0; at++) {
    int32_t score = 2 * shared_folders(name, at->path) + in_folder_of(at->path, split);
    if (score == best) found = -2;
    if (score > best) {
      best = score;
      found = at->member;
    }
  }
  return found;
}

static mn_status list_names(named **names, int32_t *count, const mn_source *source) {
  named *all = mn_malloc(sizeof *all * ((size_t)source->count + 1));
  if (all == NULL) return MN_ERR_MEMORY;
  *count = 0;
  for (int32_t i = 0; i < source->count; i++)
    if (!source->members[i].is_folder && mn_is_image(source->members[i].path))
      all[(*count)++] = (named){mn_base_name(source->members[i].path), source->members[i].path, i};
  qsort(all, (size_t)*count, sizeof *all, by_name);
  *names = all;
  return MN_OK;
}

/* ---- One annotation file ------------------------------------------------------------------------*/
typedef struct annotations {
  const char *path;
  mn_split split;
  const named *names; /* all photos of the data set, [count] */
  int32_t count;
} annotations;

static double number(const json_t *value) {
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool is_side(double pixels) {
  return pixels >= 1 && pixels <= MN_PICTURE_MOST_SIDE;
}

static mn_status take_photo(photo_list *list, const json_t *image, const annotations *file,
                            mn_error *error) {
  const char *name = json_string_value(json_object_get(image, "file_name"));
  const json_t *id = json_object_get(image, "id");
  photo p = {.id = (int64_t)json_integer_value(id),
             .width = number(json_object_get(image, "width")),
             .height = number(json_object_get(image, "height"))};
  if (name == NULL || !json_is_integer(id) || !is_side(p.width) || !is_side(p.height))
    return mn_error_set(
        error, MN_ERR_FORMAT,
        "%s: found image %d%s%s; expected \"file_name\", an integer \"id\", \"width\" "
        "and \"height\" of 1 to %d",
        file->path, list->count + list->lost, name != NULL ? ", " : "", name != NULL ? name : "",
        MN_PICTURE_MOST_SIDE);
  p.member = find_photo(file->names, file->count, name, file->split);
  if (p.member == -2)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found several photos that may be \"%s\"; expected its folder in "
                        "\"file_name\"",
                        file->path, name);
  if (p.member < 0)
    list->lost++;
  else
    list->items[list->count++] = p;
  return MN_OK;
}

static mn_status take_photos(photo_list *list, const json_t *images, const annotations *file,
                             mn_error *error) {
  size_t i;
  json_t *image;
  json_array_foreach(images, i, image) MN_TRY(take_photo(list, image, file, error));
  qsort(list->items, (size_t)list->count, sizeof *list->items, by_id);
  for (int32_t k = 1; k < list->count; k++)
    if (list->items[k].id == list->items[k - 1].id)
      return mn_error_set(error, MN_ERR_FORMAT, "%s: found two images of id %lld; expected one",
                          file->path, (long long)list->items[k].id);
  return MN_OK;
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
    finite = isfinite(box[k]) && (k < 2 || box[k] >= 0);
  }
  return finite;
}

static mn_status take_boxes(const photo_list *list, const json_t *all, int64_t person,
                            const char *path, mn_error *error) {
  size_t i;
  json_t *annotation;
  json_array_foreach(all, i, annotation) {
    photo key = {.id = (int64_t)json_integer_value(json_object_get(annotation, "image_id"))};
    photo *p = bsearch(&key, list->items, (size_t)list->count, sizeof *list->items, by_id);
    double box[4];
    if (p == NULL || json_integer_value(json_object_get(annotation, "category_id")) != person)
      continue;
    if (!read_box(box, json_object_get(annotation, "bbox")))
      return mn_error_set(
          error, MN_ERR_FORMAT,
          "%s: found no box in annotation %zu, a person's; expected \"bbox\" of x, y, "
          "width and height",
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

static mn_status add_photos(mn_dataset *dataset, const photo_list *list, const annotations *file,
                            mn_error *error) {
  for (int32_t i = 0; i < list->count; i++) add_photo(dataset, &list->items[i], file->split);
  if (list->lost > 0 && mn_problem_add(dataset, file->path, "missing",
                                       "%d of its photos are not there", list->lost) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", file->path);
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

static mn_status take_file(mn_dataset *dataset, const json_t *root, const annotations *file,
                           mn_error *error) {
  const json_t *images = json_object_get(root, "images"),
               *boxes = json_object_get(root, "annotations");
  int64_t person = person_category(json_object_get(root, "categories"));
  if (!json_is_array(images) || !json_is_array(boxes) || person < 0)
    return mn_error_set(
        error, MN_ERR_FORMAT,
        "%s: found no \"images\", no \"annotations\" or no category \"person\"; expected "
        "COCO's instances",
        file->path);
  photo_list list = {mn_calloc(json_array_size(images) + 1, sizeof(photo)), 0, 0};
  if (list.items == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", file->path);
  mn_status status = take_photos(&list, images, file, error);
  if (status == MN_OK) status = take_boxes(&list, boxes, person, file->path, error);
  if (status == MN_OK) status = add_photos(dataset, &list, file, error);
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
    const char *path = dataset->source.members[i].path;
    bool val = strstr(mn_base_name(path), "val") != NULL;
    annotations file = {path, val ? MN_SPLIT_TEST : MN_SPLIT_TRAIN, names, count};
    if (status == MN_OK) status = take_file(dataset, root, &file, error);
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
