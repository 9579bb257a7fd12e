/* test_photo_layouts.c - small data sets of IDX, CIFAR-10 and COCO layout, as folders and archives, and
 * what is wrong with broken ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "photo_support.h"

static mn_status open_set(mn_dataset **dataset, const char *path, mn_error *error) {
  mn_data_config config = {.path = path, .seed = 1};
  return mn_dataset_open(dataset, &config, error);
}

static mn_dataset *open_ok(const char *path) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  assert_ok(open_set(&dataset, path, &error), &error);
  return dataset;
}

static void assert_refused(const char *path, const char *says) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  assert_int_equal(open_set(&dataset, path, &error), MN_ERR_FORMAT);
  if (strstr(error.text, says) == NULL) fail_msg("\"%s\" does not say %s", error.text, says);
}

static void run(const char *format, const char *root) {
  char line[1200];
  snprintf(line, sizeof line, format, root);
  assert_int_equal(system(line), 0);
}

static void put_u32(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

enum { SIDE = 20 };

/* `count` grey images; labels count up from 0 to 2. */
static void write_idx(const char *root, const char *stem, int count, uint64_t seed) {
  char name[128];
  uint8_t *bytes = calloc(1, 16 + (size_t)count * SIDE * SIDE), labels[64] = {0};
  put_u32(bytes, 0x803);
  put_u32(bytes + 4, (uint32_t)count);
  put_u32(bytes + 8, SIDE);
  put_u32(bytes + 12, SIDE);
  put_u32(labels, 0x801);
  put_u32(labels + 4, (uint32_t)count);
  for (int i = 0; i < count; i++) {
    uint8_t *pixels = photo_pixels(SIDE, SIDE, 1, seed + (uint64_t)i);
    memcpy(bytes + 16 + (ptrdiff_t)i * SIDE * SIDE, pixels, (size_t)SIDE * SIDE);
    free(pixels);
    labels[8 + i] = (uint8_t)(i % 3);
  }
  snprintf(name, sizeof name, "set/%s-images-idx3-ubyte", stem);
  photo_write_text(photo_at(root, name), bytes, 16 + (size_t)count * SIDE * SIDE);
  snprintf(name, sizeof name, "set/%s-labels-idx1-ubyte", stem);
  photo_write_text(photo_at(root, name), labels, 8 + (size_t)count);
  free(bytes);
}

static int32_t count_split(const mn_dataset *dataset, mn_split split) {
  int32_t count = 0;
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++)
    count += mn_dataset_item(dataset, i)->split == split;
  return count;
}

static void idx_files_should_be_read_packed_or_not_in_folders_and_archives(void **state) {
  (void)state;
  const char *root = test_folder();
  write_idx(root, "train", 40, 1);
  write_idx(root, "t10k", 6, 100);
  for (int form = 0; form < 3; form++) {
    if (form == 1) run("cd '%s' && tar cf set.tar set", root);
    if (form == 2) run("cd '%s' && gzip set/*", root);
    mn_dataset *dataset = open_ok(photo_at(root, form == 1 ? "set.tar" : "set"));
    assert_int_equal(mn_dataset_items(dataset), 46);
    assert_int_equal(count_split(dataset, MN_SPLIT_TEST), 6);
    assert_true(count_split(dataset, MN_SPLIT_VAL) > 0);
    assert_int_equal(mn_dataset_classes(dataset), 3);
    assert_string_equal(mn_dataset_class(dataset, 2), "2");
    assert_int_equal(mn_dataset_task(dataset), MN_TASK_IC);
    assert_int_equal(mn_dataset_problems(dataset), 0);
    int32_t width, height;
    mn_dataset_image_size(dataset, &width, &height);
    assert_int_equal(width, SIDE);
    mn_dataset_close(dataset);
  }
}

static void an_idx_file_beside_its_packed_form_should_be_read_once(void **state) {
  (void)state;
  const char *root = test_folder();
  write_idx(root, "train", 40, 1);
  run("cd '%s' && gzip -k set/*", root);
  mn_dataset *dataset = open_ok(photo_at(root, "set"));
  assert_int_equal(mn_dataset_items(dataset), 40);
  mn_dataset_close(dataset);
}

