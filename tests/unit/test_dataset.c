/* test_dataset.c - data sets of every layout, in folders and archives made here; splits, labels,
 * silence, and an audit that names what is odd and never stumbles.
 * SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "micronets/data.h"
#include "support.h"

static const char *at(const char *folder, const char *name) {
  static char text[16][512];
  static int next;
  char *to = text[next++ & 15];
  snprintf(to, sizeof text[0], "%s/%s", folder, name);
  return to;
}

static void make_folder_of(const char *path) {
  char folder[512];
  snprintf(folder, sizeof folder, "%s", path);
  *strrchr(folder, '/') = '\0';
  mn_error error = {{0}};
  assert_ok(mn_folder_make(folder, &error), &error);
}

/* A tone with its own noise: content follows from `seed`. */
static void write_sound(const char *path, int format, int rate, int channels, int frames,
                        double loudness, uint64_t seed) {
  make_folder_of(path);
  SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  if (file == NULL) fail_msg("%s: %s", path, sf_strerror(NULL));
  mn_rng rng = mn_rng_seed(seed);
  float *frame = calloc((size_t)channels * (size_t)frames + 1, sizeof *frame);
  for (int i = 0; i < frames; i++) {
    double tone = loudness * (0.7 * sin(i * 6.28318 * (300 + 10.0 * (double)(seed % 50)) / rate) +
                              0.1 * mn_rng_normal(&rng));
    for (int c = 0; c < channels; c++) frame[i * channels + c] = (float)fmax(-1, fmin(1, tone));
  }
  assert_int_equal(sf_writef_float(file, frame, frames), frames);
  sf_close(file);
  free(frame);
}

static void write_wav(const char *path, uint64_t seed) {
  write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 16000, 0.5, seed);
}

static void write_text(const char *path, const char *text) {
  make_folder_of(path);
  mn_error error = {{0}};
  assert_ok(mn_file_write(path, text, strlen(text), &error), &error);
}

static mn_status open_with(mn_dataset **dataset, mn_data_config config, mn_error *error) {
  config.seed = 1;
  return mn_dataset_open(dataset, &config, error);
}

static mn_dataset *open_ok(const char *path, const char *classes) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.path = path, .classes = classes, .seed = 1};
  assert_ok(mn_dataset_open(&dataset, &config, &error), &error);
  return dataset;
}

static void assert_refused(const char *path, const char *classes, mn_status expected,
                           const char *says) {
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_status status =
      open_with(&dataset, (mn_data_config){.path = path, .classes = classes}, &error);
  if (status != expected || strstr(error.text, says) == NULL)
    fail_msg("status %d, \"%s\"; expected %d and \"%s\"", status, error.text, expected, says);
  assert_null(dataset);
}

static int32_t count_items(const mn_dataset *dataset, const char *label, mn_split split) {
  int32_t count = 0;
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    count += item->split == split && strcmp(mn_dataset_class(dataset, item->label), label) == 0;
  }
  return count;
}

static const mn_problem *find_problem(const mn_dataset *dataset, const char *file,
                                      const char *kind) {
  for (int32_t i = 0; i < mn_dataset_problems(dataset); i++) {
    const mn_problem *problem = mn_dataset_problem(dataset, i);
    if (strcmp(problem->kind, kind) == 0 && strstr(problem->file, file) != NULL) return problem;
  }
  return NULL;
}

static void assert_problem(const mn_dataset *dataset, const char *file, const char *kind,
                           const char *says) {
  const mn_problem *problem = find_problem(dataset, file, kind);
  if (problem == NULL) fail_msg("%s is not named as %s", file, kind);
  if (strstr(problem->text, says) == NULL)
    fail_msg("%s: %s: \"%s\", expected \"%s\"", file, kind, problem->text, says);
}

/* Two words, three speakers each, and noise, as Speech Commands lays them out. */
static const char *speech_commands(const char *root) {
  static const char *const words[] = {"yes", "no", "cat", "zoom in"};
  for (size_t w = 0; w < MN_COUNT(words); w++) {
    for (int s = 0; s < 12; s++) {
      char name[128];
      snprintf(name, sizeof name, "set/%s/speaker%02d_nohash_0.wav", words[w], s);
      write_wav(at(root, name), (uint64_t)(w * 100 + (size_t)s));
    }
  }
  write_sound(at(root, "set/_background_noise_/tap.wav"), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000,
              1, 16000 * 40, 0.2, 999);
  write_text(at(root, "set/validation_list.txt"),
             "yes/speaker00_nohash_0.wav\r\nno/speaker00_nohash_0.wav\n"
             "cat/speaker00_nohash_0.wav\nzoom in/speaker00_nohash_0.wav\n");
  write_text(at(root, "set/testing_list.txt"),
             "yes/speaker01_nohash_0.wav\nno/speaker01_nohash_0.wav\n"
             "cat/speaker01_nohash_0.wav\nzoom in/speaker01_nohash_0.wav");
  static char set[512];
  snprintf(set, sizeof set, "%s/set", root);
  return set;
}

