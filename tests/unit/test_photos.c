/* test_photos.c - data sets of photos: class folders in folders and archives, an audit that names what
 * is odd and never stumbles, feeds that repeat themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "photo_support.h"

static mn_dataset *open_ok(const char *path) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.path = path, .seed = 1};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  return dataset;
}

static void assert_problem(const mn_dataset *dataset, const char *file, const char *kind,
                           const char *says) {
  for (int32_t i = 0; i < mn_dataset_problems(dataset); i++) {
    const mn_problem *p = mn_dataset_problem(dataset, i);
    if (strcmp(p->kind, kind) == 0 && strstr(p->file, file) != NULL &&
        strstr(p->text, says) != NULL)
      return;
  }
  fail_msg("%s is not named as %s (%s)", file, kind, says);
}

/* Eight photos of two classes, PNG and JPEG, grey and RGB, under train/ and test/. */
static const char *two_classes(const char *root) {
  char name[64];
  for (int i = 0; i < 8; i++) {
    snprintf(name, sizeof name, "set/%s/%s/%d.%s", i < 6 ? "train" : "test",
             i % 2 ? "person" : "none", i, i % 3 ? "png" : "jpg");
    (i % 3 ? photo_write_png : photo_write_jpeg)(photo_at(root, name), 40 + i, 30, i % 4 ? 3 : 1,
                                                 (uint64_t)i + 1);
  }
  return photo_at(root, "set");
}

static void class_folders_should_open_alike_in_folder_and_archive(void **state) {
  (void)state;
  const char *root = test_folder();
  mn_dataset *plain = open_ok(two_classes(root));
  char line[1200], tar[512];
  snprintf(tar, sizeof tar, "%s/set.tar.xz", root);
  snprintf(line, sizeof line, "cd '%s' && tar cJf '%s' set", root, tar);
  assert_int_equal(system(line), 0);
  mn_dataset *packed = open_ok(tar);
  assert_int_equal(mn_dataset_items(plain), 8);
  assert_int_equal(mn_dataset_items(packed), 8);
  assert_int_equal(mn_dataset_task(plain), MN_TASK_VWW);
  int32_t width, height;
  mn_dataset_image_size(plain, &width, &height);
  assert_int_equal(height, 30);
  assert_int_equal(mn_dataset_sample_rate(plain), 0);
  for (int32_t i = 0; i < 8; i++)
    assert_int_equal(mn_dataset_item(plain, i)->label, mn_dataset_item(packed, i)->label);
  mn_dataset_close(plain);
  mn_dataset_close(packed);
}

static void cut_file(const char *path, long size) {
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_bytes bytes = test_read(arena, path);
  if (size < 0) size = (long)bytes.size + size;
  photo_write_text(path, bytes.data, (size_t)size);
  mn_arena_destroy(arena);
}

/* A PNG that says it has 100,000 x 100,000 pixels. */
static void write_huge(const char *path) {
  static const uint8_t head[] = {0x89, 'P',  'N', 'G', 13,  10, 26, 10,   0,    0,    0,
                                 13,   'I',  'H', 'D', 'R', 0,  1,  0x86, 0xa0, 0,    1,
                                 0x86, 0xa0, 8,   2,   0,   0,  0,  0x5e, 0x2b, 0x3e, 0x9d};
  photo_write_text(path, head, sizeof head);
}