static void broken_idx_files_should_be_refused_in_one_line(void **state) {
  (void)state;
  const char *root = test_folder(), *images = photo_at(root, "set/train-images-idx3-ubyte");
  write_idx(root, "train", 8, 1);
  uint8_t head[16] = {0};
  put_u32(head, 0x803);
  put_u32(head + 4, 0xffffffffu);
  put_u32(head + 8, SIDE);
  put_u32(head + 12, SIDE);
  photo_write_text(images, head, sizeof head);
  assert_refused(photo_at(root, "set"), "expected 4294967295 images");
  put_u32(head + 8, 0xffffffffu);
  photo_write_text(images, head, sizeof head);
  assert_refused(photo_at(root, "set"), "expected 4294967295 images");
  put_u32(head, 0x802);
  photo_write_text(images, head, sizeof head);
  assert_refused(photo_at(root, "set"), "found 00000802; expected an IDX file of images, 00000803");
  photo_write_text(images, "\x1f\x8bxx", 4);
  assert_refused(photo_at(root, "set"), "found 1f8b7878");
  write_idx(root, "train", 8, 1);
  const char *labels = photo_at(root, "set/train-labels-idx1-ubyte");
  photo_write_text(labels,
                   "\0\0\x08\x02\0\0\0\x08"
                   "01201201",
                   16);
  assert_refused(photo_at(root, "set"), "labels-idx1-ubyte: found 00000802");
  photo_write_text(labels,
                   "\0\0\x08\x01\0\0\0\x08"
                   "0120120123",
                   18);
  assert_refused(photo_at(root, "set"), "found 10 labels and 8 in its head");
  photo_write_text(labels,
                   "\0\0\x08\x01\0\0\0\x07"
                   "01201201",
                   16);
  assert_refused(photo_at(root, "set"), "found 8 labels and 7 in its head");
  run("rm '%s'/set/*labels*", root);
  assert_refused(photo_at(root, "set"), "no file of labels");
}

static void cifar_batches_should_be_planes_with_a_label_before(void **state) {
  (void)state;
  const char *root = test_folder();
  enum { PLANE = 32 * 32, RECORD = 3 * PLANE + 1, COUNT = 30 };
  uint8_t *batch = calloc(COUNT, RECORD);
  mn_rng rng = mn_rng_seed(1);
  for (int i = 0; i < COUNT * RECORD; i++)
    batch[i] = (uint8_t)(i % RECORD == 0 ? (uint32_t)(i / RECORD % 10) : mn_rng_below(&rng, 256));
  photo_write_text(photo_at(root, "c/data_batch_1.bin"), batch, (size_t)COUNT * RECORD);
  for (int i = 1; i < COUNT * RECORD; i += 7) batch[i] ^= (uint8_t)(i % RECORD != 0 ? 3 : 0);
  photo_write_text(photo_at(root, "c/test_batch.bin"), batch, (size_t)10 * RECORD);
  mn_dataset *dataset = open_ok(photo_at(root, "c"));
  assert_int_equal(mn_dataset_items(dataset), COUNT + 10);
  assert_int_equal(count_split(dataset, MN_SPLIT_TEST), 10);
  assert_string_equal(mn_dataset_class(dataset, mn_dataset_item(dataset, 3)->label), "cat");
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_IMAGE);
  frontend.size = 32;
  frontend.colour = MN_COLOUR_RGB;
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  mn_feed_config config = {.batch = 1};
  assert_ok(mn_feed_open(&feed, dataset, MN_SPLIT_TEST, 0, 1, &frontend, &config, &error), &error);
  int8_t input[3 * PLANE];
  assert_ok(mn_feed_input(feed, input, 0, 1.0f / 128, 0, &error), &error);
  for (int i = 0; i < 3 * PLANE; i++)
    assert_int_equal(input[i], batch[1 + i % 3 * PLANE + i / 3] - 128);
  mn_feed_close(feed);
  mn_dataset_close(dataset);
  batch[0] = 10;
  photo_write_text(photo_at(root, "c/data_batch_1.bin"), batch, RECORD);
  assert_refused(photo_at(root, "c"), "label 10");
  photo_write_text(photo_at(root, "c/data_batch_1.bin"), batch, RECORD - 1);
  assert_refused(photo_at(root, "c"), "a multiple of 3073");
  photo_write_text(photo_at(root, "c/data_batch_1.bin"), batch, 0);
  assert_refused(photo_at(root, "c"), "a multiple of 3073");
  batch[0] = 1;
  photo_write_text(photo_at(root, "c/data_batch_1.bin"), batch, RECORD);
  photo_write_text(photo_at(root, "c/batches.meta.txt"), "a\nb\na\n", 6);
  assert_refused(photo_at(root, "c"), "batches.meta.txt:3: found \"a\" again");
  free(batch);
}

