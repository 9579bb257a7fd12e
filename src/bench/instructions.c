/* instructions.c - see instructions.h. Lines look like "  2a4:\tldr.w\tr3, [r1, #52]\t@ 0x34".
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/instructions.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bench/process.h"

/* ---- Classes --------------------------------------------------------------------------------*/

/* The first row whose text the mnemonic begins with tells the class. */
static const struct {
  const char *start;
  mn_instruction_class kind;
} starts[] = {
    {"ldm", MN_CLASS_LOAD_MANY},
    {"pop", MN_CLASS_LOAD_MANY},
    {"stm", MN_CLASS_STORE_MANY},
    {"push", MN_CLASS_STORE_MANY},
    {"ldrd", MN_CLASS_LOAD_PAIR},
    {"strd", MN_CLASS_STORE_PAIR},
    {"ldr", MN_CLASS_LOAD},
    {"str", MN_CLASS_STORE},
    {"smlad", MN_CLASS_MULTIPLY_DUAL},
    {"smlald", MN_CLASS_MULTIPLY_DUAL},
    {"smuad", MN_CLASS_MULTIPLY_DUAL},
    {"smlsd", MN_CLASS_MULTIPLY_DUAL},
    {"smusd", MN_CLASS_MULTIPLY_DUAL},
    {"smull", MN_CLASS_MULTIPLY_LONG},
    {"umull", MN_CLASS_MULTIPLY_LONG},
    {"smlal", MN_CLASS_MULTIPLY_LONG},
    {"umlal", MN_CLASS_MULTIPLY_LONG},
    {"umaal", MN_CLASS_MULTIPLY_LONG},
    {"mul", MN_CLASS_MULTIPLY},
    {"mla", MN_CLASS_MULTIPLY},
    {"mls", MN_CLASS_MULTIPLY},
    {"smla", MN_CLASS_MULTIPLY},
    {"smul", MN_CLASS_MULTIPLY},
    {"smm", MN_CLASS_MULTIPLY},
    {"sdiv", MN_CLASS_DIVIDE},
    {"udiv", MN_CLASS_DIVIDE},
    {"sxt", MN_CLASS_EXTEND},
    {"uxt", MN_CLASS_EXTEND},
    {"pkh", MN_CLASS_EXTEND},
    {"ror", MN_CLASS_EXTEND},
    {"rev", MN_CLASS_EXTEND},
    {"ssat", MN_CLASS_SATURATE},
    {"usat", MN_CLASS_SATURATE},
    {"qadd", MN_CLASS_SATURATE},
    {"qsub", MN_CLASS_SATURATE},
    {"sadd", MN_CLASS_SATURATE},
    {"ssub", MN_CLASS_SATURATE},
    {"uadd", MN_CLASS_SATURATE},
    {"sel", MN_CLASS_SATURATE},
    {"shadd", MN_CLASS_SATURATE},
    {"qd", MN_CLASS_SATURATE},
    {"it", MN_CLASS_IT},
};

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* A branch, alone or with one condition behind it. `length` leaves out a width suffix. */
static bool is_branch(const char *mnemonic, size_t length) {
  static const char *const names[] = {"bl", "blx",  "bx",  "b",   "cbz",   "cbnz",  "tbb", "tbh",
                                      "le", "letp", "dls", "wls", "dlstp", "wlstp", "lctp"};
  static const char conditions[] = "eq ne cs cc mi pl vs vc hi ls ge lt gt le hs lo ";
  for (size_t i = 0; i < MN_COUNT(names); i++) {
    size_t name = strlen(names[i]);
    if (strncmp(mnemonic, names[i], name) != 0 || length < name) continue;
    if (length == name) return true;
    char condition[4] = {mnemonic[name], mnemonic[name + 1], ' ', '\0'};
    if (length == name + 2 && strstr(conditions, condition) != NULL) return true;
  }
  return false;
}

static bool names_vector(const char *operands) {
  for (const char *at = operands; *at != '\0'; at++)
    if (*at == 'q' && isdigit((unsigned char)at[1]) &&
        (at == operands || !isalnum((unsigned char)at[-1])))
      return true;
  return false;
}

/* Everything that begins with v: floating point, or Helium where a q register or one of its own
 * operations stands. */
static mn_instruction_class vector_class(const char *mnemonic, const char *operands) {
  static const char *const multiplies[] = {"vml", "vrml", "vmul", "vqdmul", "vqrdmul", "vfma"};
  static const char *const own[] = {"vmlav", "vmlaav", "vmladav", "vmlalda", "vpst", "vpt",
                                    "vctp",  "vaddv",  "vaddlv",  "vmaxv",   "vminv"};
  bool vector = names_vector(operands);
  for (size_t i = 0; i < MN_COUNT(own); i++) vector = vector || begins_with(mnemonic, own[i]);
  if (begins_with(mnemonic, "vldr") || begins_with(mnemonic, "vldm") ||
      begins_with(mnemonic, "vpop") || begins_with(mnemonic, "vld"))
    return vector ? MN_CLASS_VECTOR_LOAD : MN_CLASS_FLOAT_LOAD;
  if (begins_with(mnemonic, "vstr") || begins_with(mnemonic, "vstm") ||
      begins_with(mnemonic, "vpush") || begins_with(mnemonic, "vst"))
    return vector ? MN_CLASS_VECTOR_STORE : MN_CLASS_FLOAT_STORE;
  if (!vector) return MN_CLASS_FLOAT;
  for (size_t i = 0; i < MN_COUNT(multiplies); i++)
    if (begins_with(mnemonic, multiplies[i])) return MN_CLASS_VECTOR_MULTIPLY;
  return MN_CLASS_VECTOR;
}

