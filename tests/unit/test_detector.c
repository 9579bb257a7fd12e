/* test_detector.c - the integer distance against the textbook's in double precision, the nearest state,
 * a site, and the metadata that holds it. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/detector_fit.h"
#include "micronets/tflite.h"
#include "support.h"

enum { DIMS = 6, COUNT = 400, STATES = 2 };

typedef struct rig {
  mn_arena *arena;
  int16_t x[COUNT * DIMS];
  int32_t state[COUNT];
  mn_detector detector;
} rig;

/* Correlated values of different size; state 1 lies elsewhere and is wider. */
static void draw(int16_t *x, int32_t state, mn_rng *rng) {
  double common = mn_rng_normal(rng);
  for (int32_t j = 0; j < DIMS; j++) {
    double value = (1 + j) * (0.8 * common + 0.6 * mn_rng_normal(rng)) * (1 + state);
    x[j] = (int16_t)lrint(256 * (10 * state - 5 + value));
  }
}

static rig *make_rig(void) {
  rig *r = calloc(1, sizeof *r);
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&r->arena), MN_OK);
  mn_rng rng = mn_rng_seed(3);
  for (int32_t i = 0; i < COUNT; i++) {
    r->state[i] = i % STATES;
    draw(r->x + i * DIMS, r->state[i], &rng);
  }
  mn_vectors vectors = {COUNT, DIMS, STATES, r->x, r->state};
  assert_ok(mn_detector_fit(&r->detector, r->arena, &vectors, 1, &error), &error);
  return r;
}

static void drop_rig(rig *r) {
  mn_arena_destroy(r->arena);
  free(r);
}

typedef struct textbook {
  double mean[DIMS], covariance[DIMS][DIMS];
} textbook;

/* Ledoit and Wolf's estimate, term by term as the paper writes it. */
static textbook textbook_of(const rig *r, int32_t state) {
  textbook t = {0};
  double n = 0, trace = 0, d2 = 0, b2 = 0;
  for (int32_t i = 0; i < COUNT; i++) n += r->state[i] == state;
  for (int32_t i = 0; i < COUNT; i++)
    for (int32_t j = 0; r->state[i] == state && j < DIMS; j++)
      t.mean[j] += r->x[i * DIMS + j] / 256.0 / n;
  double outer[COUNT][DIMS];
  for (int32_t i = 0; i < COUNT; i++)
    for (int32_t j = 0; j < DIMS; j++) outer[i][j] = r->x[i * DIMS + j] / 256.0 - t.mean[j];
  for (int32_t i = 0; i < COUNT; i++)
    for (int32_t j = 0; r->state[i] == state && j < DIMS; j++)
      for (int32_t k = 0; k < DIMS; k++) t.covariance[j][k] += outer[i][j] * outer[i][k] / n;
  for (int32_t j = 0; j < DIMS; j++) trace += t.covariance[j][j] / DIMS;
  for (int32_t j = 0; j < DIMS; j++)
    for (int32_t k = 0; k < DIMS; k++)
      d2 += pow(t.covariance[j][k] - (j == k ? trace : 0), 2) / DIMS;
  for (int32_t i = 0; i < COUNT; i++)
    for (int32_t j = 0; r->state[i] == state && j < DIMS; j++)
      for (int32_t k = 0; k < DIMS; k++)
        b2 += pow(outer[i][j] * outer[i][k] - t.covariance[j][k], 2) / DIMS / n / n;
  double share = fmin(b2, d2) / d2;
  for (int32_t j = 0; j < DIMS; j++)
    for (int32_t k = 0; k < DIMS; k++)
      t.covariance[j][k] = (1 - share) * t.covariance[j][k] + (j == k ? share * trace : 0);
  return t;
}

/* x' C^-1 x by Gauss-Jordan. */
static double textbook_distance(textbook t, const int16_t *x) {
  double y[DIMS], difference[DIMS], sum = 0;
  for (int32_t j = 0; j < DIMS; j++) y[j] = difference[j] = x[j] / 256.0 - t.mean[j];
  for (int32_t p = 0; p < DIMS; p++)
    for (int32_t j = 0; j < DIMS; j++) {
      double factor = t.covariance[j][p] / t.covariance[p][p];
      for (int32_t k = p; j != p && k < DIMS; k++)
        t.covariance[j][k] -= factor * t.covariance[p][k];
      if (j != p) y[j] -= factor * y[p];
    }
  for (int32_t j = 0; j < DIMS; j++) sum += difference[j] * y[j] / t.covariance[j][j];
  return sum / DIMS;
}