static void what_is_odd_should_be_named_and_what_is_broken_left_out(void **state) {
  (void)state;
  const char *root = test_folder(), *set = two_classes(root);
  photo_write_png(photo_at(set, "train/none/tiny.png"), 9, 20, 3, 77);
  photo_write_text(photo_at(set, "train/none/empty.jpg"), "", 0);
  photo_write_text(photo_at(set, "train/none/text.jpg"), "no photo", 8);
  photo_write_text(photo_at(set, "train/none/old.bmp"), "BM......", 8);
  photo_write_jpeg(photo_at(set, "train/none/cut.jpg"), 64, 64, 3, 78);
  cut_file(photo_at(set, "train/none/cut.jpg"), -300);
  photo_write_png(photo_at(set, "train/none/cut.png"), 64, 64, 3, 79);
  cut_file(photo_at(set, "train/none/cut.png"), -300);
  write_huge(photo_at(set, "train/none/huge.png"));
  photo_write_jpeg(photo_at(set, "train/person/inks.jpg"), 32, 32, 4, 80);
  photo_write_png(photo_at(set, "train/person/copy.png"), 41, 30, 3, 2);
  photo_write_png(photo_at(set, "train/person/leak.png"), 47, 30, 3, 8);
  uint8_t flat[32 * 32];
  memset(flat, 90, sizeof flat);
  png_image image = {
      .version = PNG_IMAGE_VERSION, .width = 32, .height = 32, .format = PNG_FORMAT_GRAY};
  assert_int_equal(
      png_image_write_to_file(&image, photo_at(set, "train/none/flat.png"), 0, flat, 0, NULL), 1);
  photo_write_text(photo_at(set, "train/nothing/readme.md"), "x", 1);
  mn_dataset *dataset = open_ok(set);
  assert_problem(dataset, "tiny.png", "tiny", "9x20");
  assert_problem(dataset, "flat.png", "constant", "between 90 and 90");
  assert_problem(dataset, "empty.jpg", "unreadable", "0 bytes");
  assert_problem(dataset, "text.jpg", "unreadable", "expected JPEG or PNG");
  assert_problem(dataset, "old.bmp", "unreadable", "expected JPEG or PNG");
  assert_problem(dataset, "cut.jpg", "unreadable", "cannot be decoded");
  assert_problem(dataset, "cut.png", "unreadable", "cannot be decoded");
  assert_problem(dataset, "huge.png", "unreadable", "left out");
  assert_problem(dataset, "copy.png", "duplicate", "train/person/1.png");
  assert_problem(dataset, "train/person/leak.png", "leak", "test");
  assert_problem(dataset, "train/nothing", "empty_class", "no photo");
  assert_int_equal(mn_dataset_items(dataset), 8 + 5);
  mn_dataset_close(dataset);
}

static mn_feed *open_feed(const mn_dataset *dataset, const mn_frontend *frontend,
                          const mn_feed_config *config) {
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  assert_ok(mn_feed_open(&feed, dataset, MN_SPLIT_TRAIN, 0, 1, frontend, config, &error), &error);
  return feed;
}

static mn_frontend image_of(int32_t size, int32_t colour) {
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_IMAGE);
  frontend.size = size;
  frontend.colour = colour;
  mn_frontend_shape(&frontend);
  return frontend;
}

static void clean_features_should_be_the_bytes_of_the_board(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(two_classes(test_folder()));
  for (int32_t colour = MN_COLOUR_GREY; colour <= MN_COLOUR_RGB; colour++) {
    mn_frontend frontend = image_of(24, colour);
    mn_feed *feed = open_feed(dataset, &frontend, &(mn_feed_config){.batch = 6});
    int32_t values = 24 * 24 * frontend.channels;
    int8_t *input = malloc((size_t)values);
    mn_batch batch;
    mn_error error = {{0}};
    assert_ok(mn_feed_batch(feed, &batch, 0, 0, &error), &error);
    assert_int_equal(batch.items, 6);
    for (int32_t i = 0; i < batch.items; i++) {
      assert_ok(mn_feed_input(feed, input, i, 1.0f / 128, 0, &error), &error);
      for (int32_t k = 0; k < values; k++)
        assert_true(batch.x[i * values + k] * 128.0f == (float)input[k]);
    }
    free(input);
    mn_feed_close(feed);
  }
  mn_dataset_close(dataset);
}

