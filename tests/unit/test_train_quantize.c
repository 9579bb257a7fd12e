/* Fake quantization: its straight-through rule against plain C, and the trainer's evaluation against
 * the integer executor on frozen networks, tensor by tensor.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "micronets/exec.h"
#include "train/integer.h"
#include "train_support.h"

enum { ITEMS = 32 };

/* ---- The rule -----------------------------------------------------------------------------------*/
typedef struct sums {
  double sum[16], dot[16], open[16], error[16], above[16], below[16];
} sums;

/* The same rule, one number at a time. */
static float finish_one(const mn_finish *f, int c, float z, float dy, sums *s) {
  const bool masked = f->mask != NULL, rounds = f->view.step > 0.0f;
  const double scale = (double)(masked ? f->raw_scale : f->view.scale)[c];
  const double shift = (double)(masked ? f->raw_shift : f->view.shift)[c];
  const double u = (double)z * scale + shift, mask = masked ? (double)f->mask[c] : 1;
  const double low = (double)f->view.low[c], high = (double)f->view.high[c];
  const double inner_low = masked ? (double)f->raw_low[c] : low,
               inner_high = masked ? (double)f->raw_high[c] : high;
  const double a = fmin(fmax(u, inner_low), inner_high), w = masked ? mask * a : u;
  const double clamped = fmin(fmax(w, low), high);
  double d = (double)dy;
  if (rounds) {
    s->error[c] += d * (rint(clamped / (double)f->view.step) * (double)f->view.step - clamped);
    s->above[c] += w > high ? d : 0;
    s->below[c] += w < low ? d : 0;
    if (w > high || w < low) d = 0;
  }
  s->open[c] += d * a;
  const double g = u > inner_low && u < inner_high ? d * mask : 0;
  s->sum[c] += g;
  s->dot[c] += g * (double)z;
  return (float)g;
}

static void assert_close(double a, double b, const char *what) {
  if (fabs(a - b) > 1e-3 * (1 + fabs(b))) fail_msg("%s: %g, expected %g", what, a, b);
}

static void check_finish(const mn_lanes *lanes, bool masked, bool rounds) {
  enum { ROWS = 50, CHANNELS = 16 };
  static float g[ROWS * CHANNELS], z[ROWS * CHANNELS], scale[16], shift[16], low[16], high[16],
      mask[16], folded_scale[16], folded_shift[16], raw_low[16], raw_high[16];
  mn_rng rng = mn_rng_seed(7);
  for (int i = 0; i < ROWS * CHANNELS; i++)
    z[i] = (float)mn_rng_normal(&rng) * 3, g[i] = (float)mn_rng_normal(&rng);
  for (int c = 0; c < CHANNELS; c++) {
    scale[c] = 1 + 0.1f * (float)c, shift[c] = 0.3f,
    mask[c] = masked ? (float)(c % 4) / 4 : 1; /* exact */
    folded_scale[c] = scale[c] * mask[c], folded_shift[c] = shift[c] * mask[c];
    raw_low[c] = 0, raw_high[c] = 6;
    low[c] = 0, high[c] = fminf(6 * mask[c], rounds ? 3.0f : INFINITY);
  }
  sums got = {{0}}, expected = {{0}};
  const mn_finish f = {
      .view = {folded_scale, folded_shift, low, high, rounds ? 0.25f : 0, rounds ? 4.0f : 0},
      .mask = masked ? mask : NULL,
      .raw_scale = scale,
      .raw_shift = shift,
      .raw_low = raw_low,
      .raw_high = raw_high,
      .sum = got.sum,
      .dot = got.dot,
      .open = got.open,
      .error = got.error,
      .above = got.above,
      .below = got.below};
  static float wanted[ROWS * CHANNELS];
  for (int i = 0; i < ROWS * CHANNELS; i++)
    wanted[i] = finish_one(&f, i % CHANNELS, z[i], g[i], &expected);
  lanes->finish(g, z, &f, ROWS, CHANNELS);
  for (int i = 0; i < ROWS * CHANNELS; i++)
    assert_close((double)g[i], (double)wanted[i], "gradient");
  for (int c = 0; c < CHANNELS; c++) {
    assert_close(got.sum[c], expected.sum[c], "sum");
    assert_close(got.dot[c], expected.dot[c], "dot");
    if (masked) assert_close(got.open[c], expected.open[c], "mask");
    assert_close(got.error[c], expected.error[c], "error");
    assert_close(got.above[c], expected.above[c], "above");
    assert_close(got.below[c], expected.below[c], "below");
  }
}