static void pack(const char *archive_path, const char *root, const char *command) {
  char line[1400];
  snprintf(line, sizeof line, "cd '%s' && %s '%s' set", root, command, archive_path);
  assert_int_equal(system(line), 0);
}

/* The zip that libarchive writes itself: no zip program is needed. */
static void pack_zip(const char *archive_path, const char *root, const mn_dataset *listing) {
  struct archive *file = archive_write_new();
  archive_write_set_format_zip(file);
  assert_int_equal(archive_write_open_filename(file, archive_path), ARCHIVE_OK);
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  for (int32_t i = 0; i < mn_dataset_items(listing) + 2; i++) {
    const char *name = i < mn_dataset_items(listing)    ? mn_dataset_item(listing, i)->file
                       : i == mn_dataset_items(listing) ? "validation_list.txt"
                                                        : "testing_list.txt";
    mn_bytes bytes = test_read(arena, at(root, name));
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)bytes.size);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(file, entry);
    archive_write_data(file, bytes.data, bytes.size);
    archive_entry_free(entry);
  }
  archive_write_free(file);
  mn_arena_destroy(arena);
}

static void lists_should_decide_the_split_and_noise_should_become_silence(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(speech_commands(test_folder()), "yes,no");
  assert_int_equal(mn_dataset_classes(dataset), 4);
  assert_string_equal(mn_dataset_class(dataset, 0), "yes");
  assert_string_equal(mn_dataset_class(dataset, 1), "no");
  assert_string_equal(mn_dataset_class(dataset, 2), "unknown");
  assert_string_equal(mn_dataset_class(dataset, 3), "silence");
  assert_int_equal(count_items(dataset, "yes", MN_SPLIT_TRAIN), 10);
  assert_int_equal(count_items(dataset, "yes", MN_SPLIT_VAL), 1);
  assert_int_equal(count_items(dataset, "unknown", MN_SPLIT_TEST), 2);
  assert_int_equal(count_items(dataset, "silence", MN_SPLIT_TRAIN), 4); /* 40 / 9 */
  assert_int_equal(mn_dataset_sample_rate(dataset), 16000);
  assert_int_equal(mn_dataset_problems(dataset), 0);
  mn_dataset_close(dataset);
}

static void without_classes_every_folder_should_be_one(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(speech_commands(test_folder()), NULL);
  assert_int_equal(mn_dataset_classes(dataset), 4);
  assert_string_equal(mn_dataset_class(dataset, 0), "cat");
  assert_string_equal(mn_dataset_class(dataset, 3), "zoom in");
  assert_int_equal(mn_dataset_items(dataset), 48);
  mn_dataset_close(dataset);
}

static void archives_should_hold_what_the_folder_holds(void **state) {
  (void)state;
  const char *root = test_folder(), *folder = speech_commands(root);
  mn_dataset *plain = open_ok(folder, NULL);
  static const char *const commands[] = {"tar cf", "tar czf", "tar cJf"};
  char archive[512];
  for (size_t i = 0; i <= MN_COUNT(commands); i++) {
    snprintf(archive, sizeof archive, "%s/packed%zu", root, i);
    if (i < MN_COUNT(commands))
      pack(archive, root, commands[i]);
    else
      pack_zip(archive, folder, plain);
    mn_dataset *packed = open_ok(archive, NULL);
    assert_int_equal(mn_dataset_items(packed), mn_dataset_items(plain));
    for (int32_t k = 0; k < mn_dataset_items(plain); k++) {
      const mn_item *a = mn_dataset_item(plain, k), *b = mn_dataset_item(packed, k);
      int16_t x[16000], y[16000];
      mn_error error = {{0}};
      assert_non_null(strstr(b->file, a->file));
      assert_int_equal(a->label, b->label);
      assert_int_equal(a->split, b->split);
      if (k % 16 != 0) continue;
      assert_ok(mn_dataset_clip(plain, x, k, 16000, 16000, &error), &error);
      assert_ok(mn_dataset_clip(packed, y, k, 16000, 16000, &error), &error);
      assert_memory_equal(x, y, sizeof x);
    }
    mn_dataset_close(packed);
  }
  mn_dataset_close(plain);
}

