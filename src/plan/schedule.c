/* schedule.c - the choice of groups. Every run of ops that fits into a loop, at several numbers of rows
 * per turn, is a candidate with its cycles and the bytes it needs at least; these depend on nothing
 * else in the schedule, so the fewest cycles within a limit of bytes are a shortest path over the cut
 * points, and the fewest bytes within a limit of cycles a bisection over the candidates' bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/schedule.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cycles that a schedule may cost beyond the fastest one where it saves memory. */
#define NEAR_TIE 1.02
#define MIN_SRAM_CYCLES 1.10
enum {
  MOST_OPS = 24, /* of one group */
  MOST_PROPOSALS = 192,
  STEPS = 6,  /* of bytes above the lower bound that are tried */
  ROUNDS = 3, /* within max_sram: of LEVELS steps of bytes each, closer and closer */
  LEVELS = 8,
  NODES = 5000, /* of the search for a layout; within max_sram fewer after OFTEN searches */
  OFTEN = 4,
  FEW_NODES = 300
};
static const double drift_price[] = {0, 1, 20, 1e6}; /* cycles a byte */
enum { PRICES = MN_COUNT(drift_price) };
static const int32_t rows_per_turn[] = {1, 2, 3, 4, 6, 8, 12, 16};

/* A path within max_sram that is left to try. */
typedef struct attempt {
  double cycles, drift;
  int64_t bytes;
} attempt;

struct mn_chooser {
  const mn_scheduler *s;
  mn_group *candidate; /* by first op */
  int32_t count, room;
  int64_t *level; /* [levels] bytes of the candidates, ascending */
  int32_t levels, tries;
  uint64_t proposal[MOST_PROPOSALS]; /* [proposed] hashes of paths */
  int32_t proposed;
  double limit;                     /* of cycles */
  double fewest;                    /* no schedule within the limits needs fewer cycles */
  int64_t lower_bound;              /* the lowest level that keeps the limit */
  attempt attempt[LEVELS * PRICES]; /* [next, attempts) of this round, fewest cycles first */
  int32_t attempts, next, round, laid_out;
  int64_t low, high;             /* bytes that the round lies between */
  double best_cycles;            /* of the best within max_sram */
  int64_t best_arena, best_sram; /* least that was seen */
  bool fits;                     /* the best one keeps max_sram */
  bool whole;                    /* only op after op from now on */
  double *cost;                  /* [op_count + 1] of the ops before a cut, least */
  int32_t *reached;              /* [op_count + 1] the candidate that ends at a cut, -1 none */
};
typedef mn_chooser chooser;

/* ---- Candidates ----------------------------------------------------------------------------*/
/* More cycles for less scratch: where that was asked for. */
static bool may_be_thrifty(const chooser *c, const mn_group *group) {
  bool has = false;
  for (int32_t op = group->first; op < group->first + group->count; op++)
    has = has || c->s->thrifty[op].kernel != NULL;
  const mn_plan_options *o = c->s->options;
  return has && (o->min_sram || o->max_sram > 0 || o->max_cycles > 0);
}

static void add_candidate(chooser *c, mn_group group) {
  for (group.thrifty = false; c->count < c->room; group.thrifty = true) {
    if (!mn_group_fit(&group, c->s)) return;
    c->candidate[c->count++] = group;
    if (group.thrifty || !may_be_thrifty(c, &group)) return;
  }
}

static bool may_loop(const chooser *c) {
  const mn_plan_options *o = c->s->options;
  bool asked = o->min_sram || o->max_sram > 0;
  return !o->keep_all && !o->no_in_place && (asked || (!o->small && c->s->target != NULL));
}

static void add_loops(chooser *c, int32_t first) {
  const mn_scheduler *s = c->s;
  for (int32_t count = 1; count <= MOST_OPS && first + count <= s->graph->op_count; count++) {
    const mn_row_window *last = &s->window[first + count - 1];
    if (last->span == 0) return;
    for (size_t i = 0; i < MN_COUNT(rows_per_turn); i++)
      if (rows_per_turn[i] < last->height)
        add_candidate(c, (mn_group){.first = first, .count = count, .rows = rows_per_turn[i]});
  }
}

