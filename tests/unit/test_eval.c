/* What an output tensor says: real numbers, winner, probability.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "micronets/eval.h"
#include "support.h"

static const float scale = 0.5f;
static const int32_t zero_point = -2;

/* input -> FULLY_CONNECTED-like stand-in: only the output tensor and the kind of the last op matter. */
static mn_graph graph_of(mn_tensor *tensors, mn_op *op, mn_tensor_id *ids, mn_op_kind kind) {
  tensors[0] = tensors[1] = (mn_tensor){
      .dtype = MN_DTYPE_INT8, .shape = {2, {1, 3}}, .quantization = {1, 0, &scale, &zero_point}};
  *op = (mn_op){.kind = kind, .inputs = 1, .input = {0}, .output = 1};
  ids[0] = 0;
  ids[1] = 1;
  return (mn_graph){tensors, op, ids, ids + 1, 2, 1, 1, 1, true};
}

static void scores_should_be_real_numbers_of_the_output_tensor(void **state) {
  (void)state;
  mn_tensor tensors[2];
  mn_op op;
  mn_tensor_id ids[2];
  mn_graph graph = graph_of(tensors, &op, ids, MN_OP_FULLY_CONNECTED);
  const int8_t output[] = {-2, 4, -128};
  double score[3];
  mn_eval_scores(score, &graph, output);
  assert_true(score[0] == 0 && score[1] == 3 && score[2] == -63);
}

static void winner_without_softmax_should_have_the_probability_of_one(void **state) {
  (void)state;
  mn_tensor tensors[2];
  mn_op op;
  mn_tensor_id ids[2];
  mn_graph graph = graph_of(tensors, &op, ids, MN_OP_FULLY_CONNECTED);
  const double score[] = {1, 3, 2};
  double probability;
  assert_int_equal(mn_eval_winner(&probability, &graph, score), 1);
  assert_true(fabs(probability - 1 / (1 + exp(-2) + exp(-1))) < 1e-12);
}

static void winner_behind_softmax_should_keep_its_score(void **state) {
  (void)state;
  mn_tensor tensors[2];
  mn_op op;
  mn_tensor_id ids[2];
  mn_graph graph = graph_of(tensors, &op, ids, MN_OP_SOFTMAX);
  const double score[] = {0.2, 0.1, 0.7};
  double probability;
  assert_int_equal(mn_eval_winner(&probability, &graph, score), 2);
  assert_true(probability == 0.7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_should_be_real_numbers_of_the_output_tensor),
      cmocka_unit_test(winner_without_softmax_should_have_the_probability_of_one),
      cmocka_unit_test(winner_behind_softmax_should_keep_its_score),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