static void the_straight_through_rule_should_match_plain_c(void **state) {
  (void)state;
  static const char *const isas[] = {"avx512", "avx2", "portable"};
  for (size_t i = 0; i < MN_COUNT(isas); i++)
    for (int k = 0; k < 4; k++)
      if (mn_lanes_get(isas[i]) != NULL) check_finish(mn_lanes_get(isas[i]), k & 1, k & 2);
}

/* ---- Learned ranges -------------------------------------------------------------------------------*/
/* Over the bounds the loss is smooth only on average: the step is wide, the agreement rough. */
static void range_gradients_should_follow_the_loss(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = sketch_ds_cnn(&s, 24, 1, 2, 1, 4);
  const toy y = toy_make(s.arena, ITEMS, 490, 4, 5);
  mn_error error = {{0}};
  mn_trainer *t = NULL;
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_pool_create(&config.pool, 2), MN_OK);
  config.batch = ITEMS, config.quantize_from = 20;
  assert_ok(mn_trainer_create(&t, graph, &config, &error), &error);
  double loss[3];
  for (int i = 0; i < 22; i++)
    assert_ok(mn_trainer_step(t, loss, &y.batch, NULL, true, &error), &error);
  for (int32_t r = 0; r < t->range_count; r++) {
    if (t->ranges[r].observed) continue;
    mn_parameter *p = t->ranges[r].parameter;
    const float high = p->value[1], low = p->value[0];
    double expected = 0, found;
    enum { POINTS = 41 };
    for (int i = 0; i < POINTS; i++) {
      p->value[1] = high * (0.5f + 0.1f * (float)i / POINTS);
      t->batch = &y.batch, t->gates = NULL, t->training = t->updates = true;
      mn_engine_forward(t);
      loss[i == 0 ? 1 : 2] = mn_loss_run(t);
      mn_engine_backward(t);
      expected += (double)p->gradient[1] / POINTS;
    }
    found = (loss[2] - loss[1]) / (double)(high * 0.1f * (POINTS - 1) / POINTS);
    p->value[1] = high, p->value[0] = low;
    if (fabs(found - expected) > 0.25 * fabs(found) + 0.02)
      fail_msg("range %d: gradient %g, mean slope %g", r, expected, found);
  }
  mn_trainer_destroy(t);
  mn_pool_destroy(config.pool);
  mn_arena_destroy(s.arena);
}

/* ---- Against the executor -------------------------------------------------------------------------*/
/* Every unit is given the executor's own inputs, so that each answers for its own rounding alone. */
typedef struct recording {
  const mn_graph *frozen;
  int8_t *tensor[64]; /* [items][elements] */
  int32_t item;
} recording;

static void record_rows(void *context, int32_t op, int32_t first_row, int32_t rows,
                        const void *data, size_t bytes) {
  recording *r = context;
  const int32_t id = r->frozen->ops[op].output;
  const mn_shape *shape = &r->frozen->tensors[id].shape;
  const size_t size = (size_t)mn_shape_elements(shape);
  const size_t row = shape->rank == 4 ? size / (size_t)shape->dim[1] : size;
  assert_true(bytes == row * (size_t)rows);
  memcpy(r->tensor[id] + (size_t)r->item * size + row * (size_t)first_row, data, bytes);
}