/* Photo 1: a person of 0.4 %; 2: one of 0.6 % at the right edge; 3: a large dog. */
static void write_coco(const char *root, const char *split, int first) {
  char name[128], text[2000];
  for (int i = 1; i <= 3; i++) {
    snprintf(name, sizeof name, "coco/%s2014/COCO_%s_%03d.jpg", split, split, i);
    photo_write_jpeg(photo_at(root, name), 100, 50, 3, (uint64_t)(first + i));
  }
  int size = snprintf(
      text, sizeof text,
      "{\"info\": {}, \"images\": [{\"id\": 1, \"width\": 100, \"height\": 50, \"file_name\": "
      "\"COCO_%s_001.jpg\"}, {\"id\": 3, \"width\": 100, \"height\": 50, \"file_name\": "
      "\"COCO_%s_003.jpg\"}, {\"id\": 2, \"width\": 100, \"height\": 50, \"file_name\": "
      "\"COCO_%s_002.jpg\"}, {\"id\": 9, \"width\": 9, \"height\": 9, \"file_name\": \"no.jpg\"}],"
      "\"annotations\": [{\"image_id\": 1, \"category_id\": 4, \"bbox\": [2, 2, 5, 4]},"
      "{\"image_id\": 2, \"category_id\": 4, \"bbox\": [94, 10, 6, 5]},"
      "{\"image_id\": 3, \"category_id\": 7, \"bbox\": [0, 0, 90, 40]}],"
      "\"categories\": [{\"id\": 7, \"name\": \"dog\"}, {\"id\": 4, \"name\": \"person\"}]}",
      split, split, split);
  snprintf(name, sizeof name, "coco/annotations/instances_%s2014.json", split);
  photo_write_text(photo_at(root, name), text, (size_t)size);
}

/* Another square of the same photos is another data set. */
static void a_box_that_moves_should_change_the_hash(void **state) {
  (void)state;
  const char *root = test_folder(),
             *list = photo_at(root, "coco/annotations/instances_train2014.json");
  write_coco(root, "train", 0);
  mn_dataset *dataset = open_ok(photo_at(root, "coco"));
  const uint64_t before = mn_dataset_hash(dataset);
  mn_dataset_close(dataset);
  run("sed -i 's/94, 10, 6, 5/4, 10, 6, 5/' '%s'", list);
  dataset = open_ok(photo_at(root, "coco"));
  assert_int_equal(mn_dataset_items(dataset), 3);
  assert_true(mn_dataset_hash(dataset) != before);
  mn_dataset_close(dataset);
}

static void coco_should_label_by_half_a_percent_and_keep_the_person_in_the_square(void **state) {
  (void)state;
  const char *root = test_folder();
  write_coco(root, "train", 0);
  write_coco(root, "val", 10);
  run("cd '%s' && tar cf coco.tar coco", root);
  for (int form = 0; form < 2; form++) {
    mn_dataset *dataset = open_ok(photo_at(root, form == 0 ? "coco" : "coco.tar"));
    assert_int_equal(mn_dataset_items(dataset), 6);
    assert_int_equal(mn_dataset_task(dataset), MN_TASK_VWW);
    assert_string_equal(mn_dataset_class(dataset, 1), "person");
    for (int32_t i = 0; i < 6; i++) {
      const mn_item *item = mn_dataset_item(dataset, i);
      assert_int_equal(item->label, strstr(item->file, "_002.jpg") != NULL);
      assert_true((strstr(item->file, "val") != NULL) == (item->split == MN_SPLIT_TEST));
    }
    assert_string_equal(mn_dataset_problem(dataset, 0)->kind, "missing");
    int32_t width, height;
    mn_dataset_image_size(dataset, &width, &height);
    assert_int_equal(height, 50);
    mn_dataset_close(dataset);
  }
  photo_write_text(photo_at(root, "coco/annotations/instances_val2014.json"), "{\"images\": [}",
                   13);
  assert_refused(photo_at(root, "coco"), "instances_val2014.json:1:");
  photo_write_text(photo_at(root, "coco/annotations/instances_val2014.json"), "{}", 2);
  assert_refused(photo_at(root, "coco"), "category \"person\"");
  static const char no_box[] =
      "{\"images\": [{\"id\": 1, \"width\": 100, \"height\": 50, \"file_name\": \"COCO_val_001.jpg\"}],"
      "\"annotations\": [{\"image_id\": 1, \"category_id\": 4, \"bbox\": [null, 0, 10, 10]}],"
      "\"categories\": [{\"id\": 4, \"name\": \"person\"}]}";
  photo_write_text(photo_at(root, "coco/annotations/instances_val2014.json"), no_box,
                   sizeof no_box - 1);
  assert_refused(photo_at(root, "coco"), "found no box in annotation 0");
  static const struct {
    const char *image, *says;
  } images[] = {
      {"{\"id\": 1.5, \"width\": 9, \"height\": 9, \"file_name\": \"a.jpg\"}", "an integer \"id\""},
      {"{\"id\": 1, \"width\": 1e12, \"height\": 9, \"file_name\": \"a.jpg\"}", "of 1 to 16384"},
      {"{\"id\": 1, \"width\": 9, \"height\": 9, \"file_name\": \"COCO_val_001.jpg\"}, "
       "{\"id\": 1, \"width\": 9, \"height\": 9, \"file_name\": \"COCO_val_002.jpg\"}",
       "two images of id 1"},
      {"], \"categories\": [{\"id\": 4, \"name\": \"person\"}], \"info\": [", "no \"annotations\""},
  };
  for (size_t i = 0; i < MN_COUNT(images); i++) {
    char text[1000];
    int size = snprintf(text, sizeof text,
                        "{\"images\": [%s], \"%s\": [], \"categories\": [{\"id\": 4, \"name\": "
                        "\"person\"}]}",
                        images[i].image, i == 3 ? "more" : "annotations");
    photo_write_text(photo_at(root, "coco/annotations/instances_val2014.json"), text, (size_t)size);
    assert_refused(photo_at(root, "coco"), images[i].says);
  }
}