static void split_folders_should_be_kept_and_a_missing_val_taken_from_train(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 60; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s/clip%02d.wav", i % 3 == 0 ? "test" : "train",
             i % 2 == 0 ? "a" : "b", i);
    write_wav(at(root, name), (uint64_t)i);
  }
  mn_dataset *dataset = open_ok(root, NULL);
  int32_t items[MN_SPLIT_COUNT] = {0};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    items[item->split]++;
    assert_int_equal(item->split == MN_SPLIT_TEST, strncmp(item->file, "test/", 5) == 0);
  }
  assert_int_equal(items[MN_SPLIT_TEST], 20);
  assert_in_range(items[MN_SPLIT_VAL], 1, 12);
  mn_dataset_close(dataset);
}

static void speakers_should_stay_in_one_split_where_names_tell(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 120; i++) {
    char name[128];
    snprintf(name, sizeof name, "%d/%d_person%d_%d.wav", i % 2, i % 2, i / 4, i);
    write_sound(at(root, name), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 2000, 0.4, (uint64_t)i);
  }
  mn_dataset *dataset = open_ok(root, NULL);
  int32_t items[MN_SPLIT_COUNT] = {0};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    assert_non_null(item->speaker);
    items[item->split]++;
    for (int32_t k = 0; k < i; k++) {
      const mn_item *other = mn_dataset_item(dataset, k);
      if (strcmp(item->speaker, other->speaker) == 0) assert_int_equal(item->split, other->split);
    }
  }
  for (int s = 0; s < MN_SPLIT_COUNT; s++) assert_true(items[s] > 0);
  assert_true(items[MN_SPLIT_TRAIN] > 70);
  assert_int_equal(mn_dataset_problems(dataset), 0);
  mn_dataset_close(dataset);
}

static void few_files_should_still_fill_every_split(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 5; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/clip%d.wav", i % 2 == 0 ? "a" : "b", i);
    write_wav(at(root, name), (uint64_t)i);
  }
  mn_dataset *dataset = open_ok(root, NULL);
  int32_t items[MN_SPLIT_COUNT] = {0};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++)
    items[mn_dataset_item(dataset, i)->split]++;
  assert_int_equal(items[MN_SPLIT_TRAIN], 3);
  assert_int_equal(items[MN_SPLIT_VAL], 1);
  assert_int_equal(items[MN_SPLIT_TEST], 1);
  mn_dataset_close(dataset);
}

static void the_audit_should_name_everything_odd(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 20; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/p%d_nohash_0.wav", i % 2 == 0 ? "a" : "b", i);
    write_wav(at(root, name), (uint64_t)i);
  }
  const int pcm = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  write_wav(at(root, "a/twin_nohash_0.wav"), 77);
  write_wav(at(root, "b/twin_nohash_1.wav"), 77);
  write_sound(at(root, "a/still_nohash_0.wav"), pcm, 16000, 1, 16000, 0, 1);
  write_sound(at(root, "a/loud_nohash_0.wav"), pcm, 16000, 1, 16000, 9, 2);
  write_sound(at(root, "a/blip_nohash_0.wav"), pcm, 16000, 1, 400, 0.5, 3);
  write_sound(at(root, "a/none_nohash_0.wav"), pcm, 16000, 1, 0, 0.5, 3);
  write_sound(at(root, "b/album_nohash_0.wav"), SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1,
              8000 * 90, 0.5, 4);
  write_sound(at(root, "a/wide_nohash_0.wav"), pcm, 16000, 2, 16000, 0.5, 5);
  write_sound(at(root, "b/wide_nohash_0.wav"), pcm, 16000, 2, 16000, 0.5, 6);
  write_text(at(root, "a/empty_nohash_0.wav"), "");
  write_text(at(root, "a/text_nohash_0.wav"), "this is no sound at all, whatever its name says");
  write_wav(at(root, "a/cut_nohash_0.wav"), 90);
  assert_int_equal(truncate(at(root, "a/cut_nohash_0.wav"), 30), 0);
  write_wav(at(root, "stray.wav"), 91);
  make_folder_of(at(root, "nobody/x"));
  mn_dataset *dataset = open_ok(root, NULL);
  assert_int_equal(mn_dataset_classes(dataset), 2);
  assert_problem(dataset, "still", "silent", "0 of 32767");
  assert_problem(dataset, "loud", "clipped", "full scale");
  assert_problem(dataset, "blip", "short", "0.025 s");
  assert_problem(dataset, "album", "long", "90 s");
  assert_problem(dataset, "empty", "unreadable", "0 bytes");
  assert_problem(dataset, "none", "unreadable", "left out");
  assert_problem(dataset, "text", "unreadable", "cannot be decoded");
  assert_problem(dataset, "cut", "unreadable", "left out");
  assert_problem(dataset, "stray", "no_class", "no class folder");
  assert_problem(dataset, "nobody", "empty_class", "no recording");
  assert_problem(dataset, "b/twin", "duplicate", "a/twin");
  assert_problem(dataset, "b/album", "rate", "1 recordings of another rate");
  assert_problem(dataset, "a/wide", "stereo", "2 recordings of more than one channel");
  assert_int_equal(mn_dataset_problems(dataset), 13);
  assert_int_equal(mn_dataset_items(dataset), 20 + 2 + 4 + 2);
  mn_dataset_close(dataset);
}