static void quantize_input(int8_t *to, const float *x, int64_t count, const mn_quantization *q) {
  for (int64_t i = 0; i < count; i++)
    to[i] =
        (int8_t)fmin(fmax(rint((double)x[i] / (double)q->scale[0]) + q->zero_point[0], -128), 127);
}

static void run_executor(recording *r, mn_arena *arena, const toy *y, int64_t features) {
  mn_error error = {{0}};
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  const mn_plan_options options = {.kernels = "host", .keep_all = true};
  assert_ok(mn_plan_make(&plan, arena, r->frozen, NULL, &options, &error), &error);
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  for (int32_t i = 0; i < r->frozen->tensor_count; i++)
    r->tensor[i] =
        mn_arena_alloc(arena, (size_t)mn_shape_elements(&r->frozen->tensors[i].shape) * ITEMS);
  const mn_watch watch = {record_rows, r};
  const int32_t input = r->frozen->inputs[0];
  for (r->item = 0; r->item < ITEMS; r->item++) {
    int8_t *x = r->tensor[input] + r->item * features;
    quantize_input(x, y->x + r->item * features, features, &r->frozen->tensors[input].quantization);
    memcpy(mn_exec_input(exec, 0), x, (size_t)features);
    mn_exec_run(exec, &watch);
  }
  mn_exec_destroy(exec);
}

/* The executor's tensor, in real numbers, takes the place of the value; readers see it rounded to the
 * same range, which changes nothing. */
static void value_take(mn_value *v, const recording *r) {
  const mn_quantization *q = &r->frozen->tensors[v->tensor].quantization;
  const int8_t *from = r->tensor[v->tensor];
  for (int64_t p = 0; p < v->pixels * ITEMS; p++)
    for (int32_t c = 0; c < v->channels; c++)
      ((float *)v->z)[p * v->stride + c] = q->scale[0] * (float)(*from++ - q->zero_point[0]);
  v->view = (mn_view){0};
  if (v->range == NULL) return;
  for (int32_t c = 0; c < v->stride; c++) {
    v->scale[c] = 1, v->shift[c] = 0;
    v->low[c] = v->range->low, v->high[c] = v->range->high;
  }
  v->view =
      (mn_view){v->scale, v->shift, v->low, v->high, v->range->scale, 1 / v->range->scale, false};
}

static void compare_value(mn_trainer *t, mn_value *v, const recording *r, const char *what) {
  static float spare[1 << 20];
  const mn_quantization *q = &r->frozen->tensors[v->tensor].quantization;
  const int8_t *from = r->tensor[v->tensor];
  int64_t off_by_one = 0;
  const float *seen = mn_value_read(t, v, spare, 0, v->pixels * ITEMS);
  for (int64_t p = 0; p < v->pixels * ITEMS; p++)
    for (int32_t c = 0; c < v->channels; c++) {
      const double real = (double)seen[p * v->stride + c] / (double)q->scale[0];
      const double off = fabs(rint(real) + q->zero_point[0] - *from++);
      if (off > 1) fail_msg("%s: op %d is off by %g", what, v->op, off);
      off_by_one += off > 0;
    }
  /* Double rounding and the bias's own rounding: fractions of a percent. */
  if (off_by_one * 50 > v->pixels * v->channels * ITEMS)
    fail_msg("%s: op %d: %lld values off by one", what, v->op, (long long)off_by_one);
}