static void draws_should_follow_from_seed_epoch_and_item_alone(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(two_classes(test_folder()));
  mn_frontend frontend = image_of(16, MN_COLOUR_RGB);
  mn_feed_config config = mn_feed_defaults(dataset);
  config.batch = 3;
  config.mixup = 0.2;
  config.cutmix = 0.5;
  config.crop_area = 0.5;
  mn_feed *feed = open_feed(dataset, &frontend, &config);
  int32_t values = 3 * 16 * 16 * 3;
  float *first = malloc(sizeof *first * (size_t)values);
  mn_batch batch;
  mn_error error = {{0}};
  assert_ok(mn_feed_batch(feed, &batch, 4, 1, &error), &error);
  memcpy(first, batch.x, sizeof *first * (size_t)values);
  for (int32_t i = 0; i < values; i++) assert_true(first[i] >= -1 && first[i] <= 1);
  for (int32_t i = 0; i < 3; i++) {
    float sum = batch.target[2 * i] + batch.target[2 * i + 1];
    assert_true(sum > 0.9999f && sum < 1.0001f);
  }
  assert_ok(mn_feed_batch(feed, &batch, 3, 0, &error), &error);
  assert_memory_not_equal(first, batch.x, sizeof *first * (size_t)values);
  assert_ok(mn_feed_batch(feed, &batch, 4, 1, &error), &error);
  assert_memory_equal(first, batch.x, sizeof *first * (size_t)values);
  free(first);
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

static void strength_should_scale_every_change(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(two_classes(test_folder()));
  mn_feed_config as_documented = mn_feed_defaults(dataset), config = as_documented;
  mn_feed_scale(&config, 1);
  assert_memory_equal(&config, &as_documented, sizeof config);
  mn_feed_scale(&config, 2);
  assert_true(config.flip_probability == 0.5 && config.brightness == 0.4);
  assert_true(config.pixel_shift == 0.25 && config.erase_probability == 0.4);
  config = as_documented;
  config.crop_area = 0.5;
  mn_feed_scale(&config, 0.5);
  assert_true(config.crop_area == 0.75 && config.flip_probability == 0.25);
  config = as_documented;
  mn_feed_scale(&config, 0);
  config.batch = 2;
  config.shuffle = false;
  mn_frontend frontend = image_of(16, MN_COLOUR_RGB);
  mn_feed *feed = open_feed(dataset, &frontend, &config);
  float first[2 * 16 * 16 * 3];
  mn_batch batch;
  mn_error error = {{0}};
  assert_ok(mn_feed_batch(feed, &batch, 0, 0, &error), &error);
  memcpy(first, batch.x, sizeof first);
  assert_ok(mn_feed_batch(feed, &batch, 1, 0, &error), &error);
  assert_memory_equal(first, batch.x, sizeof first); /* nothing is left to chance */
  mn_feed_close(feed);
  mn_dataset_close(dataset);
}

/* A grey ramp of 8 x 8 pixels, 8 or 16 bits a pixel. */
static const char *write_ramp(const char *root, int bits) {
  char name[32];
  snprintf(name, sizeof name, "ramp%d.png", bits);
  const char *path = photo_at(root, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  png_struct *png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_info *info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, 8, 8, bits, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (int y = 0; y < 8; y++) {
    uint8_t row[16];
    for (int x = 0; x < 8; x++)
      for (int b = 0; b < bits / 8; b++) row[x * bits / 8 + b] = (uint8_t)(30 * y + x);
    png_write_row(png, row);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  fclose(file);
  return path;
}

static void sixteen_bits_should_be_cut_to_eight(void **state) {
  (void)state;
  const char *root = test_folder();
  uint8_t eight[64], sixteen[64];
  mn_error error = {{0}};
  assert_ok(mn_image_read(eight, write_ramp(root, 8), 8, 1, &error), &error);
  assert_ok(mn_image_read(sixteen, write_ramp(root, 16), 8, 1, &error), &error);
  assert_int_equal(eight[63], 217);
  assert_memory_equal(eight, sixteen, sizeof eight);
}

static void sound_and_photos_should_not_be_mixed_up(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(two_classes(test_folder()));
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_MFCC);
  mn_feed *feed = NULL;
  mn_error error = {{0}};
  mn_feed_config config = {.batch = 2};
  assert_int_equal(mn_feed_open(&feed, dataset, MN_SPLIT_TRAIN, 0, 1, &frontend, &config, &error),
                   MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "holds photos"));
  mn_dataset_close(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(class_folders_should_open_alike_in_folder_and_archive),
      cmocka_unit_test(what_is_odd_should_be_named_and_what_is_broken_left_out),
      cmocka_unit_test(sixteen_bits_should_be_cut_to_eight),
      cmocka_unit_test(clean_features_should_be_the_bytes_of_the_board),
      cmocka_unit_test(draws_should_follow_from_seed_epoch_and_item_alone),
      cmocka_unit_test(strength_should_scale_every_change),
      cmocka_unit_test(sound_and_photos_should_not_be_mixed_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
