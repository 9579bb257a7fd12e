/* search_inputs.h - which input line to search with. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_SEARCH_INPUTS_H
#define MN_RUN_SEARCH_INPUTS_H

#include "micronets/search.h"
#include "run/stage.h"

typedef struct mn_input_search {
  const mn_run_context *context;
  const mn_options_search *options;
  const mn_search_config *config;
  const mn_dataset *dataset;
  json_t *rows; /* array: what each input line was worth */
} mn_input_search;

/* Replaces *net by one whose input line is pinned, where it was open. Errors: MN_ERR_BUDGET where no
 * input line has a network within the budget. */
mn_status mn_search_choose_input(mn_net **net, const mn_input_search *search,
                                 mn_error *error) MN_MUST_CHECK;

#endif