static mn_status list_candidates(chooser *c, mn_error *error) {
  const mn_scheduler *s = c->s;
  size_t ops = (size_t)s->graph->op_count;
  c->room = (int32_t)(2 * ops * (1 + (may_loop(c) ? MOST_OPS * MN_COUNT(rows_per_turn) : 0)));
  c->candidate = mn_arena_array(s->arena, (size_t)c->room, sizeof *c->candidate);
  c->cost = mn_arena_array(s->arena, ops + 1, sizeof *c->cost);
  c->reached = mn_arena_array(s->arena, ops + 1, sizeof *c->reached);
  if (c->candidate == NULL || c->cost == NULL || c->reached == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  for (int32_t op = 0; op < s->graph->op_count; op++) {
    add_candidate(c, (mn_group){.first = op, .count = 1, .turns = 1});
    if (may_loop(c)) add_loops(c, op);
  }
  return MN_OK;
}

/* ---- Paths ---------------------------------------------------------------------------------*/
/* Fewest cycles with no group above `bytes`, each byte of drift counted as `drift` cycles. False where
 * there is no such schedule or its cycles are above the limit. */
static bool shortest_path(chooser *c, int64_t bytes, double drift) {
  int32_t ops = c->s->graph->op_count;
  for (int32_t op = 0; op <= ops; op++) {
    c->cost[op] = op == 0 ? 0 : (double)INFINITY;
    c->reached[op] = -1;
  }
  for (int32_t i = 0; i < c->count; i++) {
    const mn_group *g = &c->candidate[i];
    double cost = c->cost[g->first] + g->cycles + drift * (double)g->drift;
    bool left_out = g->bytes > bytes || (c->whole && g->rows > 0);
    if (left_out || cost >= c->cost[g->first + g->count]) continue;
    c->cost[g->first + g->count] = cost;
    c->reached[g->first + g->count] = i;
  }
  return isfinite(c->cost[ops]);
}

/* Of the path found last. */
static double path_cycles(const chooser *c) {
  double cycles = 0;
  for (int32_t cut = c->s->graph->op_count; cut > 0; cut = c->candidate[c->reached[cut]].first)
    cycles += c->candidate[c->reached[cut]].cycles;
  return cycles;
}

static bool path_within(chooser *c, int64_t bytes, double drift) {
  return shortest_path(c, bytes, drift) && path_cycles(c) <= c->limit;
}

static int by_value(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* Sorts the candidates' bytes and finds the least at which a path keeps within the limit. */
static mn_status find_levels(chooser *c, mn_error *error) {
  c->level = mn_arena_array(c->s->arena, (size_t)c->count + 1, sizeof *c->level);
  if (c->level == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  for (int32_t i = 0; i < c->count; i++) c->level[i] = c->candidate[i].bytes;
  qsort(c->level, (size_t)c->count, sizeof *c->level, by_value);
  for (int32_t i = 0; i < c->count; i++)
    if (i == 0 || c->level[i] != c->level[c->levels - 1]) c->level[c->levels++] = c->level[i];
  int32_t low = 0, high = c->levels - 1; /* the last one always does */
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (path_within(c, c->level[middle], 0))
      high = middle;
    else
      low = middle + 1;
  }
  c->lower_bound = c->levels > 0 ? c->level[low] : 0;
  return MN_OK;
}

/* False where the path found last was proposed already. */
static bool path_is_new(chooser *c) {
  uint64_t hash = 0;
  for (int32_t cut = c->s->graph->op_count; cut > 0; cut = c->candidate[c->reached[cut]].first)
    hash = mn_hash64(hash, &c->reached[cut], sizeof c->reached[cut]);
  for (int32_t i = 0; i < c->proposed; i++)
    if (c->proposal[i] == hash) return false;
  if (c->proposed < MOST_PROPOSALS) c->proposal[c->proposed++] = hash;
  return true;
}

static mn_status take_path(mn_schedule *schedule, const chooser *c, mn_error *error) {
  int32_t count = 0, ops = c->s->graph->op_count;
  for (int32_t cut = ops; cut > 0; cut = c->candidate[c->reached[cut]].first) count++;
  mn_group *groups = mn_arena_array(c->s->arena, (size_t)count + 1, sizeof *groups);
  if (groups == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  schedule->groups = groups;
  schedule->group_count = count;
  for (int32_t cut = ops; cut > 0; cut = groups[count].first)
    groups[--count] = c->candidate[c->reached[cut]];
  schedule->lower_bound = c->lower_bound;
  schedule->fewest = c->fewest;
  mn_schedule_refit(schedule, c->s);
  return MN_OK;
}

void mn_schedule_refit(const mn_schedule *schedule, const mn_scheduler *s) {
  for (int32_t i = 0; i < schedule->group_count; i++) {
    mn_group group = schedule->groups[i];
    (void)mn_group_fit(&group, s);
  }
}

/* ---- Given schedules -----------------------------------------------------------------------------*/
static mn_status take_given(mn_schedule *schedule, const mn_scheduler *s, mn_error *error) {
  const mn_plan_options *o = s->options;
  int32_t next = 0;
  mn_group *groups = mn_arena_array(s->arena, (size_t)o->group_count + 1, sizeof *groups);
  if (groups == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  *schedule = (mn_schedule){
      .groups = groups, .group_count = o->group_count, .most = INT64_MAX, .nodes = NODES};
  for (int32_t i = 0; i < o->group_count; i++) {
    const mn_plan_group *given = &o->groups[i];
    groups[i] = (mn_group){
        .first = given->first_op, .count = given->op_count, .rows = given->rows, .turns = 1};
    int32_t end = given->first_op + given->op_count;
    bool fits = given->first_op == next && given->op_count > 0 && end <= s->graph->op_count &&
                given->rows >= 0 && (given->rows > 0 || given->op_count == 1) &&
                mn_group_fit(&groups[i], s);
    if (!fits)
      return mn_error_set(error, MN_ERR_ARGUMENT, "ops %d to %d cannot be one group",
                          given->first_op, end - 1);
    if (groups[i].bytes > schedule->lower_bound) schedule->lower_bound = groups[i].bytes;
    schedule->fewest += groups[i].cycles;
    next = end;
  }
  if (next == s->graph->op_count) return MN_OK;
  return mn_error_set(error, MN_ERR_ARGUMENT, "the groups end before op %d", next);
}

/* ---- Limits --------------------------------------------------------------------------------*/
static mn_status set_limit(chooser *c, mn_error *error) {
  const mn_plan_options *o = c->s->options;
  bool modelled = c->s->uncounted == NULL;
  (void)shortest_path(c, INT64_MAX, 0);
  c->fewest = path_cycles(c);
  c->limit = c->fewest * (o->min_sram ? MIN_SRAM_CYCLES : NEAR_TIE);
  if (o->min_sram && c->s->target == NULL) c->limit = DBL_MAX;
  if (o->max_cycles > 0) c->limit = (double)o->max_cycles;
  if (o->max_cycles > 0 && !modelled)
    return mn_error_set(error, MN_ERR_UNSUPPORTED, "cycles of kernel %s are not modelled for %s",
                        c->s->uncounted,
                        c->s->target != NULL ? c->s->target->name : "this machine");
  if (c->fewest > c->limit)
    return mn_error_set(error, MN_ERR_BUDGET,
                        "no schedule keeps within %.0f modelled cycles; the fastest needs %.0f",
                        c->limit, c->fewest);
  if (o->max_sram > 0) c->limit = DBL_MAX;
  return MN_OK;
}

/* What lies between the lowest level that has a path and what max_sram leaves for the arena. */
static void set_range(chooser *c) {
  c->low = c->lower_bound;
  c->high = c->s->options->max_sram - c->s->beside;
  if (c->high >= c->low && shortest_path(c, c->high, 0)) c->fewest = path_cycles(c);
}

mn_status mn_chooser_create(mn_chooser **made, mn_scheduler *s, mn_error *error) {
  chooser *c = mn_arena_alloc(s->arena, sizeof *c);
  if (c == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  *c = (chooser){.s = s, .best_cycles = DBL_MAX, .best_arena = INT64_MAX, .best_sram = INT64_MAX};
  *made = c;
  MN_TRY(mn_scheduler_prepare(s, error));
  if (s->options->groups != NULL) return MN_OK;
  MN_TRY(list_candidates(c, error));
  MN_TRY(set_limit(c, error));
  MN_TRY(find_levels(c, error));
  if (s->options->max_sram > 0) set_range(c);
  return MN_OK;
}

/* ---- Proposals -----------------------------------------------------------------------------*/
/* The level that attempt `tries` looks at: from the lower bound in even steps towards the best arena. */
static int64_t level_at(const chooser *c, int32_t step) {
  if (step == 0 || c->best_arena == INT64_MAX) return c->lower_bound;
  return c->lower_bound + (c->best_arena - c->lower_bound) * step / (STEPS + 1);
}

/* Least SRAM: at each level of bytes the paths of fewest cycles for several prices of drift. */
static bool propose_least(chooser *c) {
  int32_t most = may_loop(c) ? STEPS * PRICES : 1;
  while (c->tries < most && c->best_arena > c->lower_bound) {
    int32_t try = c->tries++;
    if (path_within(c, level_at(c, try / PRICES), drift_price[try % PRICES]) && path_is_new(c))
      return true;
  }
  return false;
}

/* Within max_sram: loops have a stack of their own, which the arena does not show. */
static bool propose_whole(chooser *c) {
  bool first = !c->whole && c->s->options->max_sram > 0;
  c->whole = true;
  return first && shortest_path(c, INT64_MAX, 0) && path_is_new(c);
}

static int by_cycles(const void *a, const void *b) {
  const attempt *x = a, *y = b;
  if (x->cycles != y->cycles) return x->cycles < y->cycles ? -1 : 1;
  return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* Paths at even steps of bytes that are faster than the best so far. */
static void begin_round(chooser *c) {
  c->attempts = c->next = 0;
  for (int32_t i = 0; i < LEVELS * PRICES; i++) {
    int64_t bytes = c->high - (c->high - c->low) * (i / PRICES) / LEVELS;
    double drift = drift_price[i % PRICES];
    if (!shortest_path(c, bytes, drift) || path_cycles(c) >= c->best_cycles) continue;
    if (path_is_new(c)) c->attempt[c->attempts++] = (attempt){path_cycles(c), drift, bytes};
  }
  qsort(c->attempt, (size_t)c->attempts, sizeof *c->attempt, by_cycles);
}

/* Fewest cycles within max_sram: the first path that is found to keep it; then between its bytes and the
 * next more, which were too many. */
static bool propose_fastest(chooser *c) {
  while (c->low <= c->high && (c->next < c->attempts || c->round < (c->fits ? ROUNDS : 1))) {
    if (c->next < c->attempts) {
      const attempt *tried = &c->attempt[c->next++];
      return shortest_path(c, tried->bytes, tried->drift);
    }
    c->round++;
    begin_round(c);
  }
  return false;
}

/* The attempt made last fits. */
static void end_round(chooser *c) {
  int64_t step = (c->high - c->low) / LEVELS, bytes = c->attempt[c->next - 1].bytes;
  c->attempts = c->next;
  c->low = bytes;
  if (bytes + step < c->high) c->high = bytes + step;
}

mn_status mn_chooser_propose(mn_schedule *schedule, bool *more, mn_chooser *c, mn_error *error) {
  if (c->s->options->groups != NULL) {
    *more = c->tries++ == 0;
    return *more ? take_given(schedule, c->s, error) : MN_OK;
  }
  bool fast = propose_fastest(c);
  if (!fast && c->tries == 0) c->proposed = 0;
  *more = fast || (!c->fits && (propose_least(c) || propose_whole(c)));
  if (!*more) return MN_OK;
  MN_TRY(take_path(schedule, c, error));
  schedule->most = c->whole ? INT64_MAX : c->best_arena - 1;
  if (fast) schedule->most = c->s->options->max_sram - c->s->beside;
  bool often = c->s->options->max_sram > 0 && c->laid_out++ >= OFTEN;
  schedule->nodes = often ? FEW_NODES : NODES;
  return MN_OK;
}

bool mn_chooser_judge(mn_chooser *c, int64_t arena, int64_t sram) {
  if (arena < c->best_arena) c->best_arena = arena;
  if (c->s->options->groups == NULL && sram <= c->s->options->max_sram) {
    c->fits = true;
    c->best_cycles = path_cycles(c);
    if (c->tries == 0) end_round(c);
    return true;
  }
  if (c->fits || sram >= c->best_sram) return false;
  c->best_sram = sram;
  return true;
}

mn_status mn_chooser_check(const mn_chooser *c, mn_error *error) {
  const mn_plan_options *o = c->s->options;
  if (o->max_sram == 0 || o->groups != NULL) return MN_OK;
  if (!c->fits && !o->nearest)
    return mn_error_set(error, MN_ERR_BUDGET,
                        "no schedule keeps within %lld bytes of SRAM; the least found needs %lld",
                        (long long)o->max_sram, (long long)c->best_sram);
  if (c->fits && o->max_cycles > 0 && c->best_cycles > (double)o->max_cycles)
    return mn_error_set(error, MN_ERR_BUDGET,
                        "no schedule keeps within %lld bytes of SRAM and %lld modelled cycles; the "
                        "fastest within these bytes needs %.0f",
                        (long long)o->max_sram, (long long)o->max_cycles, c->best_cycles);
  return MN_OK;
}
