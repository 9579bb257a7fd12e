/* m7_cycles.c - a static cycle model of the Cortex-M7: an in-order, dual-issue list schedule of every
 * straight run of instructions, times how often the run was executed.
 *
 * Arm publishes no timing table for this core; the rules are those that people measured (J. Plewa's
 * pipeline notes, quinapalus' cycle counts): two instructions a cycle, of which one multiplies, one
 * stores, one extends or saturates, and one branches; a multiplication is not issued with a store;
 * double and multiple transfers go alone, two registers a cycle; what was loaded is ready a cycle later,
 * for multipliers and shifted operands two, a byte or halfword one more; a product is ready after two
 * cycles, as an accumulator after one. Branches are predicted; one that goes both ways is guessed wrong
 * half as often as it takes its rarer way, 7 cycles each time. Memory never waits, two loads never meet
 * in one bank. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "bench/cycle_models.h"

enum { MOST_OPERANDS = 24, MISPREDICTED = 7, DIVIDE = 8, FLOAT_DIVIDE = 15 };

typedef enum result_kind {
  RESULT_ALU,
  RESULT_LOAD,
  RESULT_PRODUCT,
  RESULT_EXTEND,
  RESULT_FLOAT
} result_kind;

typedef struct operands {
  uint8_t to[MOST_OPERANDS], from[MOST_OPERANDS];
  int32_t to_count, from_count;
} operands;

typedef struct schedule {
  struct {
    double time;
    result_kind kind;
    bool known;
  } ready[MN_REGISTERS];
} schedule;

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static bool begins_with_any(const char *text, const char *const *starts, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (begins_with(text, starts[i])) return true;
  return false;
}

static bool multiplies(mn_instruction_class kind) {
  return kind == MN_CLASS_MULTIPLY || kind == MN_CLASS_MULTIPLY_LONG ||
         kind == MN_CLASS_MULTIPLY_DUAL;
}

static bool goes_alone(mn_instruction_class kind) {
  return kind == MN_CLASS_LOAD_PAIR || kind == MN_CLASS_STORE_PAIR || kind == MN_CLASS_LOAD_MANY ||
         kind == MN_CLASS_STORE_MANY;
}

static bool is_float(mn_instruction_class kind) {
  return kind == MN_CLASS_FLOAT || kind == MN_CLASS_FLOAT_LOAD;
}

/* ---- What an instruction reads and writes ---------------------------------------------------*/

static void copy(uint8_t *to, int32_t *count, const uint8_t *from, int32_t from_count) {
  for (int32_t i = 0; i < from_count && *count < MOST_OPERANDS; i++) to[(*count)++] = from[i];
}

static bool sets_flags(const char *mnemonic) {
  static const char *const names[] = {"adds", "subs", "ands", "orrs", "eors", "lsls", "lsrs",
                                      "asrs", "movs", "muls", "bics", "negs", "rsbs"};
  return begins_with_any(mnemonic, names, MN_COUNT(names));
}

/* "add r1, r2" reads both. */
static bool reads_its_result(const mn_instruction *in, int32_t named) {
  static const char *const moves[] = {"mov", "mvn", "neg", "ldr", "rsb"};
  if (named == 1) return !begins_with(in->mnemonic, "mov");
  return named == 2 && in->kind == MN_CLASS_ALU &&
         !begins_with_any(in->mnemonic, moves, MN_COUNT(moves));
}

static void operands_of_many(operands *o, const mn_instruction *in) {
  const char *open = strchr(in->operands, '{');
  size_t before = open != NULL ? (size_t)(open - in->operands) : strlen(in->operands);
  if (open != NULL)
    o->to_count = mn_registers_named(o->to, MOST_OPERANDS, open, strcspn(open, "}"));
  o->from_count = mn_registers_named(o->from, MOST_OPERANDS, in->operands, before);
}