/* The same file name in both folders, told apart by file_name's folder, else by the annotation's split. */
static void coco_photos_of_one_name_should_be_told_apart_by_folder(void **state) {
  (void)state;
  const char *root = test_folder();
  const char *const splits[] = {"train", "val"};
  for (int form = 0; form < 2; form++) {
    for (int s = 0; s < 2; s++) {
      char name[128], text[1000];
      for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "c/%s2014/p%d.jpg", splits[s], i);
        photo_write_jpeg(photo_at(root, name), 40, 40, 3, (uint64_t)(10 * s + i));
      }
      int size = snprintf(text, sizeof text, "{\"images\": [");
      for (int i = 0; i < 4; i++)
        size += snprintf(
            text + size, sizeof text - (size_t)size,
            "%s{\"id\": %d, \"width\": 40, \"height\": 40, \"file_name\": \"%s%s%d.jpg\"}",
            i > 0 ? ", " : "", i, form == 0 ? splits[s] : "", form == 0 ? "2014/p" : "p", i);
      size += snprintf(
          text + size, sizeof text - (size_t)size,
          "], \"annotations\": [{\"image_id\": 0, \"category_id\": 1, \"bbox\": [0, 0, 9, 9]}], "
          "\"categories\": [{\"id\": 1, \"name\": \"person\"}]}");
      snprintf(name, sizeof name, "c/annotations/instances_%s2014.json", splits[s]);
      photo_write_text(photo_at(root, name), text, (size_t)size);
    }
    mn_dataset *dataset = open_ok(photo_at(root, "c"));
    assert_int_equal(mn_dataset_items(dataset), 8);
    assert_int_equal(mn_dataset_problems(dataset), 0); /* no file in two splits */
    for (int32_t i = 0; i < 8; i++) {
      const mn_item *item = mn_dataset_item(dataset, i);
      assert_true((strstr(item->file, "val2014/") != NULL) == (item->split == MN_SPLIT_TEST));
    }
    mn_dataset_close(dataset);
  }
  static const char wide[] =
      "{\"images\": [{\"id\": 1, \"width\": 400, \"height\": 40, \"file_name\": \"val2014/p0.jpg\"}],"
      "\"annotations\": [{\"image_id\": 1, \"category_id\": 4, \"bbox\": [300, 0, 40, 40]}], "
      "\"categories\": [{\"id\": 4, \"name\": \"person\"}]}";
  photo_write_text(photo_at(root, "c/annotations/instances_val2014.json"), wide, sizeof wide - 1);
  mn_dataset *lied = open_ok(photo_at(root, "c"));
  assert_int_equal(mn_dataset_items(lied), 4);
  assert_non_null(
      strstr(mn_dataset_problem(lied, 0)->text, "found 40 x 40 pixels; expected the size"));
  mn_dataset_close(lied);
  run("cd '%s/c' && mkdir -p a b && cp val2014/p0.jpg a/p9.jpg && cp val2014/p1.jpg b/p9.jpg",
      root);
  static const char twice[] =
      "{\"images\": [{\"id\": 1, \"width\": 40, \"height\": 40, \"file_name\": \"p9.jpg\"}],"
      "\"annotations\": [], \"categories\": [{\"id\": 4, \"name\": \"person\"}]}";
  photo_write_text(photo_at(root, "c/annotations/instances_val2014.json"), twice, sizeof twice - 1);
  assert_refused(photo_at(root, "c"), "several photos that may be \"p9.jpg\"");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(idx_files_should_be_read_packed_or_not_in_folders_and_archives),
      cmocka_unit_test(an_idx_file_beside_its_packed_form_should_be_read_once),
      cmocka_unit_test(broken_idx_files_should_be_refused_in_one_line),
      cmocka_unit_test(cifar_batches_should_be_planes_with_a_label_before),
      cmocka_unit_test(coco_photos_of_one_name_should_be_told_apart_by_folder),
      cmocka_unit_test(a_box_that_moves_should_change_the_hash),
      cmocka_unit_test(coco_should_label_by_half_a_percent_and_keep_the_person_in_the_square),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