/* The executor's sum without bias, from the frozen weights and its own input. */
static int32_t sum_of(const recording *r, const mn_op *op, int32_t item, const int32_t at[3]) {
  const mn_graph *g = r->frozen;
  const mn_shape *in = &g->tensors[op->input[0]].shape, *k = &g->tensors[op->input[1]].shape;
  const int8_t *x = r->tensor[op->input[0]] + item * mn_shape_elements(in);
  const int8_t *w = g->tensors[op->input[1]].data;
  const int32_t zero = g->tensors[op->input[0]].quantization.zero_point[0], o = at[2];
  int32_t sum = 0;
  if (op->kind == MN_OP_FULLY_CONNECTED) {
    for (int32_t i = 0; i < k->dim[1]; i++) sum += (x[i] - zero) * w[o * k->dim[1] + i];
    return sum;
  }
  const bool depthwise = op->kind == MN_OP_DEPTHWISE_CONV_2D;
  const mn_window *win = &op->window;
  const int32_t h = in->dim[1], width = in->dim[2], c = in->dim[3];
  const int32_t top = mn_window_pad_before(h, win->kernel_h, win->stride_h, win->dilation_h,
                                           win->padding),
                left = mn_window_pad_before(width, win->kernel_w, win->stride_w, win->dilation_w,
                                            win->padding);
  for (int32_t i = 0; i < win->kernel_h; i++)
    for (int32_t j = 0; j < win->kernel_w; j++) {
      const int32_t y = at[0] * win->stride_h + i * win->dilation_h - top;
      const int32_t z = at[1] * win->stride_w + j * win->dilation_w - left;
      if (y < 0 || y >= h || z < 0 || z >= width) continue;
      const int8_t *pixel = x + (y * width + z) * c;
      const int32_t tap = i * win->kernel_w + j, taps = win->kernel_h * win->kernel_w;
      if (depthwise) {
        sum += (pixel[o / win->multiplier] - zero) * w[tap * k->dim[3] + o];
        continue;
      }
      for (int32_t e = 0; e < c; e++) sum += (pixel[e] - zero) * w[(o * taps + tap) * c + e];
    }
  return sum;
}

/* A channel whose batch norm turns its sign has its weights turned when they are frozen. */
static void compare_sums(const mn_unit *u, const recording *r, const char *what) {
  const mn_value *y = u->output;
  const mn_op *op = NULL;
  for (int32_t i = 0; i < r->frozen->op_count; i++)
    if (r->frozen->ops[i].output == y->tensor) op = &r->frozen->ops[i];
  assert_non_null(op);
  for (int32_t item = 0; item < ITEMS; item += 11)
    for (int64_t p = 0; p < y->pixels; p++)
      for (int32_t o = 0; o < y->channels; o++) {
        const int32_t at[3] = {(int32_t)p / y->width, (int32_t)p % y->width, o};
        const int32_t sign = y->gamma != NULL && y->gamma->value[o] < 0 ? -1 : 1;
        const double z = (double)((const float *)y->z)[(item * y->pixels + p) * y->stride + o];
        const int32_t got = (int32_t)lrint(z / (double)u->integer->scale[o]);
        const int32_t want = sign * sum_of(r, op, item, at);
        if (got != want)
          fail_msg("%s: op %d, channel %d: sum %d, the executor's %d", what, u->op, o, got, want);
      }
}

/* On a processor with integer kernels every layer with weights uses them, but for a depthwise one that
 * widens and for one behind dropout. */
static void check_sums(const mn_trainer *t, const mn_unit *u, const recording *r,
                       const char *what) {
  if (t->integer == NULL || u->weights == NULL) return;
  const bool widens = u->family == &mn_depthwise_family && u->window.multiplier > 1;
  const bool dropped = !u->input[0]->input && u->input[0]->op < 0;
  assert_int_equal(mn_unit_is_integer(t, u), !widens && !dropped);
  if (!widens && !dropped) compare_sums(u, r, what);
}

static void compare_units(mn_trainer *t, const recording *r, const char *what) {
  value_take(&t->values[0], r);
  for (int32_t i = 0; i < t->unit_count; i++) {
    mn_unit *u = &t->units[i];
    for (int32_t shard = 0; shard < MN_SHARDS; shard++) u->family->forward(t, u, shard, 0);
    mn_value_settle(t, u->output);
    if (u->output->op < 0) continue; /* dropout: a copy */
    check_sums(t, u, r, what);
    compare_value(t, u->output, r, what);
    value_take(u->output, r);
  }
}

