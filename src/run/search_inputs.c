/* search_inputs.c - choices on the input line: each gets a short search of its own (features and a
 * supernet differ), the one whose best network validation likes most is searched in full.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/search_inputs.h"

enum { MOST_INPUTS = 64 };
#define FIRST_LOOK 0.25 /* of the epochs */

/* Options of the decisions on the input line that are still open, counted like digits. */
static int32_t count_inputs(const mn_net *net) {
  int64_t count = 1;
  for (int32_t d = 0; d < mn_net_decisions(net); d++)
    if (mn_net_decision(net, d)->kind == MN_DECISION_INPUT)
      count *= mn_net_decision(net, d)->options;
  return count > MOST_INPUTS ? MOST_INPUTS + 1 : (int32_t)count;
}

static void pin(mn_net *net, int32_t index) {
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    int32_t options = mn_net_decision(net, d)->options;
    if (mn_net_decision(net, d)->kind != MN_DECISION_INPUT) continue;
    mn_net_pin(net, d, index % options);
    index /= options;
  }
}

static mn_status open_net(mn_net **net, const mn_input_search *s, int32_t index, mn_error *error) {
  MN_TRY(mn_stage_net(net, s->context, s->options->space, &s->options->set, error));
  MN_TRY(mn_stage_classes(*net, s->dataset, error));
  pin(*net, index);
  return MN_OK;
}

static mn_status line_text(const char **text, mn_arena *arena, const mn_net *net, mn_error *error) {
  mn_frontend frontend;
  mn_pick pick;
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  MN_TRY(mn_pick_create(&pick, arena, net));
  MN_TRY(mn_net_frontend(&frontend, net, &pick, error));
  mn_status status = mn_frontend_print(&sink, &frontend);
  if (status == MN_OK)
    *text = mn_arena_text(arena, "%.*s", (int)buffer.size, (const char *)buffer.data);
  mn_buffer_free(&buffer);
  return status != MN_OK || *text == NULL ? mn_error_set(error, MN_ERR_MEMORY, "out of memory")
                                          : MN_OK;
}

/* One short search; an input that no network within the budget can have is passed over. */
static mn_status look(json_t *row, double *val, const mn_input_search *s, mn_net *net,
                      mn_error *error) {
  mn_search_config config = *s->config;
  mn_search_result found;
  mn_error reason = {{0}};
  config.share = FIRST_LOOK;
  config.supernet_out = config.checkpoint = NULL;
  config.resume = false;
  *val = -1;
  mn_status status = mn_search(&found, s->context->arena, net, s->dataset, &config, &reason);
  bool met = status == MN_OK && found.budget_met;
  if (met) *val = found.best.val;
  mn_json_put_known_int(row, "ops", status == MN_OK ? found.best.price.ops : -1);
  mn_json_put_known_int(row, "sram", status == MN_OK ? found.best.price.sram.total : -1);
  mn_json_put_known(row, "val", *val);
  mn_json_put(row, "budget_met", json_boolean(met));
  if (status == MN_OK || status == MN_ERR_BUDGET) return MN_OK;
  *error = reason;
  return status;
}

static mn_status look_at_all(int32_t *best, const mn_input_search *s, int32_t count,
                             mn_error *error) {
  double highest = -1;
  for (int32_t i = 0; i < count; i++) {
    mn_net *net;
    const char *text = NULL;
    double val;
    json_t *row = mn_json_object();
    mn_json_push(s->rows, row);
    MN_TRY(open_net(&net, s, i, error));
    MN_TRY(line_text(&text, s->context->arena, net, error));
    mn_json_put_text(row, "input", text);
    MN_TRY(look(row, &val, s, net, error));
    mn_monitor_message(s->context->monitor, MN_LEVEL_NOTE, "%s: %s%.4f", text,
                       val < 0 ? "not within the budget, " : "validation ", val);
    if (val > highest) {
      highest = val;
      *best = i;
    }
  }
  return MN_OK;
}

mn_status mn_search_choose_input(mn_net **net, const mn_input_search *s, mn_error *error) {
  int32_t count = count_inputs(*net), best = -1;
  if (count == 1) return MN_OK;
  if (count > MOST_INPUTS)
    return mn_error_set(error, MN_ERR_USAGE,
                        "%s: its input line leaves more than %d choices; pin some with --set",
                        s->options->space, MOST_INPUTS);
  if (s->options->supernet != NULL)
    return mn_error_set(
        error, MN_ERR_USAGE,
        "--supernet: the input line of %s is open; pin it with --set input.size=...",
        s->options->space);
  MN_TRY(look_at_all(&best, s, count, error));
  if (best >= 0) return open_net(net, s, best, error);
  return mn_error_set(error, MN_ERR_BUDGET,
                      "%s: with no choice of its input line a network meets the budget %s",
                      s->options->space, s->options->budget);
}