static void what_lies_in_two_splits_should_be_named_a_leak(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 8; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/%s/v%d_nohash_0.wav",
             i < 4   ? "train"
             : i < 6 ? "val"
                     : "test",
             i % 2 == 0 ? "a" : "b", i);
    write_wav(at(root, name), (uint64_t)i);
  }
  write_wav(at(root, "train/a/me_nohash_0.wav"), 50);
  write_wav(at(root, "test/a/me_nohash_1.wav"), 51);
  write_wav(at(root, "val/b/other_nohash_1.wav"), 50);
  mn_dataset *dataset = open_ok(root, NULL);
  assert_problem(dataset, "train/a/me", "leak", "speaker me is in split");
  assert_problem(dataset, "val/b/other", "leak", "the same recording as train/a/me");
  assert_int_equal(mn_dataset_problems(dataset), 2);
  mn_dataset_close(dataset);
}

/* The tone's share of the energy of a clip. */
static double tone_share(const int16_t *pcm, int32_t samples, double hz, double rate) {
  double re = 0, im = 0, all = 1e-9;
  for (int32_t i = 0; i < samples; i++) {
    re += pcm[i] * cos(i * 6.28318 * hz / rate);
    im += pcm[i] * sin(i * 6.28318 * hz / rate);
    all += (double)pcm[i] * pcm[i];
  }
  return (re * re + im * im) * 2 / samples / all;
}