/* Items whose best score is the executor's best too. */
static int32_t same_answers(const float *scores, const recording *r, int32_t classes) {
  int32_t same = 0;
  for (int32_t i = 0; i < ITEMS; i++) {
    const int8_t *y = r->tensor[r->frozen->outputs[0]] + i * classes;
    int32_t best = 0, most = y[0];
    for (int32_t c = 1; c < classes; c++) {
      if (scores[i * classes + c] > scores[i * classes + best]) best = c;
      if (y[c] > most) most = y[c];
    }
    same += y[best] == most;
  }
  return same;
}

static void check_against_executor(const mn_graph *graph, int64_t features, int32_t classes,
                                   double dropout, const char *isa, const char *what) {
  mn_error error = {{0}};
  mn_arena *arena = NULL;
  mn_trainer *t = NULL;
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_int_equal(mn_pool_create(&config.pool, 2), MN_OK);
  config.batch = ITEMS, config.quantize_from = 15, config.dropout = dropout, config.isa = isa;
  assert_ok(mn_trainer_create(&t, graph, &config, &error), &error);
  const toy y = toy_make(arena, ITEMS, features, classes, 5);
  double loss;
  for (int i = 0; i < 40; i++)
    assert_ok(mn_trainer_step(t, &loss, &y.batch, NULL, true, &error), &error);
  recording r = {0};
  assert_ok(mn_trainer_freeze(&r.frozen, arena, t, &error), &error);
  run_executor(&r, arena, &y, features);
  float *scores = mn_arena_array(arena, (size_t)(ITEMS * classes), sizeof *scores);
  assert_ok(mn_trainer_scores(t, scores, &y.batch, NULL, &error), &error);
  assert_true(same_answers(scores, &r, classes) >= ITEMS - 1);
  compare_units(t, &r, what);
  mn_trainer_destroy(t);
  mn_pool_destroy(config.pool);
  mn_arena_destroy(arena);
}

static void evaluation_of_a_ds_cnn_should_be_the_executors(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = sketch_ds_cnn(&s, 24, 2, 2, 1, 6);
  check_against_executor(graph, 490, 6, 0.1, NULL, "ds-cnn");
  mn_arena_destroy(s.arena);
}

static void evaluation_of_a_residual_net_should_be_the_executors(void **state) {
  (void)state;
  static const int32_t channels[8] = {0, 0, 0, 0, 0, 0, 0, 8};
  const mn_activation relu6 = MN_ACTIVATION_RELU6, none = MN_ACTIVATION_NONE;
  sketch s = sketch_begin(12, 12, 3);
  const mn_tensor_id a = sketch_conv(&s, 3, (layer){16, 3, 3, 2, 2, relu6});
  sketch_conv(&s, 16, (layer){40, 1, 1, 1, 1, relu6});
  sketch_depthwise(&s, (layer){40, 3, 3, 1, 1, relu6});
  const mn_tensor_id b = sketch_conv(&s, 40, (layer){24, 1, 1, 1, 1, none});
  s.at = a;
  s.at = sketch_join(&s, MN_OP_ADD, b, sketch_pad(&s, channels));
  sketch_pool(&s, MN_OP_MAX_POOL_2D, (layer){0, 2, 2, 2, 2});
  sketch_conv(&s, 24, (layer){20, 3, 3, 1, 1, MN_ACTIVATION_RELU});
  sketch_pool(&s, MN_OP_AVERAGE_POOL_2D, (layer){0, 3, 3, 1, 1, .valid = true});
  sketch_reshape(&s, (mn_shape){2, {1, 20}});
  sketch_dense(&s, 20, (layer){5, .no_norm = true});
  sketch_add(
      &s, (mn_op){.kind = MN_OP_SOFTMAX, .inputs = 1, .input = {s.at, -1, -1, -1, -1}, .beta = 1});
  check_against_executor(sketch_finish(&s), 12 * 12 * 3, 5, 0, NULL, "residual net");
  mn_arena_destroy(s.arena);
}

