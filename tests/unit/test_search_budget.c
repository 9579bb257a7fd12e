/* test_search_budget.c - budgets as --budget writes them. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "micronets/search.h"

static void budget_should_read_units_of_bytes_and_ops(void **state) {
  (void)state;
  mn_error error;
  mn_budget budget;
  assert_ok(mn_budget_parse(&budget, "flash=100K,sram=64K,ops=16M,ms=100,mj=10.5", &error), &error);
  assert_int_equal(budget.flash, 102400);
  assert_int_equal(budget.sram, 65536);
  assert_int_equal(budget.ops, 16000000);
  assert_true(budget.ms == 100 && budget.mj == 10.5);
  assert_ok(mn_budget_parse(&budget, "ops=5.3M", &error), &error);
  assert_int_equal(budget.ops, 5300000);
  assert_int_equal(budget.sram, 0);
  assert_ok(mn_budget_parse(&budget, "flash=1M", &error), &error);
  assert_int_equal(budget.flash, 1048576);
}

static void budget_should_refuse_what_it_does_not_understand(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "sram=64K,ops=16M was expected"},
      {"sram", "NAME=NUMBER was expected"},
      {"sram=64K,sram=3K", "stands twice"},
      {"sam=64K", "did you mean \"sram\"?"},
      {"sram=64G", "a number of at least 1"},
      {"sram=0", "a number of at least 1"},
      {"sram=-4", "a number of at least 1"},
      {"sram=nan", "a number of at least 1"},
      {"sram=1e300", "a number of at least 1"},
      {"ms=10K", "a number above 0"},
      {"ops=", "a number of at least 1"},
      {"ops=12KM", "a number of at least 1"},
      {"flash=0.5", "a number of at least 1"},
      {"sram=0.0005K", "a number of at least 1"},
      {"ms=0", "a number above 0"},
      {"ops=1M,", "NAME=NUMBER was expected"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_error error = {{0}};
    mn_budget budget;
    assert_int_equal(mn_budget_parse(&budget, cases[i].text, &error), MN_ERR_USAGE);
    if (strstr(error.text, cases[i].message) == NULL)
      fail_msg("\"%s\": %s", cases[i].text, error.text);
  }
}

static void budget_should_be_met_only_when_every_metric_is(void **state) {
  (void)state;
  mn_budget budget = {.sram = 1000, .ops = 50};
  mn_price price = {.ops = 50, .ms_modelled = -1, .mj_modelled = -1};
  price.sram.total = 1000;
  assert_true(mn_budget_met(&budget, &price));
  price.ops = 51;
  assert_false(mn_budget_met(&budget, &price));
  price.ops = 50;
  budget.ms = 5; /* unknown is not met */
  assert_false(mn_budget_met(&budget, &price));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(budget_should_read_units_of_bytes_and_ops),
      cmocka_unit_test(budget_should_refuse_what_it_does_not_understand),
      cmocka_unit_test(budget_should_be_met_only_when_every_metric_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
