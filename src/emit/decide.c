/* decide.c - prints NAME_decide: which label wins, and whether with the probability that the model's threshold
 * asks for. Behind a SOFTMAX the output is that probability. Else it is the softmax of the outputs at the
 * winner, 1 / sum exp(output - winner's): a table has the terms for every difference of two bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "emit/layout.h"
#include "emit/writer.h"

enum { TERMS = 256, ONE = 1 << 15 };

static const mn_tensor *scores_of(const mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  return &graph->tensors[graph->outputs[0]];
}

bool mn_emit_decides(const mn_emitter *e) {
  const mn_tensor *y = scores_of(e);
  const bool machines = e->model->score_kind != NULL;
  return !machines && y->dtype == MN_DTYPE_INT8 && y->quantization.count == 1 &&
         e->model->label_count > 1 && mn_shape_elements(&y->shape) == e->model->label_count;
}

void mn_print_decide_function(mn_emitter *e) {
  if (!mn_emit_decides(e)) return;
  mn_print(e,
           "/* After a run: the label that wins, -1 where its probability is below the model's "
           "threshold. */\nint %s_decide(const void *arena);\n",
           e->prefix);
}

/* exp(-scale * difference) in units of 2^-15. */
static void print_terms(mn_emitter *e, double scale) {
  mn_print(e, "static const uint16_t decide_term[%d] = {", TERMS);
  for (int32_t i = 0; i < TERMS; i++)
    mn_print(e, "%s%d,", i % 16 == 0 ? "\n    " : " ", (int)floor(ONE * exp(-scale * i) + 0.5));
  mn_print(e, "\n};\n\n");
}

static void print_winner(mn_emitter *e) {
  mn_print(e,
           "%s_SECTION_CODE int %s_decide(const void *arena) {\n"
           "  const int8_t *score = %s_output(arena);\n"
           "  int best = 0;\n"
           "  for (int k = 1; k < %s_LABELS; k++)\n"
           "    if (score[k] > score[best]) best = k;\n",
           e->upper, e->prefix, e->prefix, e->upper);
}

void mn_print_decide_code(mn_emitter *e) {
  const mn_tensor *y = scores_of(e);
  const bool judged = e->model->has_threshold && e->model->threshold > 0;
  if (!mn_emit_decides(e)) return;
  const bool is_probability = mn_graph_is_probability(e->plan->graph);
  mn_print(e, "\n");
  if (judged && !is_probability) print_terms(e, (double)y->quantization.scale[0]);
  print_winner(e);
  if (!judged) {
    mn_print(e, "  return best; /* the model has no threshold */\n}\n\n");
  } else if (is_probability) {
    mn_print(e, "  return score[best] >= %s_threshold ? best : -1;\n}\n\n", e->prefix);
  } else {
    mn_print(e,
             "  uint32_t sum = 0;\n"
             "  for (int k = 0; k < %s_LABELS; k++) sum += decide_term[score[best] - score[k]];\n"
             "  return sum <= %.0fu ? best : -1; /* probability at least %.6g */\n}\n\n",
             e->upper, floor(ONE / (double)e->model->threshold), (double)e->model->threshold);
  }
}