static void evaluation_of_a_widening_net_should_be_the_executors(void **state) {
  (void)state;
  const mn_activation relu = MN_ACTIVATION_RELU, none = MN_ACTIVATION_NONE;
  sketch s = sketch_begin(10, 9, 1);
  sketch_depthwise(&s, (layer){8, 5, 4, 2, 2, relu, .multiplier = 8});
  sketch_depthwise(&s, (layer){16, 3, 3, 1, 1, relu, .multiplier = 2});
  sketch_conv(&s, 16, (layer){12, 2, 3, 2, 1, none, .no_norm = true, .valid = true});
  const int32_t flat = 2 * 3 * 12;
  sketch_reshape(&s, (mn_shape){2, {1, flat}});
  sketch_dense(&s, flat, (layer){20, .activation = relu});
  sketch_dense(&s, 20, (layer){4, .no_norm = true});
  check_against_executor(sketch_finish(&s), 90, 4, 0.1, NULL, "widening net");
  mn_arena_destroy(s.arena);
}

static void evaluation_of_a_dilated_net_should_be_the_executors(void **state) {
  (void)state;
  const mn_activation relu6 = MN_ACTIVATION_RELU6;
  sketch s = sketch_begin(9, 13, 2);
  sketch_conv(&s, 2, (layer){70, 3, 3, 1, 1, relu6, .dilation = 2});
  sketch_depthwise(&s, (layer){70, 3, 3, 1, 1, relu6, .dilation = 2});
  sketch_conv(&s, 70, (layer){20, 1, 1, 2, 2, relu6});
  sketch_pool(&s, MN_OP_AVERAGE_POOL_2D, (layer){0, 5, 7, 1, 1, .valid = true});
  sketch_reshape(&s, (mn_shape){2, {1, 20}});
  sketch_dense(&s, 20, (layer){5, .no_norm = true});
  static const char *const isas[] = {NULL, "avx2", "portable"};
  const mn_graph *graph = sketch_finish(&s);
  for (size_t i = 0; i < MN_COUNT(isas); i++)
    if (mn_lanes_get(isas[i]) != NULL)
      check_against_executor(graph, 9 * 13 * 2, 5, 0, isas[i], "dilated net");
  mn_arena_destroy(s.arena);
}

static void freezing_before_quantization_should_be_refused(void **state) {
  (void)state;
  sketch s;
  const mn_graph *graph = sketch_ds_cnn(&s, 8, 1, 2, 1, 3), *frozen = NULL;
  mn_error error = {{0}};
  mn_trainer *t = NULL;
  mn_train_config config = mn_train_defaults();
  assert_int_equal(mn_pool_create(&config.pool, 1), MN_OK);
  config.batch = 4;
  assert_ok(mn_trainer_create(&t, graph, &config, &error), &error);
  assert_int_equal(mn_trainer_freeze(&frozen, s.arena, t, &error), MN_ERR_ARGUMENT);
  mn_trainer_destroy(t);
  mn_pool_destroy(config.pool);
  mn_arena_destroy(s.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_straight_through_rule_should_match_plain_c),
      cmocka_unit_test(range_gradients_should_follow_the_loss),
      cmocka_unit_test(evaluation_of_a_ds_cnn_should_be_the_executors),
      cmocka_unit_test(evaluation_of_a_residual_net_should_be_the_executors),
      cmocka_unit_test(evaluation_of_a_widening_net_should_be_the_executors),
      cmocka_unit_test(evaluation_of_a_dilated_net_should_be_the_executors),
      cmocka_unit_test(freezing_before_quantization_should_be_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
