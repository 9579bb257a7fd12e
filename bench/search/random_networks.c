/* random_networks.c - the control of a search: networks drawn at random from a space, made to use a budget
 * by random steps, as random-1.net, random-2.net, ... to be trained like the searched one. Depth is as
 * drawn; widths give way first. No network comes twice.
 * random_networks SPACE.net BUDGET COUNT SEED FOLDER [TARGET] [NAME=VALUE...]
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/internal.h"

enum { FIXED_ARGUMENTS = 6, MOST_TRIES = 20 };

static mn_status set_values(mn_net *net, int argc, char **argv, int from, mn_error *error) {
  for (int i = from; i < argc; i++) {
    char *equals = strchr(argv[i], '=');
    if (equals == NULL)
      return mn_error_set(error, MN_ERR_USAGE, "%s: NAME=VALUE was expected", argv[i]);
    *equals = '\0';
    MN_TRY(mn_net_set(net, argv[i], equals + 1, error));
  }
  return MN_OK;
}

typedef struct walk {
  const mn_net *net;
  const mn_search_config *config;
  mn_arena *arena;
  mn_rng rng;
} walk;

/* One random step of the decisions of `kind` down (-1) or up (+1); a step up is kept only where the
 * budget holds. moved: whether any step was possible. */
static mn_status step(walk *w, mn_pick *pick, mn_price *price, mn_decision_kind kind, int direction,
                      bool *moved, mn_error *error) {
  int32_t order[256], count = pick->count < 256 ? pick->count : 256;
  for (int32_t i = 0; i < count; i++) order[i] = i;
  mn_rng_shuffle(&w->rng, order, count);
  *moved = false;
  for (int32_t i = 0; i < count && !*moved; i++) {
    const int32_t d = order[i], k = pick->option[d] + direction;
    const mn_decision *decision = mn_net_decision(w->net, d);
    mn_price tried = {0};
    if (decision->kind != kind || k < 0 || k >= decision->options) continue;
    pick->option[d] = k;
    MN_TRY(mn_search_price(&tried, w->arena, w->net, pick, w->config, error));
    const bool other = tried.ops != price->ops || tried.params != price->params;
    *moved = other && (direction < 0 || mn_budget_met(&w->config->budget, &tried));
    if (*moved)
      *price = tried;
    else
      pick->option[d] -= direction;
  }
  return MN_OK;
}

static mn_status draw(walk *w, mn_pick *pick, mn_price *price, mn_error *error) {
  bool moved = true;
  mn_pick_random(pick, w->net, &w->rng);
  MN_TRY(mn_search_price(price, w->arena, w->net, pick, w->config, error));
  while (moved && !mn_budget_met(&w->config->budget, price)) {
    MN_TRY(step(w, pick, price, MN_DECISION_WIDTH, -1, &moved, error));
    if (!moved) MN_TRY(step(w, pick, price, MN_DECISION_OPTIONAL, -1, &moved, error));
  }
  if (!moved) return mn_error_set(error, MN_ERR_BUDGET, "no network within the budget was reached");
  while (moved) MN_TRY(step(w, pick, price, MN_DECISION_WIDTH, 1, &moved, error));
  return MN_OK;
}

static mn_status write_network(const mn_net *net, const mn_pick *pick, const mn_price *price,
                               const char *folder, int number, mn_error *error) {
  char path[1024];
  mn_buffer text = {0};
  mn_sink sink = mn_buffer_sink(&text);
  snprintf(path, sizeof path, "%s/random-%d.net", folder, number);
  mn_status status = mn_net_print(&sink, net, pick);
  if (status == MN_OK) status = mn_file_write(path, text.data, text.size, error);
  mn_buffer_free(&text);
  if (status == MN_OK)
    printf("%s ops=%lld params=%lld flash=%lld sram=%lld\n", path, (long long)price->ops,
           (long long)price->params, (long long)price->flash.total, (long long)price->sram.total);
  return status;
}

/* A width of a layer that is left out makes no other network: prices tell better than picks. */
static bool is_known(const mn_price *prices, int last) {
  for (int i = 0; i < last; i++)
    if (prices[i].ops == prices[last].ops && prices[i].params == prices[last].params &&
        prices[i].sram.total == prices[last].sram.total)
      return true;
  return false;
}

static mn_status draw_all(mn_arena *arena, int argc, char **argv, mn_error *error) {
  mn_bytes text = {0};
  mn_net *net = NULL;
  mn_pick pick;
  mn_search_config config = {.runtime = MN_RUNTIME_MICRONETS};
  int values = FIXED_ARGUMENTS;
  MN_TRY(mn_file_read(&text, arena, argv[1], 0, error));
  MN_TRY(mn_net_parse(&net, arena, argv[1], text, error));
  MN_TRY(mn_budget_parse(&config.budget, argv[2], error));
  if (argc > values && strchr(argv[values], '=') == NULL)
    MN_TRY(mn_target_read(&config.target, arena, argv[values++], error));
  MN_TRY(set_values(net, argc, argv, values, error));
  MN_TRY(mn_folder_make(argv[5], error));
  const int count = atoi(argv[3]);
  mn_price *prices = mn_arena_array(arena, (size_t)count, sizeof *prices);
  if (prices == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (int made = 0, tries = 0; made < count; tries++) {
    walk w = {net, &config, arena, mn_rng_stream((uint64_t)atoll(argv[4]), 1, (uint64_t)tries)};
    if (tries == MOST_TRIES * count)
      return mn_error_set(error, MN_ERR_BUDGET, "found %d different networks; expected %d", made,
                          count);
    MN_TRY(mn_pick_create(&pick, arena, net));
    MN_TRY(draw(&w, &pick, &prices[made], error));
    if (is_known(prices, made)) continue;
    MN_TRY(write_network(net, &pick, &prices[made], argv[5], made + 1, error));
    made++;
  }
  return MN_OK;
}

int main(int argc, char **argv) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  if (argc < FIXED_ARGUMENTS) {
    fprintf(stderr,
            "random_networks SPACE.net BUDGET COUNT SEED FOLDER [TARGET] [NAME=VALUE...]\n");
    return 2;
  }
  if (mn_arena_create(&arena) != MN_OK) return 1;
  mn_status status = draw_all(arena, argc, argv, &error);
  if (status != MN_OK) fprintf(stderr, "random_networks: %s\n", error.text);
  mn_arena_destroy(arena);
  return mn_status_exit_code(status);
}