static mn_instruction_class class_of(const char *mnemonic, const char *operands) {
  if (mnemonic[0] == 'v') return vector_class(mnemonic, operands);
  if (is_branch(mnemonic, strcspn(mnemonic, "."))) return MN_CLASS_BRANCH;
  for (size_t i = 0; i < MN_COUNT(starts); i++)
    if (begins_with(mnemonic, starts[i].start)) return starts[i].kind;
  return MN_CLASS_ALU;
}

/* ---- Lines ----------------------------------------------------------------------------------*/

/* One line, cut at its end; false where it is no instruction. */
static bool parse_line(mn_instruction *made, char *line) {
  char *rest = NULL;
  while (*line == ' ') line++;
  if (!isxdigit((unsigned char)*line)) return false;
  made->address = (uint32_t)strtoul(line, &rest, 16);
  if (rest[0] != ':' || rest[1] != '\t' || rest[2] == '\0') return false;
  char *mnemonic = rest + 2;
  size_t length = strcspn(mnemonic, " \t");
  char *operands = mnemonic + length;
  if (*operands != '\0') *operands++ = '\0';
  while (*operands == ' ' || *operands == '\t') operands++;
  made->mnemonic = mnemonic;
  made->operands = operands;
  made->kind = class_of(mnemonic, operands);
  return length > 0;
}

static size_t count_lines(const char *text) {
  size_t count = 1;
  for (; *text != '\0'; text++) count += *text == '\n';
  return count;
}

/* Sections come in the order of the file. */
static int by_address(const void *a, const void *b) {
  uint32_t x = ((const mn_instruction *)a)->address, y = ((const mn_instruction *)b)->address;
  return x < y ? -1 : x > y;
}

mn_status mn_instructions_parse(mn_instructions *instructions, mn_arena *arena, char *text,
                                mn_error *error) {
  mn_instruction *list = mn_arena_array(arena, count_lines(text), sizeof *list);
  int32_t count = 0;
  if (list == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (char *line = text; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    char *next = line + length + (line[length] == '\n');
    line[length] = '\0';
    count += parse_line(&list[count], line);
    line = next;
  }
  qsort(list, (size_t)count, sizeof *list, by_address);
  *instructions = (mn_instructions){list, count};
  return MN_OK;
}

mn_status mn_instructions_read(mn_instructions *instructions, mn_workshop *shop,
                               const char *program) {
  const char *const arguments[] = {MN_ARM_DISASSEMBLER, "-d", "--no-show-raw-insn", program, NULL};
  const char *log = mn_arena_text(shop->arena, "%s/%s.text", shop->folder, program);
  mn_process process = {
      .arguments = arguments, .folder = shop->folder, .output = log, .monitor = shop->monitor};
  mn_bytes text = {0};
  int exit_code = 0;
  if (log == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(mn_process_run(&process, &exit_code, shop->error));
  if (exit_code != 0)
    return mn_error_set(shop->error, MN_ERR_FAILED, "%s failed on %s", MN_ARM_DISASSEMBLER,
                        program);
  MN_TRY(mn_file_read(&text, shop->arena, log, 0, shop->error));
  char *copy = mn_arena_copy(shop->arena, text.data, text.size + 1);
  if (copy == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  return mn_instructions_parse(instructions, shop->arena, copy, shop->error);
}

const mn_instruction *mn_instruction_at(const mn_instructions *instructions, uint32_t address) {
  const mn_instruction key = {.address = address};
  if (instructions->count == 0) return NULL;
  return bsearch(&key, instructions->list, (size_t)instructions->count, sizeof key, by_address);
}

/* ---- Registers ------------------------------------------------------------------------------*/

/* r0 to r15, then the names of some of those, s0 to s31 and d0 to d15. -1: no register. */
static int32_t register_of(const char *word, size_t length) {
  static const char *const named[] = {"sp", "lr", "pc", "ip", "fp", "sl", "sb"};
  for (size_t i = 0; i < MN_COUNT(named); i++)
    if (length == 2 && strncmp(word, named[i], 2) == 0) return 16 + (int32_t)i;
  int32_t base = word[0] == 'r' ? 0 : word[0] == 's' ? 24 : word[0] == 'd' ? 56 : -1;
  int32_t limit = word[0] == 's' ? 32 : 16, number = 0;
  if (base < 0 || length < 2 || length > 3) return -1;
  for (size_t i = 1; i < length; i++) {
    if (!isdigit((unsigned char)word[i])) return -1;
    number = 10 * number + (word[i] - '0');
  }
  return number < limit ? base + number : -1;
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

int32_t mn_registers_named(uint8_t *registers, int32_t most, const char *text, size_t length) {
  int32_t count = 0;
  for (size_t at = 0; at < length && count < most;) {
    size_t end = at;
    while (end < length && is_word(text[end])) end++;
    int32_t found = end > at ? register_of(text + at, end - at) : -1;
    if (found >= 0) registers[count++] = (uint8_t)found;
    at = end > at ? end : at + 1;
  }
  return count;
}

int32_t mn_registers_listed(const char *operands) {
  const char *open = strchr(operands, '{');
  int32_t count = 0;
  if (open == NULL) return 1;
  for (const char *at = open + 1; *at != '\0' && *at != '}';) {
    size_t length = strcspn(at, ",}");
    const char *dash = memchr(at, '-', length);
    size_t skip = strcspn(at, "0123456789");
    count += dash != NULL && dash[1] == at[skip - 1] ? atoi(dash + 2) - atoi(at + skip) + 1 : 1;
    at += length + (at[length] == ',');
  }
  return count;
}