static void scores_should_be_the_textbooks_distances(void **state) {
  (void)state;
  rig *r = make_rig();
  mn_rng rng = mn_rng_seed(9);
  for (int32_t k = 0; k < STATES; k++) {
    textbook t = textbook_of(r, k);
    for (int32_t i = 0; i < 50; i++) {
      int16_t x[DIMS], scratch[DIMS];
      draw(x, i % STATES, &rng);
      double expected = textbook_distance(t, x);
      double score = mn_detector_score(&r->detector, scratch, x, k, NULL) / 256.0;
      if (fabs(score - expected) > 0.02 * expected + 0.05)
        fail_msg("state %d: %g, textbook %g", (int)k, score, expected);
    }
  }
  drop_rig(r);
}

static void the_nearest_state_should_be_taken_where_none_is_named(void **state) {
  (void)state;
  rig *r = make_rig();
  int16_t scratch[DIMS];
  for (int32_t i = 0; i < 20; i++) {
    const int16_t *x = r->x + i * DIMS;
    int32_t a = mn_detector_score(&r->detector, scratch, x, 0, NULL);
    int32_t b = mn_detector_score(&r->detector, scratch, x, 1, NULL);
    assert_int_equal(mn_detector_score(&r->detector, scratch, x, -1, NULL), a < b ? a : b);
  }
  drop_rig(r);
}

static void what_is_normal_on_site_should_take_the_place_of_the_trained_mean(void **state) {
  (void)state;
  rig *r = make_rig();
  int32_t site[2 + DIMS];
  int16_t scratch[DIMS], moved[DIMS];
  assert_int_equal(mn_detector_site_words(&r->detector), 2 + DIMS);
  mn_detector_site_clear(&r->detector, site, 0);
  assert_int_equal(mn_detector_score(&r->detector, scratch, r->x, 0, site),
                   mn_detector_score(&r->detector, scratch, r->x, 0, NULL));
  for (int32_t i = 0; i < 40; i += 2) {
    for (int32_t j = 0; j < DIMS; j++)
      moved[j] = (int16_t)(r->x[i * DIMS + j] + (j % 2 ? 3000 : -3000));
    mn_detector_site_add(&r->detector, site, moved);
  }
  assert_true(mn_detector_score(&r->detector, scratch, moved, 0, NULL) > 20 * 256);
  assert_true(mn_detector_score(&r->detector, scratch, moved, 0, site) < 4 * 256);
  assert_int_equal(mn_detector_score(&r->detector, scratch, moved, 1, site),
                   mn_detector_score(&r->detector, scratch, moved, 1, NULL));
  drop_rig(r);
}

static void rows_of_a_tensor_should_be_averaged(void **state) {
  (void)state;
  static const int8_t tensor[] = {-128, 127, 1, -128, 127, 2, -128, 127, -1};
  mn_detector d = {.dims = 3, .rows = 3};
  int16_t x[3];
  mn_detector_take(&d, x, tensor);
  assert_int_equal(x[0], -128 * 256);
  assert_int_equal(x[1], 127 * 256);
  assert_int_equal(x[2], 171); /* 2 / 3 */
}

static void a_detector_should_come_back_from_metadata_and_damage_be_refused(void **state) {
  (void)state;
  rig *r = make_rig();
  mn_error error = {{0}};
  mn_metadata entry;
  const mn_detector *back = NULL;
  assert_ok(mn_detector_write(&entry, r->arena, &r->detector, MN_DETECTOR_BANDS, &error), &error);
  mn_model model = {.metadata = &entry, .metadata_count = 1};
  assert_ok(mn_detector_read(&back, r->arena, &model, MN_DETECTOR_EMBEDDING, &error), &error);
  assert_null(back);
  assert_ok(mn_detector_read(&back, r->arena, &model, MN_DETECTOR_BANDS, &error), &error);
  assert_int_equal(back->dims, DIMS);
  assert_memory_equal(back->factor, r->detector.factor,
                      STATES * DIMS * (DIMS + 1) / 2 * sizeof(int16_t));
  size_t size = entry.data.size;
  for (size_t cut = 0; cut < size; cut += 7) {
    entry.data.size = cut;
    assert_int_equal(mn_detector_read(&back, r->arena, &model, MN_DETECTOR_BANDS, &error),
                     MN_ERR_FORMAT);
  }
  drop_rig(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_should_be_the_textbooks_distances),
      cmocka_unit_test(the_nearest_state_should_be_taken_where_none_is_named),
      cmocka_unit_test(what_is_normal_on_site_should_take_the_place_of_the_trained_mean),
      cmocka_unit_test(rows_of_a_tensor_should_be_averaged),
      cmocka_unit_test(a_detector_should_come_back_from_metadata_and_damage_be_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
