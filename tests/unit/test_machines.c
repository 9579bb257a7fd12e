/* test_machines.c - data sets of anomaly detection: names, labels, splits and windows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sndfile.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "micronets/data.h"
#include "support.h"

static void write_clip(const char *folder, const char *name, int channels, int frames) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  *strrchr(path, '/') = '\0';
  mn_error error = {{0}};
  assert_ok(mn_folder_make(path, &error), &error);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  SF_INFO info = {
      .samplerate = 1000, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  assert_non_null(file);
  mn_rng rng = mn_rng_seed(mn_hash64(0, name, strlen(name)));
  for (int i = 0; i < frames; i++) {
    short frame[8];
    for (int c = 0; c < channels; c++)
      frame[c] = (short)((int)mn_rng_below(&rng, 100) + 100 * c + 1000 * (i / 100));
    assert_int_equal(sf_writef_short(file, frame, 1), 1);
  }
  sf_close(file);
}

static mn_dataset *open_ok(const char *path) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.path = path, .seed = 1};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  assert_int_equal(mn_dataset_task(dataset), MN_TASK_AD);
  return dataset;
}

static const mn_item *item_of(const mn_dataset *dataset, const char *file) {
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++)
    if (strcmp(mn_dataset_item(dataset, i)->file, file) == 0) return mn_dataset_item(dataset, i);
  fail_msg("no item %s", file);
  return NULL;
}

static void dcase_names_should_tell_machine_label_and_split(void **state) {
  (void)state;
  const char *root = test_folder();
  write_clip(root, "train/normal_id_00_00000000.wav", 1, 500);
  write_clip(root, "train/normal_id_00_00000001.wav", 1, 501);
  write_clip(root, "train/normal_id_02_00000000.wav", 1, 502);
  write_clip(root, "train/anomaly_id_02_00000007.wav", 1, 503);
  write_clip(root, "test/normal_id_02_00000001.wav", 1, 504);
  write_clip(root, "test/anomaly_id_04_00000000.wav", 1, 505);
  mn_dataset *dataset = open_ok(root);
  assert_int_equal(mn_dataset_classes(dataset), 2);
  assert_string_equal(mn_dataset_class(dataset, 1), "id_02");
  const mn_item *anomaly = item_of(dataset, "test/anomaly_id_04_00000000.wav");
  assert_true(anomaly->anomalous);
  assert_string_equal(anomaly->identity, "id_04");
  assert_int_equal(anomaly->label, -1);
  assert_int_equal(anomaly->split, MN_SPLIT_TEST);
  const mn_item *moved = item_of(dataset, "train/anomaly_id_02_00000007.wav");
  assert_int_equal(moved->split, MN_SPLIT_TEST);
  assert_string_equal(mn_dataset_problem(dataset, 0)->kind, "anomaly_in_training");
  assert_false(item_of(dataset, "test/normal_id_02_00000001.wav")->anomalous);
  mn_dataset_close(dataset);
}

static void label_folders_should_leave_the_state_to_the_name(void **state) {
  (void)state;
  static const char *const files[] = {"train/normal/fan_low-0000.wav",
                                      "train/normal/fan_low-moving-0001.wav",
                                      "val/normal/fan_low-0002.wav", "test/normal/fan_low-0003.wav",
                                      "test/anomaly/fan_low-0004.wav"};
  const char *root = test_folder();
  for (size_t i = 0; i < MN_COUNT(files); i++) write_clip(root, files[i], 3, 400 + (int)i);
  mn_dataset *dataset = open_ok(root);
  assert_int_equal(mn_dataset_classes(dataset), 2);
  assert_string_equal(mn_dataset_class(dataset, 0), "fan_low");
  assert_string_equal(mn_dataset_class(dataset, 1), "fan_low-moving");
  assert_true(item_of(dataset, files[4])->anomalous);
  assert_int_equal(item_of(dataset, files[2])->split, MN_SPLIT_VAL);
  assert_int_equal(mn_dataset_problems(dataset), 0); /* axes are no stereo */
  mn_dataset_close(dataset);
}