static void operands_of(operands *o, const mn_instruction *in) {
  static const char *const compares[] = {"cmp", "tst", "cmn", "teq"};
  uint8_t named[MOST_OPERANDS];
  int32_t count = mn_registers_named(named, MOST_OPERANDS, in->operands, strlen(in->operands));
  bool stores = in->kind == MN_CLASS_STORE || in->kind == MN_CLASS_STORE_PAIR ||
                in->kind == MN_CLASS_STORE_MANY || in->kind == MN_CLASS_FLOAT_STORE;
  o->to_count = o->from_count = 0;
  if (in->kind == MN_CLASS_LOAD_MANY) {
    operands_of_many(o, in);
  } else if (stores || in->kind == MN_CLASS_BRANCH) {
    copy(o->from, &o->from_count, named, count);
  } else if (begins_with_any(in->mnemonic, compares, MN_COUNT(compares))) {
    o->to[o->to_count++] = MN_REGISTER_FLAGS;
    copy(o->from, &o->from_count, named, count);
  } else {
    bool wide = in->kind == MN_CLASS_LOAD_PAIR || in->kind == MN_CLASS_MULTIPLY_LONG;
    bool adds = in->kind == MN_CLASS_MULTIPLY_LONG &&
                (strstr(in->mnemonic, "lal") != NULL || strstr(in->mnemonic, "maal") != NULL);
    int32_t results = wide ? 2 : 1;
    if (results > count) results = count;
    copy(o->to, &o->to_count, named, results);
    if (!wide && reads_its_result(in, count)) copy(o->from, &o->from_count, named, results);
    copy(o->from, &o->from_count, named + results, count - results);
    if (adds) copy(o->from, &o->from_count, named, results);
    if (sets_flags(in->mnemonic)) o->to[o->to_count++] = MN_REGISTER_FLAGS;
  }
}

/* ---- Waiting --------------------------------------------------------------------------------*/

static bool is_conditional(const mn_instruction *in) {
  static const char *const always[] = {"b", "bl", "bx", "b.n", "b.w"};
  for (size_t i = 0; i < MN_COUNT(always); i++)
    if (strcmp(in->mnemonic, always[i]) == 0) return false;
  return in->kind == MN_CLASS_BRANCH;
}

static bool shifts_an_operand(const mn_instruction *in) {
  static const char *const shifts[] = {"lsl", "asr", "ror", "lsr"};
  for (size_t i = 0; i < MN_COUNT(shifts); i++)
    if (strstr(in->operands, shifts[i]) != NULL) return true;
  return false;
}

/* When `in` may use a register; as its accumulator a product is there earlier. */
static double usable(const schedule *s, int32_t reg, const mn_instruction *in, bool accumulator) {
  double time = s->ready[reg].time;
  bool transfers = in->kind == MN_CLASS_LOAD || in->kind == MN_CLASS_STORE ||
                   in->kind == MN_CLASS_LOAD_PAIR || in->kind == MN_CLASS_STORE_PAIR;
  switch (s->ready[reg].kind) {
    case RESULT_LOAD: {
      bool early = (multiplies(in->kind) && !accumulator) || in->kind == MN_CLASS_EXTEND ||
                   shifts_an_operand(in);
      return early ? time + 1 : time;
    }
    case RESULT_PRODUCT: return accumulator ? time - 1 : time;
    case RESULT_EXTEND: return transfers ? time + 1 : time;
    default: return time;
  }
}

static double earliest(const schedule *s, const mn_instruction *in, double time) {
  operands o;
  operands_of(&o, in);
  bool accumulates =
      (in->kind == MN_CLASS_MULTIPLY_DUAL || in->kind == MN_CLASS_MULTIPLY) && o.from_count >= 3;
  int32_t accumulator = accumulates ? o.from[o.from_count - 1] : -1;
  if (is_conditional(in) && o.from_count < MOST_OPERANDS)
    o.from[o.from_count++] = MN_REGISTER_FLAGS;
  for (int32_t i = 0; i < o.from_count; i++)
    if (s->ready[o.from[i]].known)
      time = fmax(time, usable(s, o.from[i], in, o.from[i] == accumulator));
  return time;
}

static void commit(schedule *s, const mn_instruction *in, double time) {
  operands o;
  double later = 1;
  result_kind kind = RESULT_ALU;
  operands_of(&o, in);
  if (in->kind == MN_CLASS_LOAD || in->kind == MN_CLASS_LOAD_PAIR ||
      in->kind == MN_CLASS_LOAD_MANY) {
    const char *width = in->mnemonic + 3 + (in->mnemonic[3] == 's');
    bool narrow = begins_with(in->mnemonic, "ldr") && (*width == 'b' || *width == 'h');
    kind = RESULT_LOAD;
    later = narrow ? 2 : 1;
  } else if (multiplies(in->kind)) {
    kind = RESULT_PRODUCT;
    later = 2;
  } else if (in->kind == MN_CLASS_EXTEND) {
    kind = RESULT_EXTEND;
  } else if (is_float(in->kind)) {
    kind = RESULT_FLOAT;
    later = 3;
  }
  for (int32_t i = 0; i < o.to_count; i++) {
    s->ready[o.to[i]].time = time + later;
    s->ready[o.to[i]].kind = kind;
    s->ready[o.to[i]].known = true;
  }
}