static void any_rate_width_and_length_should_become_the_clip_that_is_asked_for(void **state) {
  (void)state;
  const char *root = test_folder();
  static const struct {
    const char *name;
    int format, rate, channels, frames;
  } cases[] = {{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 16000},
               {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 2, 44100},
               {"c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 8000, 3, 30000},
               {"d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 22050, 1, 60000},
               {"e.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, 48000},
               {"f.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 16000, 1, 4000}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    int16_t pcm[16000];
    mn_error error = {{0}};
    write_sound(at(root, cases[i].name), cases[i].format, cases[i].rate, cases[i].channels,
                cases[i].frames, 0.5, 20);
    assert_ok(mn_audio_read(pcm, at(root, cases[i].name), 16000, 16000, &error), &error);
    int32_t length = (int32_t)((int64_t)cases[i].frames * 16000 / cases[i].rate);
    int32_t first = length < 16000 ? (16000 - length) / 2 : 0,
            used = length < 16000 ? length : 16000;
    double share = tone_share(pcm + first, used, 500, 16000); /* 300 + 10 x 20 Hz */
    if (share < 0.9) fail_msg("%s: %.2f of its energy is the tone", cases[i].name, share);
    for (int32_t k = 0; k < first - 2; k++) assert_int_equal(pcm[k], 0);
  }
}

static void an_exact_wav_should_keep_its_samples(void **state) {
  (void)state;
  const char *path = at(test_folder(), "x.wav");
  SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  int16_t pcm[16000], back[16000];
  for (int i = 0; i < 16000; i++) pcm[i] = (int16_t)(i * 4 - 32000);
  pcm[0] = INT16_MIN;
  pcm[1] = INT16_MAX;
  sf_write_short(file, pcm, 16000);
  sf_close(file);
  mn_error error = {{0}};
  assert_ok(mn_audio_read(back, path, 16000, 16000, &error), &error);
  assert_memory_equal(pcm, back, sizeof pcm);
}

/* Four hours of silence in a sparse file: header, then nothing but a length. */
static void write_four_hours(const char *path) {
  const uint32_t rate = 16000, bytes = 4u * 3600 * 16000 * 2;
  uint8_t head[44] = "RIFF....WAVEfmt ";
  const uint32_t words[] = {bytes + 36, 16, 1 | 1 << 16, rate, rate * 2, 2 | 16 << 16};
  const int places[] = {4, 16, 20, 24, 28, 32};
  for (size_t i = 0; i < MN_COUNT(words); i++) memcpy(head + places[i], &words[i], 4);
  memcpy(head + 36, "data", 4);
  memcpy(head + 40, &bytes, 4);
  make_folder_of(path);
  int file = open(path, O_WRONLY | O_CREAT, 0600);
  assert_int_equal(write(file, head, sizeof head), sizeof head);
  assert_int_equal(pwrite(file, "\x10\x20", 2, 44 + bytes / 2), 2); /* in the very middle */
  assert_int_equal(ftruncate(file, 44 + (off_t)bytes), 0);
  close(file);
}

static void four_hours_should_be_used_from_their_middle_in_little_memory(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 6; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/clip%d.wav", i % 2 == 0 ? "a" : "b", i);
    write_wav(at(root, name), (uint64_t)i);
  }
  write_four_hours(at(root, "a/meeting.wav"));
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  mn_dataset *dataset = open_ok(root, NULL);
  assert_problem(dataset, "meeting", "long", "14400 s");
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    int16_t pcm[16000];
    mn_error error = {{0}};
    if (strstr(mn_dataset_item(dataset, i)->file, "meeting") == NULL) continue;
    assert_ok(mn_dataset_clip(dataset, pcm, i, 16000, 16000, &error), &error);
    assert_int_equal(pcm[8000], 0x2010);
  }
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 100 * 1024);
  mn_dataset_close(dataset);
}

static void what_is_no_data_set_should_be_refused_in_one_line(void **state) {
  (void)state;
  const char *root = test_folder();
  assert_refused(at(root, "nowhere"), NULL, MN_ERR_FORMAT, "cannot be opened");
  write_text(at(root, "notes.txt"), "no archive\n");
  assert_refused(at(root, "notes.txt"), NULL, MN_ERR_FORMAT, "no sound archive");
  write_text(at(root, "zero.tar"), "");
  assert_refused(at(root, "zero.tar"), NULL, MN_ERR_FORMAT, "zero.tar");
  make_folder_of(at(root, "empty/x"));
  assert_refused(at(root, "empty"), NULL, MN_ERR_FORMAT, "holds no recording in a class folder");
  write_wav(at(root, "one/yes/a.wav"), 1);
  write_wav(at(root, "one/yes/b.wav"), 2);
  assert_refused(at(root, "one"), NULL, MN_ERR_FORMAT, "one class, \"yes\"");
  write_text(at(root, "photos/cat/a.jpg"), "x");
  assert_refused(at(root, "photos"), NULL, MN_ERR_FORMAT, "one class, \"cat\"");
  write_text(at(root, "broken/a/a.wav"), "x");
  write_text(at(root, "broken/b/b.wav"), "y");
  assert_refused(at(root, "broken"), NULL, MN_ERR_FORMAT, "not one of its recordings can be read");
  const char *folder = speech_commands(root);
  assert_refused(folder, "yess,no", MN_ERR_USAGE, "did you mean \"yes\"");
  assert_refused(folder, "yes,,no", MN_ERR_USAGE, "an empty name");
  assert_refused(folder, "yes,yes", MN_ERR_USAGE, "twice");
  pack(at(root, "cut.tar"), root, "tar cf");
  assert_int_equal(truncate(at(root, "cut.tar"), 200000), 0);
  assert_refused(at(root, "cut.tar"), NULL, MN_ERR_FORMAT, "breaks off");
  if (geteuid() == 0) return; /* the administrator may read everything */
  assert_int_equal(chmod(at(root, "one"), 0), 0);
  assert_refused(at(root, "one"), NULL, MN_ERR_FORMAT, "read permission");
  assert_int_equal(chmod(at(root, "one"), 0700), 0);
}

static void anomaly_detection_should_be_refused_for_spoken_words(void **state) {
  (void)state;
  mn_dataset *dataset = NULL;
  mn_error error = {{0}};
  mn_data_config config = {.words = "yes,no", .task = MN_TASK_AD};
  assert_int_equal(open_with(&dataset, config, &error), MN_ERR_USAGE);
  assert_non_null(strstr(error.text, "--task ad"));
}

static void silence_should_differ_between_splits_and_come_back_the_same(void **state) {
  (void)state;
  mn_dataset *dataset = open_ok(speech_commands(test_folder()), "yes,no");
  int16_t first[16000], again[16000], other[16000];
  int32_t compared = 0;
  mn_error error = {{0}};
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    if (strncmp(mn_dataset_item(dataset, i)->file, "silence:", 8) != 0) continue;
    assert_ok(mn_dataset_clip(dataset, first, i, 16000, 16000, &error), &error);
    assert_ok(mn_dataset_clip(dataset, again, i, 16000, 16000, &error), &error);
    assert_memory_equal(first, again, sizeof first);
    if (compared++ > 0) assert_memory_not_equal(first, other, sizeof first);
    memcpy(other, first, sizeof first);
  }
  assert_true(compared >= 4);
  mn_dataset_close(dataset);
}