static void a_manifest_should_name_the_machine_where_names_do_not(void **state) {
  (void)state;
  const char *root = test_folder();
  char path[512];
  static const char text[] =
      "path,split,label,machine,group\n"
      "train/normal/a.wav,train,normal,press,one\n"
      "train/normal/b.wav,train,normal,press,two\n"
      "test/anomaly/c.wav,test,anomaly,press,two\n";
  write_clip(root, "train/normal/a.wav", 1, 300);
  write_clip(root, "train/normal/b.wav", 1, 301);
  write_clip(root, "test/anomaly/c.wav", 1, 302);
  snprintf(path, sizeof path, "%s/manifest.csv", root);
  mn_error error = {{0}};
  assert_ok(mn_file_write(path, text, sizeof text - 1, &error), &error);
  mn_dataset *dataset = open_ok(root);
  assert_int_equal(mn_dataset_classes(dataset), 2); /* group tells more than machine */
  assert_string_equal(item_of(dataset, "test/anomaly/c.wav")->identity, "two");
  mn_dataset_close(dataset);
}

static void write_text(const char *folder, const char *name, const char *text);

static void a_manifest_should_be_read_however_it_is_written_and_what_it_lacks_be_named(
    void **state) {
  (void)state;
  static const struct {
    const char *text, *machine, *says; /* of b.wav; of the first problem, or NULL */
  } cases[] = {
      {"path,machine\n\"train/normal/a.wav\",\"saw, big\"\ntrain/normal/b.wav,press\n", "press",
       NULL},
      {"\xef\xbb\xbf"
       "file;machine\r\n./train/normal/a.wav; saw\r\n./train/normal/b.wav ; press \r\n\r\n",
       "press", NULL},
      {"path,machine\ntrain/normal/a.wav,saw\n", "b",
       "1 recordings have no row, train/normal/b.wav"},
      {"path,machine\ntrain/normal/a.wav,saw\ntrain/normal/b.wav,press\nc.wav,press\n", "press",
       "1 rows name no recording, c.wav first"},
      {"name,machine\ntrain/normal/a.wav,saw\n", "b", "names no columns path (or file)"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    const char *root = test_folder();
    write_clip(root, "train/normal/a.wav", 1, 300);
    write_clip(root, "train/normal/b.wav", 1, 301);
    write_text(root, "manifest.csv", cases[i].text);
    mn_dataset *dataset = open_ok(root);
    assert_string_equal(item_of(dataset, "train/normal/b.wav")->identity, cases[i].machine);
    assert_int_equal(mn_dataset_problems(dataset), cases[i].says != NULL);
    if (cases[i].says != NULL) {
      const mn_problem *problem = mn_dataset_problem(dataset, 0);
      assert_string_equal(problem->kind, "manifest");
      if (strstr(problem->text, cases[i].says) == NULL) fail_msg("case %zu: %s", i, problem->text);
    }
    mn_dataset_close(dataset);
  }
}

static void write_text(const char *folder, const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  *strrchr(path, '/') = '\0';
  mn_error error = {{0}};
  assert_ok(mn_folder_make(path, &error), &error);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_ok(mn_file_write(path, text, strlen(text), &error), &error);
}

static void tables_of_a_sensor_should_be_recordings_with_a_rate(void **state) {
  (void)state;
  const char *root = test_folder();
  char text[16000] = "time_ms,x,y\n";
  for (int i = 0; i < 300; i++)
    sprintf(text + strlen(text), "%d, %.3f,%.3f\r\n", 5 * i, i / 1000.0, -1.0);
  write_text(root, "train/normal/fan-0001.csv", text);
  write_text(root, "test/anomaly/fan-0002.csv", "# rate 200Hz\n# scale 100\n1;2\n3;4\n");
  write_text(root, "manifest.csv", "path,label\n");
  mn_dataset *dataset = open_ok(root);
  assert_int_equal(mn_dataset_items(dataset), 2);
  const mn_item *item = item_of(dataset, "train/normal/fan-0001.csv");
  assert_true(item->seconds == 1.5);
  assert_int_equal(mn_dataset_sample_rate(dataset), 200);
  const mn_window_size size = {.rate_hz = 200, .channels = 2, .samples = 100, .stride = 100};
  int16_t pcm[200];
  mn_error error = {{0}};
  int32_t index = mn_dataset_item(dataset, 0) == item ? 0 : 1;
  assert_ok(mn_dataset_window(dataset, pcm, index, &size, 1, &error), &error);
  assert_int_equal(pcm[0], 819); /* 0.1 x 8192 */
  assert_int_equal(pcm[1], -8192);
  assert_ok(mn_dataset_window(dataset, pcm, 1 - index, &size, 0, &error), &error);
  assert_int_equal(pcm[2 * 49], 100);
  assert_int_equal(pcm[2 * 50 + 1], 400);
  mn_dataset_close(dataset);
}

static void a_recording_that_was_cut_off_should_be_left_out_and_refused(void **state) {
  (void)state;
  const char *root = test_folder();
  char path[512];
  write_clip(root, "train/normal/a.wav", 1, 300);
  write_clip(root, "train/normal/b.wav", 1, 301);
  snprintf(path, sizeof path, "%s/train/normal/b.wav", root);
  assert_int_equal(truncate(path, 44 + 2 * 100), 0);
  mn_dataset *dataset = open_ok(root);
  assert_int_equal(mn_dataset_items(dataset), 1);
  const mn_problem *problem = mn_dataset_problem(dataset, 0);
  assert_string_equal(problem->kind, "unreadable");
  assert_non_null(strstr(problem->text, "is cut off"));
  int16_t pcm[100];
  mn_error error = {{0}};
  assert_int_equal(mn_audio_read(pcm, path, 1000, 100, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "b.wav: is cut off, 402 bytes"));
  mn_dataset_close(dataset);
}

static void a_damaged_table_should_be_named_by_line_and_left_out(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {{"x,y,time\n1,2\n", "line 2: found \"1\"; expected as many columns"},
               {"x,y\n1,2\n1\n", "line 3: found \"1\"; expected as many columns"},
               {"x\n1\n2\n", "found no rate"},
               {"# rate -3\n1\n", "expected a positive number"},
               {"# rate 5 rpm\n1\n", "expected Hz or kHz"},
               {"# rate 10\n0,1;0,2\n", "found \"0,1\"; expected a number"},
               {"t;x\n0;1\n1;1\n0;1\n", "line 4: found \"0\"; expected a time not before"},
               {"t,x\n0,1\n1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n99,1\n", "line 9: found a pause of 93 s"},
               {"# rate 10\n1,2\n3,a\n", "found \"a\"; expected a number"},
               {"# rate 10\n", "holds no samples"}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    const char *root = test_folder();
    write_text(root, "train/normal/good-0001.csv", "# rate 10\n1\n2\n");
    write_text(root, "train/normal/bad-0001.csv", cases[i].text);
    mn_dataset *dataset = open_ok(root);
    assert_int_equal(mn_dataset_items(dataset), 1);
    const mn_problem *problem = mn_dataset_problem(dataset, 0);
    assert_string_equal(problem->kind, "unreadable");
    if (strstr(problem->text, cases[i].says) == NULL) fail_msg("case %zu: %s", i, problem->text);
    mn_dataset_close(dataset);
  }
}

static void windows_should_follow_each_other_by_the_stride_with_all_axes(void **state) {
  (void)state;
  const char *root = test_folder();
  write_clip(root, "train/normal/m-0001.wav", 2, 1000);
  write_clip(root, "val/normal/m-0002.wav", 2, 150);
  mn_dataset *dataset = open_ok(root);
  mn_frontend frontend = mn_frontend_defaults(MN_FRONTEND_SPECTRUM);
  frontend.rate_hz = 1000;
  frontend.window_us = 100000;
  frontend.step_us = 100000;
  frontend.frames = 3;
  frontend.every = 2;
  frontend.channel_count = 2;
  mn_window_size size = mn_window_size_of(&frontend);
  assert_int_equal(size.samples, 300);
  assert_int_equal(size.stride, 200);
  assert_int_equal(mn_window_count(&size, 1.0), 4);
  assert_int_equal(mn_window_count(&size, 0.15), 1);
  int16_t pcm[300 * 2];
  mn_error error = {{0}};
  for (int32_t w = 0; w < 4; w++) {
    assert_ok(mn_dataset_window(dataset, pcm, 0, &size, w, &error), &error);
    assert_in_range(pcm[0], 2000 * w, 2000 * w + 99);
    assert_in_range(pcm[1], 2000 * w + 100, 2000 * w + 199);
  }
  assert_ok(mn_dataset_window(dataset, pcm, 1, &size, 0, &error), &error); /* centred */
  assert_int_equal(pcm[2 * 74], 0);
  assert_in_range(pcm[2 * 75 + 1], 100, 199);
  size.channels = 3;
  assert_int_equal(mn_dataset_window(dataset, pcm, 0, &size, 0, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "found 2 channels; the front end expects 3"));
  mn_dataset_close(dataset);
}

static void few_normal_recordings_should_be_in_every_split_beside_their_anomalies(void **state) {
  (void)state;
  const char *root = test_folder();
  char name[64];
  for (int i = 0; i < 5; i++) {
    snprintf(name, sizeof name, "normal/fan_%s-%04d.wav", i < 3 ? "low" : "high", i);
    write_clip(root, name, 1, 500 + i);
    snprintf(name, sizeof name, "anomaly/fan_low-%04d.wav", 10 + i);
    write_clip(root, name, 1, 600 + i);
  }
  mn_dataset *dataset = open_ok(root);
  int normal[MN_SPLIT_COUNT] = {0};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    if (item->anomalous)
      assert_int_equal(item->split, MN_SPLIT_TEST);
    else
      normal[item->split]++;
  }
  assert_true(normal[MN_SPLIT_TRAIN] > 0 && normal[MN_SPLIT_VAL] > 0 && normal[MN_SPLIT_TEST] > 0);
  assert_int_equal(normal[MN_SPLIT_TRAIN] + normal[MN_SPLIT_VAL] + normal[MN_SPLIT_TEST], 5);
  mn_dataset_close(dataset);
}