/* ---- Issuing --------------------------------------------------------------------------------*/

/* Whether the second goes with the first, which is issued at `time` and committed. */
static bool pairs(const schedule *s, const mn_instruction *first, const mn_instruction *second,
                  double time) {
  mn_instruction_class a = first->kind, b = second->kind;
  bool extends_a = a == MN_CLASS_EXTEND || a == MN_CLASS_SATURATE;
  bool extends_b = b == MN_CLASS_EXTEND || b == MN_CLASS_SATURATE;
  if (goes_alone(b) || b == MN_CLASS_DIVIDE || earliest(s, second, time) > time) return false;
  if (multiplies(a) && (multiplies(b) || b == MN_CLASS_STORE)) return false;
  if (a == MN_CLASS_STORE && (multiplies(b) || b == MN_CLASS_STORE)) return false;
  if (extends_a && extends_b) return false;
  if (is_float(a) && is_float(b)) return false;
  return a != MN_CLASS_BRANCH || b != MN_CLASS_BRANCH;
}

/* What one that is issued alone takes; 0: it may have company. */
static double alone_cycles(const mn_instruction *in) {
  bool pair = in->kind == MN_CLASS_LOAD_PAIR || in->kind == MN_CLASS_STORE_PAIR;
  if (goes_alone(in->kind)) return ((pair ? 2 : mn_registers_listed(in->operands)) + 1) / 2;
  if (in->kind == MN_CLASS_DIVIDE) return DIVIDE;
  bool slow = begins_with(in->mnemonic, "vdiv") || begins_with(in->mnemonic, "vsqrt");
  return in->kind == MN_CLASS_FLOAT && slow ? FLOAT_DIVIDE : 0;
}

static double run_cycles(const mn_instruction *const *run, int32_t count) {
  schedule s = {0};
  double time = 0;
  for (int32_t i = 0; i < count; i++) {
    double at = earliest(&s, run[i], time), alone = alone_cycles(run[i]);
    commit(&s, run[i], at);
    time = at + (alone > 0 ? alone : 1);
    if (alone > 0 || i + 1 >= count || !pairs(&s, run[i], run[i + 1], at)) continue;
    commit(&s, run[++i], at);
  }
  return time;
}

/* ---- Runs -----------------------------------------------------------------------------------*/

static double wrong_guesses(const mn_count *count, const mn_instruction *in) {
  if (in->kind != MN_CLASS_BRANCH || count->taken == 0 || count->taken >= count->executed) return 0;
  uint64_t other = count->executed - count->taken;
  return 0.5 * (double)(count->taken < other ? count->taken : other);
}

/* A run goes on where the next address was executed as often and no branch left it. */
static bool goes_on(const mn_region *region, int32_t i, const mn_instruction *in) {
  const mn_count *now = &region->counts[i], *next = now + 1;
  return i + 1 < region->count && next->address == now->address + now->size &&
         next->executed == now->executed && !(in->kind == MN_CLASS_BRANCH && now->taken > 0);
}

double mn_m7_cycles(const mn_region *region, const mn_instructions *instructions) {
  enum { MOST = 512 };
  static const mn_instruction unknown = {.mnemonic = "??", .operands = ""};
  const mn_instruction *run[MOST];
  double cycles = 0;
  int32_t count = 0;
  for (int32_t i = 0; i < region->count; i++) {
    const mn_instruction *in = mn_instruction_at(instructions, region->counts[i].address);
    run[count++] = in != NULL ? in : &unknown;
    if (count < MOST && goes_on(region, i, run[count - 1])) continue;
    cycles += run_cycles(run, count) * (double)region->counts[i].executed +
              MISPREDICTED * wrong_guesses(&region->counts[i], run[count - 1]);
    count = 0;
  }
  return cycles;
}