static void the_measurements_should_come_from_the_cache_and_be_made_again_when_broken(
    void **state) {
  (void)state;
  const char *root = test_folder(), *folder = speech_commands(root), *cache = at(root, "cache");
  uint64_t hash = 0;
  for (int round = 0; round < 3; round++) {
    mn_dataset *dataset = NULL;
    mn_error error = {{0}};
    assert_ok(open_with(&dataset, (mn_data_config){.path = folder, .cache_folder = cache}, &error),
              &error);
    if (round > 0) assert_true(hash == mn_dataset_hash(dataset));
    hash = mn_dataset_hash(dataset);
    assert_true(mn_dataset_item(dataset, 0)->seconds > 0.99);
    mn_dataset_close(dataset);
    char line[600];
    snprintf(
        line, sizeof line,
        "for f in '%s'/audit-*; do printf broken | dd of=\"$f\" bs=1 seek=40 conv=notrunc 2>/dev/null; done",
        cache);
    assert_int_equal(system(line), 0);
  }
}

/* ---- Out of memory ----------------------------------------------------------------------------*/

static void every_failing_allocation_should_be_reported_and_nothing_lost(void **state) {
  (void)state;
  const char *root = test_folder();
  for (int i = 0; i < 6; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/p%d_nohash_1.wav", i % 2 == 0 ? "a" : "b", i);
    write_sound(at(root, name), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 1000, 0.4, (uint64_t)i);
  }
  write_wav(at(root, "_background_noise_/n.wav"), 8);
  for (int64_t n = 0;; n++) {
    int64_t left = n;
    mn_heap heap = test_failing_heap(&left);
    mn_dataset *dataset = NULL;
    mn_error error = {{0}};
    mn_heap_set(&heap);
    mn_status status = open_with(&dataset, (mn_data_config){.path = root, .classes = "a"}, &error);
    if (status == MN_OK) mn_dataset_close(dataset);
    mn_heap_set(NULL);
    if (status == MN_OK) {
      assert_true(n > 3);
      break;
    }
    if (status != MN_ERR_MEMORY)
      fail_msg("allocation %lld: status %d, %s", (long long)n, status, error.text);
    assert_true(n < 10000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_should_decide_the_split_and_noise_should_become_silence),
      cmocka_unit_test(without_classes_every_folder_should_be_one),
      cmocka_unit_test(archives_should_hold_what_the_folder_holds),
      cmocka_unit_test(split_folders_should_be_kept_and_a_missing_val_taken_from_train),
      cmocka_unit_test(speakers_should_stay_in_one_split_where_names_tell),
      cmocka_unit_test(few_files_should_still_fill_every_split),
      cmocka_unit_test(the_audit_should_name_everything_odd),
      cmocka_unit_test(what_lies_in_two_splits_should_be_named_a_leak),
      cmocka_unit_test(any_rate_width_and_length_should_become_the_clip_that_is_asked_for),
      cmocka_unit_test(an_exact_wav_should_keep_its_samples),
      cmocka_unit_test(four_hours_should_be_used_from_their_middle_in_little_memory),
      cmocka_unit_test(what_is_no_data_set_should_be_refused_in_one_line),
      cmocka_unit_test(anomaly_detection_should_be_refused_for_spoken_words),
      cmocka_unit_test(silence_should_differ_between_splits_and_come_back_the_same),
      cmocka_unit_test(the_measurements_should_come_from_the_cache_and_be_made_again_when_broken),
      cmocka_unit_test(every_failing_allocation_should_be_reported_and_nothing_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