/* By a data set and by a listener, which reads the table once. */
static void windows_of_a_table_should_be_those_of_its_samples(void **state) {
  (void)state;
  const char *root = test_folder();
  char path[512], text[4096];
  int size = snprintf(text, sizeof text, "# rate 100Hz\n# scale 1\n");
  for (int i = 0; i < 90; i++)
    size += snprintf(text + size, sizeof text - (size_t)size, "%d,%d\n", i, 1000 + i);
  mn_error error = {{0}};
  snprintf(path, sizeof path, "%s/train/normal", root);
  assert_ok(mn_folder_make(path, &error), &error);
  snprintf(path, sizeof path, "%s/train/normal/m-0001.csv", root);
  assert_ok(mn_file_write(path, text, (size_t)size, &error), &error);
  const mn_window_size window = {.rate_hz = 100, .channels = 2, .samples = 30, .stride = 20};
  mn_dataset *dataset = open_ok(root);
  mn_listening *listening = NULL;
  assert_ok(mn_listening_open(&listening, path, &window, &error), &error);
  assert_int_equal(mn_listening_windows(listening), 4);
  for (int32_t w = 0; w < 4; w++) {
    int16_t pcm[2][60];
    assert_ok(mn_dataset_window(dataset, pcm[0], 0, &window, w, &error), &error);
    assert_ok(mn_listening_window(listening, pcm[1], w, &error), &error);
    assert_memory_equal(pcm[0], pcm[1], sizeof pcm[0]);
    for (int i = 0; i < 30; i++) {
      assert_int_equal(pcm[0][2 * i], 20 * w + i);
      assert_int_equal(pcm[0][2 * i + 1], 1000 + 20 * w + i);
    }
  }
  mn_listening_close(listening);
  mn_dataset_close(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dcase_names_should_tell_machine_label_and_split),
      cmocka_unit_test(label_folders_should_leave_the_state_to_the_name),
      cmocka_unit_test(a_manifest_should_name_the_machine_where_names_do_not),
      cmocka_unit_test(a_manifest_should_be_read_however_it_is_written_and_what_it_lacks_be_named),
      cmocka_unit_test(a_recording_that_was_cut_off_should_be_left_out_and_refused),
      cmocka_unit_test(tables_of_a_sensor_should_be_recordings_with_a_rate),
      cmocka_unit_test(a_damaged_table_should_be_named_by_line_and_left_out),
      cmocka_unit_test(few_normal_recordings_should_be_in_every_split_beside_their_anomalies),
      cmocka_unit_test(windows_of_a_table_should_be_those_of_its_samples),
      cmocka_unit_test(windows_should_follow_each_other_by_the_stride_with_all_axes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
